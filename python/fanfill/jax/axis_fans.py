"""Knows JAX's fans: those of the axes that a caller names as in, out and batch, the rest being the kernel.

It must not know laws, keys or arrays.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

from ..fan import Fans
from ..number import as_int

__all__ = ["Axes", "axis_fans", "checked_axes"]

Axes: TypeAlias = "int | Sequence[int]"


def checked_axes(axes: Axes, name: str) -> int | tuple[int, ...]:
    """Return an axis or a tuple of axes, which are hashable and so can be part of a layer."""
    if isinstance(axes, (tuple, list)):
        return tuple(as_int(axis, name) for axis in axes)
    return as_int(axes, name)


def axis_fans(shape: tuple[int, ...], in_axis: Axes, out_axis: Axes, batch_axis: Axes) -> Fans:
    """Return what ``jax.nn.initializers`` takes for the fans of a shape.

    fan_in is the product of the in axes and the kernel's, fan_out that of the out axes and the kernel's,
    where the kernel's is the size of the shape divided by those of the in, out and batch axes: an axis that
    is named as in and as out, as Flax does for embeddings, divides twice.

    Raises
    ------
    IndexError
        If an axis does not exist.
    ValueError
        If the shape has fewer than two axes and `in_axis` is its default.
    ZeroDivisionError
        If an axis has extent 0.
    """
    if in_axis == -2 and len(shape) <= 1:
        raise ValueError(
            f"in_axis: a shape of {len(shape)} axes has no axis -2; name in_axis, or give a shape of two axes"
        )
    inputs = _extent(shape, in_axis, "in_axis")
    outputs = _extent(shape, out_axis, "out_axis")
    batch = _extent(shape, batch_axis, "batch_axis")
    if 0 in shape:
        raise ZeroDivisionError(f"shape {shape} has an axis of extent 0, and so no fans to divide by")
    kernel = math.prod(shape) / inputs / outputs / batch
    return Fans(inputs * kernel, outputs * kernel)


def _extent(shape: tuple[int, ...], axes: Axes, name: str) -> int:
    named = (axes,) if isinstance(axes, int) else axes
    for axis in named:
        if not -len(shape) <= axis < len(shape):
            raise IndexError(f"{name}: there is no axis {axis} in shape {shape}")
    return math.prod(shape[axis] for axis in named)
