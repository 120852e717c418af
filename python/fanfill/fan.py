"""Knows the fans: how many inputs and outputs a weight connects, from its global shape and layout.

It must not know laws, memory or shards.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeAlias, overload

from .number import as_int, as_real
from .region import as_shape

__all__ = ["Fans", "Layout", "Mode", "Parts", "fans"]

Layout: TypeAlias = Literal["oi", "io"]
Mode: TypeAlias = Literal["fan_in", "fan_out", "fan_avg", "fan_geo_avg"]
Parts: TypeAlias = "int | Sequence[int]"


class Fans(NamedTuple):
    """How many inputs feed one output unit, and how many outputs one input unit feeds.

    Integers where they come from a shape, floats where the caller gave them.
    """

    fan_in: float
    fan_out: float


@overload
def fans(
    shape: int | Sequence[int],
    *,
    layout: Layout = "oi",
    groups: int = 1,
    transposed: bool = False,
    batch_axes: Sequence[int] = (),
    parts: None = None,
    fan_in: float | None = None,
    fan_out: float | None = None,
) -> Fans: ...


@overload
def fans(
    shape: int | Sequence[int],
    *,
    layout: Layout = "oi",
    groups: int = 1,
    transposed: bool = False,
    batch_axes: Sequence[int] = (),
    parts: Parts,
    fan_in: float | None = None,
    fan_out: float | None = None,
) -> tuple[Fans, ...]: ...


def fans(
    shape: int | Sequence[int],
    *,
    layout: Layout = "oi",
    groups: int = 1,
    transposed: bool = False,
    batch_axes: Sequence[int] = (),
    parts: Parts | None = None,
    fan_in: float | None = None,
    fan_out: float | None = None,
) -> Fans | tuple[Fans, ...]:
    r"""Return the fans of a weight of this global shape.

    With k the product of the kernel's extents, fan_in = (in / groups) · k and fan_out = (out / groups) · k.

    Parameters
    ----------
    shape : int or sequence of int
        The global, logical shape, never that of a shard. One axis of n after `batch_axes` gives fan_in =
        fan_out = n (as in Keras), none gives 1 and 1; an axis of extent 1 counts 1, and one of extent 0 gives
        fans of 0.
    layout : {"oi", "io"}, optional
        Where the axes lie: ``"oi"`` is (out, in, \*kernel), as torch stores it, ``"io"`` is (\*kernel, in,
        out), as Keras and Flax do. Dense layers and plain convolutions have the same fans in all of them.
    groups : int, optional
        Groups of a grouped convolution, whose weight holds in / groups inputs (for a transposed one: out /
        groups outputs). torch, Keras and JAX have fan_in right and leave the groups out of fan_out. A
        depthwise kernel is the case groups = in; Keras stores it as (\*kernel, in, multiplier) and has
        fan_out right and fan_in too large by the factor in. Reshaped to (\*kernel, 1, in·multiplier) it is
        this layout.
    transposed : bool, optional
        The weight of a transposed convolution, which stores in and out the other way round: (in, out/groups,
        \*kernel) or (\*kernel, out/groups, in). torch and Keras take its fans from the wrong axes; Flax
        stores (\*kernel, in, out), which is not this case, and is right. Strides don't enter.
    batch_axes : sequence of int, optional
        Axes along which independent weights are stacked, such as experts or scanned layers; they count
        neither as in nor as out. Negative numbers count from the end. JAX, with its ``batch_axis``, is right
        too; torch and Keras take them for inputs, outputs or parts of the kernel.
    parts : int or sequence of int, optional
        Weights fused along the out axis, such as query, key and value, or gate and up: their number if equal,
        else their sizes. Each has its own fans. torch, Keras and JAX take the sum of the parts for fan_out.
    fan_in, fan_out : float, optional
        Positive; wins over what the shape gives.

    Returns
    -------
    Fans or tuple of Fans
        ``(fan_in, fan_out)``; with `parts`, one for each part.

    Raises
    ------
    TypeError
        If an argument is of the wrong type.
    ValueError
        If an axis does not exist or is named twice, the groups or parts do not divide the out axis, or there
        are groups, parts or a transposed weight without an in and an out axis.

    Notes
    -----
    An embedding has no fans in this sense: what comes out are the axes of its table, as in torch, Keras and
    JAX. Its scale is a policy, which a recipe or `fan_in` states.

    References
    ----------
    X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.
    K. He, X. Zhang, S. Ren, J. Sun, "Delving Deep into Rectifiers", 2015.

    Examples
    --------
    >>> import fanfill as ff
    >>> ff.fans((64, 32, 3, 3))
    Fans(fan_in=288, fan_out=576)
    >>> ff.fans((3, 3, 32, 64), layout="io")
    Fans(fan_in=288, fan_out=576)
    >>> ff.fans((3072, 1024), parts=3)[0]
    Fans(fan_in=1024, fan_out=1024)
    """
    whole = as_shape(shape)
    extents = tuple(whole[axis] for axis in _kept_axes(whole, batch_axes))
    if layout not in ("oi", "io"):
        raise ValueError(f"layout must be 'oi' (out, in, *kernel) or 'io' (*kernel, in, out), not {layout!r}")
    if not isinstance(transposed, bool):
        raise TypeError(f"transposed must be a bool, not {transposed!r}")
    groups = as_int(groups, "groups")
    if groups < 1:
        raise ValueError(f"groups must be at least 1, not {groups}")
    given = Fans(_given(fan_in, "fan_in"), _given(fan_out, "fan_out"))
    if len(extents) < 2:
        if groups != 1 or transposed or parts is not None:
            raise ValueError(
                f"groups, transposed and parts need an in and an out axis; shape has {len(extents)} axes "
                f"besides batch_axes"
            )
        only = extents[0] if extents else 1
        return Fans(given.fan_in or only, given.fan_out or only)
    in_axis, out_axis, kernel = _axes(extents, layout, transposed)
    if transposed:  # stored: all inputs, and the outputs of one group
        inputs, outputs = _divided(in_axis, groups, "groups", "in"), [out_axis]
        if parts is not None:
            outputs = part_sizes(out_axis, parts)
    else:
        inputs = in_axis
        sizes = [out_axis] if parts is None else part_sizes(out_axis, parts)
        outputs = [_divided(size, groups, "groups", "out") for size in sizes]
    each = tuple(Fans(given.fan_in or inputs * kernel, given.fan_out or size * kernel) for size in outputs)
    return each[0] if parts is None else each


def fan_of_mode(both: Fans, mode: str) -> float:
    """Return the one fan that a mode makes of two: in, out, their arithmetic or their geometric mean."""
    if mode == "fan_in":
        return both.fan_in
    if mode == "fan_out":
        return both.fan_out
    if mode == "fan_avg":
        return (both.fan_in + both.fan_out) / 2
    if mode == "fan_geo_avg":
        return math.sqrt(both.fan_in * both.fan_out)
    raise ValueError(f"mode must be 'fan_in', 'fan_out', 'fan_avg' or 'fan_geo_avg', not {mode!r}")


def part_axis(shape: Sequence[int], layout: Layout, transposed: bool, batch_axes: Sequence[int]) -> int:
    """Return the number of the out axis, along which parts lie, in a shape for which `fans` has them."""
    kept = _kept_axes(tuple(shape), batch_axes)
    if layout == "oi":
        return kept[1 if transposed else 0]
    return kept[-2 if transposed else -1]


# More parts than any fused layer has, and few enough that a hostile plan can't ask for a list without end.
_MAX_PARTS = 1 << 16


def part_sizes(extent: int, parts: Any) -> list[int]:
    """Return the extent of each part of an out axis."""
    listed = _listed(parts)
    if listed is not None:
        sizes = [as_int(size, f"parts[{place}]") for place, size in enumerate(listed)]
        if not sizes or min(sizes) < 0 or sum(sizes) != extent:
            raise ValueError(
                f"parts must be sizes that add up to the {extent} of the out axis, not {tuple(sizes)}"
            )
        return sizes
    try:
        count = as_int(parts, "parts")
    except TypeError:
        raise TypeError(f"parts must be an int or a sequence of ints, not {parts!r}") from None
    if not 1 <= count <= _MAX_PARTS:
        raise ValueError(f"parts must be from 1 to {_MAX_PARTS:,}, not {count}")
    return [_divided(extent, count, "parts", "out")] * count


def _given(value: Any, name: str) -> float:
    """Return an explicit fan, or 0 where there is none; no fan that is given can be 0."""
    if value is None:
        return 0
    real = as_real(value, name)
    fan = value if type(value) is int else real
    if not 0 < fan < math.inf:
        raise ValueError(f"{name} must be positive and finite, not {fan}")
    return fan


def _listed(value: Any) -> Sequence[Any] | None:
    """Return what is a sequence of numbers, NumPy's included, as one; None for anything else.

    An iterator isn't one: the fans of a fused weight look at its parts more than once.
    """
    if isinstance(value, Sequence):
        return None if isinstance(value, str) else value
    return list(value) if getattr(value, "ndim", None) == 1 else None


def _kept_axes(shape: tuple[int, ...], batch_axes: Any) -> list[int]:
    if type(batch_axes) is tuple and not batch_axes:
        return list(range(len(shape)))
    listed = _listed(batch_axes)
    dropped: set[int] = set()
    for entry in (batch_axes,) if listed is None else listed:
        try:
            axis = as_int(entry, "batch_axes")
        except TypeError:
            raise TypeError(f"batch_axes must be an int or a sequence of ints, not {batch_axes!r}") from None
        if not -len(shape) <= axis < len(shape):
            raise ValueError(f"batch_axes: there is no axis {axis} in shape {shape}")
        if axis % len(shape) in dropped:
            raise ValueError(f"batch_axes names axis {axis % len(shape)} twice")
        dropped.add(axis % len(shape))
    return [axis for axis in range(len(shape)) if axis not in dropped]


def _axes(shape: tuple[int, ...], layout: Layout, transposed: bool) -> tuple[int, int, int]:
    """Return what the shape stores of in and of out, and the product of the kernel's extents."""
    first, second, kernel = (
        (shape[0], shape[1], shape[2:]) if layout == "oi" else (shape[-1], shape[-2], shape[:-2])
    )
    inputs, outputs = (first, second) if transposed else (second, first)
    return inputs, outputs, math.prod(kernel)


def _divided(extent: int, by: int, name: str, axis: str) -> int:
    if extent % by:
        raise ValueError(f"{name}: {by} does not divide the {extent} of the {axis} axis")
    return extent // by
