"""Knows what the core needs to be told of a piece of memory, and which strides it must not be given.

It must not know where the memory comes from.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ..dtype import DType

__all__ = ["Memory"]


@dataclass(slots=True)
class Memory:
    """Writable memory of a tensor, checked: no element overlaps another, and all are aligned.

    Attributes
    ----------
    address : int
        Of the element at index 0 of every axis.
    shape, byte_strides : tuple of int
        Per axis, outermost first. A stride may be negative.
    dtype : DType
        The element type.
    is_contiguous : bool
        Whether the elements follow each other in row-major order.
    owner : object
        What keeps the memory alive, and, for a buffer, from being resized.
    note_write : callable or None
        To be called once the memory has been written.
    """

    address: int
    shape: tuple[int, ...]
    byte_strides: tuple[int, ...]
    dtype: DType
    is_contiguous: bool
    owner: object
    note_write: Callable[[], object] | None = None


def strided_memory(
    name: str,
    address: int,
    shape: tuple[int, ...],
    byte_strides: tuple[int, ...],
    dtype: DType,
    owner: object,
    note_write: Callable[[], object] | None = None,
) -> Memory:
    """Return memory of any strides, or raise ValueError with the reason why it cannot be filled."""
    is_empty = 0 in shape
    if address == 0 and not is_empty:
        raise ValueError(
            f"{name} has {math.prod(shape)} elements but no memory (address 0); allocate it first"
        )
    is_contiguous = is_empty or _is_contiguous(shape, byte_strides, dtype.itemsize)
    if not is_empty:
        held = [stride for extent, stride in zip(shape, byte_strides, strict=True) if extent > 1]
        if any(part % dtype.itemsize for part in (address, *held)):
            raise misaligned(name, dtype)
        if not is_contiguous:
            _refuse_overlap(name, shape, byte_strides, dtype.itemsize)
    return Memory(address, shape, byte_strides, dtype, is_contiguous, owner, note_write)


def misaligned(name: str, dtype: DType) -> ValueError:
    """Return the error for elements that lie at no multiple of their size."""
    return ValueError(
        f"{name} is not aligned to the {dtype.itemsize} bytes of a {dtype.name}; fill an aligned array and "
        f"copy it in"
    )


def _is_contiguous(shape: tuple[int, ...], byte_strides: tuple[int, ...], itemsize: int) -> bool:
    expected = itemsize
    for extent, stride in zip(reversed(shape), reversed(byte_strides), strict=True):
        if extent > 1 and stride != expected:
            return False
        expected *= extent
    return True


def _refuse_overlap(name: str, shape: tuple[int, ...], byte_strides: tuple[int, ...], itemsize: int) -> None:
    axes = sorted(
        (abs(stride), extent) for extent, stride in zip(shape, byte_strides, strict=True) if extent > 1
    )
    if axes[0][0] == 0:
        raise ValueError(
            f"{name} has stride 0 along an axis, so many of its elements are one (a broadcast or expanded "
            f"view); fill what it was made of, or a copy of it"
        )
    # Enough for any slice, transpose or reshape. Views beyond that come from as_strided alone, and to tell
    # whether they overlap has no cheap general answer.
    span = itemsize
    for stride, extent in axes:
        if stride < span:
            raise ValueError(
                f"{name} has elements that overlap in memory, or strides {byte_strides} that do not show "
                f"otherwise; fill a copy of it"
            )
        span += stride * (extent - 1)
