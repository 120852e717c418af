"""Knows how memory and a region become the axes that the core takes, whole or cut into the parts of a weight.

It must not know laws, keys or fans, and allocates and writes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from .memory import Memory
from .region import Region, Runs

__all__ = ["Axes", "memory_axes", "part_axes"]

# As the core takes them: (extent, byte stride, runs of (start, count)), outermost first.
Axis: TypeAlias = tuple[int, int, Runs]
Axes: TypeAlias = tuple[Axis, ...]


def memory_axes(memory: Memory, region: Region | None) -> Axes:
    """Return the axes of the memory, which holds the region or, if that is None, the whole tensor."""
    if region is None:
        if memory.is_contiguous:  # one axis will do: its index is the flat index
            size = math.prod(memory.shape)
            return ((size, memory.dtype.itemsize, ((0, size),)),)
        return _whole_axes(memory)
    if not isinstance(region, Region):
        raise TypeError(f"region must be a Region, not {type(region).__name__}")
    if memory.shape != region.local_shape:
        raise ValueError(
            f"region holds a part of shape {region.local_shape}, and out has shape {memory.shape}; make "
            f"them equal"
        )
    return tuple(
        (extent, stride, runs)
        for (extent, runs), stride in zip(region._core_runs, memory.byte_strides, strict=True)
    )


def part_axes(
    memory: Memory, region: Region | None, axis: int, sizes: Sequence[int]
) -> Iterator[tuple[int, int, Axes]]:
    """Cut the memory where one axis of the global tensor passes from one part to the next.

    Yields (number of the part, address, axes) of sub-views that are disjoint and together the memory, every
    one of them with indices in the one global tensor. A part of which the memory holds nothing has an empty
    sub-view, so that its law is checked on every shard alike.
    """
    axes = memory_axes(memory, region)
    if region is not None and region._is_flat:
        yield from _flat_part_axes(memory, region, axis, sizes)
        return
    if region is None:
        axes = _whole_axes(memory)
    extent, stride, runs = axes[axis]
    held = 0
    for number, own in enumerate(_cut(runs, sizes)):
        yield (
            number,
            memory.address + held * stride,
            (*axes[:axis], (extent, stride, own), *axes[axis + 1 :]),
        )
        held += sum(count for _, count in own)


def _whole_axes(memory: Memory) -> Axes:
    return tuple(
        (extent, stride, ((0, extent),))
        for extent, stride in zip(memory.shape, memory.byte_strides, strict=True)
    )


def _cut(runs: Runs, sizes: Sequence[int]) -> Iterator[Runs]:
    """Yield what of the runs lies in each of the parts, which lie one after the other."""
    low = at = 0
    for size in sizes:
        high = low + size
        own: list[tuple[int, int]] = []
        while at < len(runs) and runs[at][0] < high:
            start, stop = max(runs[at][0], low), min(sum(runs[at]), high)
            if start < stop:
                own.append((start, stop - start))
            if sum(runs[at]) > high:
                break  # the next part has the rest
            at += 1
        yield tuple(own)
        low = high


def _flat_part_axes(
    memory: Memory, region: Region, axis: int, sizes: Sequence[int]
) -> Iterator[tuple[int, int, Axes]]:
    """Cut a flat range: to it the tensor is a matrix with the parts side by side as blocks of columns."""
    (step,) = memory.byte_strides
    rows = math.prod(region.shape[:axis])
    along = math.prod(region.shape[axis + 1 :])
    width = region.shape[axis] * along
    start, stop = region._flat_range()
    begin = 0
    for number, size in enumerate(sizes):
        low, high = begin * along, (begin + size) * along
        begin += size
        is_empty = True
        for row, row_stop, column, column_stop in _blocks(start, stop, width):
            first, last = max(column, low), min(column_stop, high)
            if first < last:
                is_empty = False
                yield (
                    number,
                    memory.address + (row * width + first - start) * step,
                    (
                        (rows, width * step, ((row, row_stop - row),)),
                        (width, step, ((first, last - first),)),
                    ),
                )
        if is_empty:
            yield number, memory.address, ((0, step, ()),)


def _blocks(start: int, stop: int, width: int) -> list[tuple[int, int, int, int]]:
    """Return the flat range of a matrix as blocks (row, row stop, column, column stop), three at most."""
    if start == stop:
        return []
    (first, column), (last, end) = divmod(start, width), divmod(stop, width)
    if first == last:
        return [(first, first + 1, column, end)]
    blocks = []
    if column:
        blocks.append((first, first + 1, column, width))
        first += 1
    if first < last:
        blocks.append((first, last, 0, width))
    if end:
        blocks.append((last, last + 1, 0, end))
    return blocks
