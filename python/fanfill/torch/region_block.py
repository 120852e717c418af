"""Knows how a block of the memory that holds a region is a region itself, and how memory is cut into blocks.

It must not know tensors, devices or laws.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from ..region import Region

__all__ = ["block_region", "blocks", "runs_between"]


def runs_between(runs: Sequence[tuple[int, int]], low: int, high: int) -> list[tuple[int, int]]:
    """Return the runs of the indices low … high, counted along the runs."""
    kept = []
    for start, stop in runs:
        first, last = max(low, 0), min(high, stop - start)
        if first < last:
            kept.append((start + first, start + last))
        low, high = low - (stop - start), high - (stop - start)
    return kept


def block_region(region: Region, block: Sequence[slice]) -> Region:
    """Return the region that a block of the memory of `region` holds; a slice for each axis of the memory."""
    if region._is_flat:
        (start, _), (own,) = region._flat_range(), block
        return Region.flat(region.shape, start + own.start, start + own.stop)
    return Region(
        region.shape,
        [runs_between(runs, own.start, own.stop) for runs, own in zip(region.runs, block, strict=True)],
    )


def blocks(shape: tuple[int, ...], limit: int) -> Iterator[tuple[slice, ...]]:
    """Cut memory of a shape into blocks of at most `limit` elements that follow each other in it."""
    if math.prod(shape) <= limit:
        yield tuple(slice(0, extent) for extent in shape)
        return
    extent, inner = shape[0], shape[1:]
    row = math.prod(inner)
    if row <= limit:
        step = limit // row
        for start in range(0, extent, step):
            yield (slice(start, min(start + step, extent)), *(slice(0, each) for each in inner))
    else:
        for start in range(extent):
            for block in blocks(inner, limit):
                yield (slice(start, start + 1), *block)
