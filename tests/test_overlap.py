"""The search for overlaps: equal to comparing sets, and quick for very many."""

from __future__ import annotations

import itertools
import time

from hypothesis import given
from hypothesis import strategies as st

from fanfill.overlap import Pattern, first_overlap, first_product_overlap, pattern


def members(each: Pattern) -> set[int]:
    """Return the integers of a pattern, by walking it."""
    steps = [range(0, step * count, step) for step, count in each.axes]
    span = each.stop - each.start - sum(step * (count - 1) for step, count in each.axes)
    starts = [each.start + sum(offsets) for offsets in itertools.product(*steps)]
    return {start + i for start in starts for i in range(span)}


@st.composite
def strided(draw: st.DrawFn) -> tuple[int, int, list[tuple[int, int]]]:
    """Draw what a slice of a tensor looks like: each step at least the span of the axes inside it."""
    width = draw(st.sampled_from([1, 2, 4]))
    axes: list[tuple[int, int]] = []
    span = width
    for _ in range(draw(st.integers(0, 3))):
        count = draw(st.integers(1, 4))
        step = span + draw(st.integers(0, 12))
        axes.append((step * draw(st.sampled_from([1, -1])), count))
        span += step * (count - 1)
    return draw(st.integers(200, 300)), width, axes


def walked(start: int, width: int, axes: list[tuple[int, int]]) -> set[int]:
    offsets = itertools.product(*([step * i for i in range(count)] for step, count in axes))
    return {start + sum(offset) + i for offset in offsets for i in range(width)}


@given(strided())
def test_a_pattern_is_what_its_axes_walk(drawn: tuple[int, int, list[tuple[int, int]]]) -> None:
    start, width, axes = drawn
    assert members(pattern(start, width, axes, 0)) == walked(start, width, axes)


@given(st.lists(strided(), min_size=2, max_size=5))
def test_an_overlap_is_found_exactly_where_sets_intersect(drawn: list) -> None:
    sets = [walked(*each) for each in drawn]
    overlapping = {(i, j) for i, j in itertools.combinations(range(len(sets)), 2) if sets[i] & sets[j]}
    found = first_overlap([pattern(*each, owner) for owner, each in enumerate(drawn)])
    assert tuple(sorted(found)) in overlapping if overlapping else found is None


def test_patterns_of_one_owner_are_not_compared() -> None:
    assert first_overlap([pattern(0, 4, [], 0), pattern(2, 4, [], 0)]) is None


def test_columns_of_one_matrix_do_not_overlap() -> None:
    assert first_overlap([pattern(4 * i, 4, [(400, 50)], i) for i in range(100)]) is None


def test_a_column_that_overlaps_among_columns_is_found() -> None:
    columns = [pattern(4 * i, 4, [(400, 50)], i) for i in range(100)]
    assert first_overlap([*columns, pattern(42, 1, [(400, 7)], 100)]) == (10, 100)


def test_very_many_are_searched_without_comparing_all_pairs() -> None:
    count = 45_000
    separate = [pattern(64 * i, 64, [], i) for i in range(count)]
    columns = [pattern(4 * i, 4, [(4 * count, 9)], i) for i in range(count)]
    uneven = [*columns[1:], pattern(0, 4, [(4 * count, 8)], 0)]
    began = time.perf_counter()
    for patterns in (separate, columns, uneven):
        assert first_overlap(patterns) is None
    # All pairs would take more than ten minutes, this takes half a second.
    assert time.perf_counter() - began < 20


runs = st.lists(st.integers(1, 4), max_size=6).map(
    lambda steps: [
        (start, steps[i + 1])
        for i, start in enumerate(itertools.accumulate(steps))
        if i % 2 == 0 and i + 1 < len(steps)
    ]
)


@given(st.lists(st.tuples(runs, runs), min_size=2, max_size=4))
def test_a_shared_point_of_products_is_found_exactly_where_sets_intersect(drawn: list) -> None:
    sets = [
        set(
            itertools.product(
                *({i for start, count in axis for i in range(start, start + count)} for axis in each)
            )
        )
        for each in drawn
    ]
    overlapping = {(i, j) for i, j in itertools.combinations(range(len(sets)), 2) if sets[i] & sets[j]}
    found = first_product_overlap([(each, owner) for owner, each in enumerate(drawn)])
    assert found in overlapping if overlapping else found is None


def test_products_of_one_owner_are_not_compared() -> None:
    assert first_product_overlap([([[(0, 4)]], 0), ([[(2, 4)]], 0)]) is None


def test_very_many_runs_on_two_axes_are_not_multiplied_out() -> None:
    even = [(i, 1) for i in range(0, 200_000, 2)]
    odd = [(i, 1) for i in range(1, 200_000, 2)]
    began = time.perf_counter()
    assert first_product_overlap([([even, even], 0), ([even, odd], 1)]) is None
    assert first_product_overlap(
        [([even, even], 0), ([even, [*odd, (200_000, 1)]], 1), ([even, even[-1:]], 2)]
    ) == (0, 2)
    # The product of the runs would be 10^10 patterns.
    assert time.perf_counter() - began < 20
