"""Knows how to find two strided sets of integers that meet, among very many, without comparing all pairs.

It must not know what the integers are: addresses of elements in memory, or indices in a tensor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

__all__ = ["Pattern", "first_overlap", "first_product_overlap", "pattern"]

# Rows of one pattern that are looked at one by one for another of unlike strides. Beyond it, which only
# strides made by hand reach, the two count as overlapping.
_MAX_ROWS = 64


class Pattern(NamedTuple):
    """The integers start + i·step, for every i below count on every axis, each with the next few after it.

    The axes have positive steps, outermost first, and each step is at least the span of the axes inside it.
    """

    start: int
    stop: int
    axes: tuple[tuple[int, int], ...]  # (step, count), count > 1
    owner: int


def pattern(start: int, width: int, axes: Sequence[tuple[int, int]], owner: int) -> Pattern:
    """Return the pattern of these (step, count) axes; steps may be negative, and no count is 0."""
    if len(axes) == 1 and axes[0][0] == width:
        return Pattern(start, start + width * axes[0][1], (), owner)
    kept: list[tuple[int, int]] = []
    for step, count in sorted(((abs(step), count) for step, count in axes if count > 1)):
        if step == width and not kept:
            width *= count
        elif kept and step == kept[-1][0] * kept[-1][1]:
            kept[-1] = (kept[-1][0], kept[-1][1] * count)
        else:
            kept.append((step, count))
    start += sum(step * (count - 1) for step, count in axes if step < 0)
    stop = start + width + sum(step * (count - 1) for step, count in kept)
    return Pattern(start, stop, tuple(reversed(kept)), owner)


def first_overlap(patterns: Sequence[Pattern]) -> tuple[int, int] | None:
    """Return the owners of two patterns of different owners that share an integer, or None if no two do."""
    component: list[Pattern] = []
    stop = 0
    for candidate in sorted(patterns, key=lambda each: each.start):
        if component and candidate.start >= stop:
            found = _within(component)
            if found is not None:
                return found
            component = []
        component.append(candidate)
        stop = candidate.stop if len(component) == 1 else max(stop, candidate.stop)
    return _within(component)


def _within(component: list[Pattern]) -> tuple[int, int] | None:
    """Search patterns whose hulls overlap, ordered by their start.

    Those with the same outer axis, such as the columns of one matrix, are reduced to their first rows if no
    row reaches into the next; only what is left over is compared pair by pair.
    """
    if len(component) < 2:
        return None
    families: dict[tuple[tuple[int, int], ...], list[Pattern]] = {}
    for each in component:
        families.setdefault(each.axes[:1], []).append(each)
    for axis, family in families.items():
        rows = _first_rows(family) if axis else None
        found = _sweep([family]) if rows is None else first_overlap(rows)
        if found is not None:
            return found
    return _sweep(list(families.values())) if len(families) > 1 else None


def _first_rows(family: list[Pattern]) -> list[Pattern] | None:
    rows = [_inner(each) for each in family]
    step = family[0].axes[0][0]
    return rows if max(row.stop for row in rows) - min(row.start for row in rows) <= step else None


def _sweep(families: list[list[Pattern]]) -> tuple[int, int] | None:
    """Compare the pairs whose hulls overlap: within the one family, or between each two of several."""
    active: list[list[Pattern]] = [[] for _ in families]
    tagged = [(each, tag) for tag, family in enumerate(families) for each in family]
    for candidate, tag in sorted(tagged, key=lambda entry: entry[0].start):
        for other_tag, others in enumerate(active):
            if other_tag == tag and len(families) > 1:
                continue
            others[:] = [other for other in others if other.stop > candidate.start]
            for other in others:
                if other.owner != candidate.owner and _meet(other, candidate):
                    return other.owner, candidate.owner
        active[tag].append(candidate)
    return None


def _inner(whole: Pattern) -> Pattern:
    step, count = whole.axes[0]
    return Pattern(whole.start, whole.stop - step * (count - 1), whole.axes[1:], whole.owner)


def _meet(first: Pattern, second: Pattern) -> bool:
    if first.stop <= second.start or second.stop <= first.start:
        return False
    if not first.axes and not second.axes:
        return True
    if not first.axes or (second.axes and second.axes[0][0] > first.axes[0][0]):
        first, second = second, first
    step, count = first.axes[0]
    row = _inner(first)
    if second.axes and second.axes[0][0] == step:  # only the distance between two rows counts, not which rows
        other, low, high = _inner(second), -(second.axes[0][1] - 1), count - 1
    else:
        other, low, high = second, 0, count - 1
    # row + i·step reaches into other where other.start - row.stop < i·step < other.stop - row.start.
    low = max(low, (other.start - row.stop) // step + 1)
    high = min(high, -((row.start - other.stop) // step) - 1)
    if high - low >= _MAX_ROWS:
        return True
    return any(_meet(_moved(row, i * step), other) for i in range(low, high + 1))


def _moved(row: Pattern, by: int) -> Pattern:
    return Pattern(row.start + by, row.stop + by, row.axes, row.owner)


# Per axis, ascending disjoint runs of (start, count).
Product: TypeAlias = "Sequence[Sequence[tuple[int, int]]]"


def first_product_overlap(products: Sequence[tuple[Product, int]]) -> tuple[int, int] | None:
    """Return the owners of two products of runs, of different owners, that share a point, or None.

    Unlike patterns, a product of any number of runs on each of several axes is not multiplied out: two of
    them share a point if they share an index on every axis.
    """
    spans = [[(runs[0][0], sum(runs[-1])) if runs else (0, 0) for runs in product] for product, _ in products]
    for second, (product, owner) in enumerate(products):
        for first in range(second):
            other, other_owner = products[first]
            if (
                other_owner != owner
                and all(a < d and c < b for (a, b), (c, d) in zip(spans[first], spans[second], strict=True))
                and all(_share(*runs) for runs in zip(other, product, strict=True))
            ):
                return other_owner, owner
    return None


def _share(first: Sequence[tuple[int, int]], second: Sequence[tuple[int, int]]) -> bool:
    """Whether two ascending sequences of runs share an index."""
    i = j = 0
    while i < len(first) and j < len(second):
        (a, n), (b, m) = first[i], second[j]
        if max(a, b) < min(a + n, b + m):
            return True
        if a + n <= b + m:
            i += 1
        else:
            j += 1
    return False
