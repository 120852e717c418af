"""Regions of very many runs: fused laws and many jobs over them take time in proportion to the runs."""

from __future__ import annotations

import time

import numpy as np
import pytest

import fanfill as ff
from fanfill.fused_law import FusedLaw

RUNS = 120_000


def every_other(first: int) -> list[tuple[int, int]]:
    return [(i, i + 1) for i in range(first, 2 * RUNS, 2)]


def within_seconds(began: float) -> None:
    """What grows with the square of the runs takes hours, and what this takes is a second."""
    assert time.perf_counter() - began < 30


@pytest.mark.parametrize("axis", [0, 1])
def test_a_fused_law_over_single_rows_or_columns(axis: int) -> None:
    began = time.perf_counter()
    shape = (2 * RUNS, 2) if axis == 0 else (2, 2 * RUNS)
    runs = [every_other(1), [(0, 2)]]
    region = ff.Region(shape, runs if axis == 0 else runs[::-1])
    parts = RUNS // 30  # nearly all of them with runs of their own
    sizes = [2 * RUNS // parts] * parts
    laws = tuple(ff.Normal(std=1.0 + number) for number in range(parts))
    out = np.zeros(region.local_shape, np.float32)
    ff.fill_many_([ff.Job(out, FusedLaw(laws, axis, tuple(sizes)), "w", region)], seed=7)
    whole = ff.normal(shape, seed=7, key="w")[
        tuple(slice(None) if a != axis else slice(1, None, 2) for a in (0, 1))
    ]
    scales = np.repeat(np.arange(1.0, parts + 1.0, dtype=np.float32), sizes[0] // 2)
    expected = whole * (scales[:, None] if axis == 0 else scales)
    np.testing.assert_allclose(out, expected, rtol=3e-7)
    within_seconds(began)


def test_two_shards_of_one_tensor() -> None:
    began = time.perf_counter()
    shape = (2 * RUNS, 2 * RUNS)
    few = [(0, 1), (5, 6)]
    evens = ff.Region(shape, [few, every_other(0)])
    odds = ff.Region(shape, [few, every_other(1)])
    jobs = [ff.Job(np.zeros(part.local_shape, np.float32), ff.Normal(), "w", part) for part in (evens, odds)]
    ff.fill_many_(jobs, seed=7)
    again = ff.Region(shape, [[(5, 6)], [(2 * RUNS - 2, 2 * RUNS - 1)]])
    clash = ff.Job(np.zeros((1, 1), np.float32), ff.Normal(), "w", again)
    with pytest.raises(
        ValueError, match=r"jobs\[0\].key and jobs\[2\].key name one stream and their regions overlap"
    ):
        ff.fill_many_([*jobs, clash], seed=7)
    within_seconds(began)


def test_runs_on_two_axes_are_not_multiplied_out() -> None:
    began = time.perf_counter()
    shape = (2 * RUNS, 2 * RUNS)
    rows, columns = every_other(0)[:300], every_other(0)[:300]
    first = ff.Region(shape, [rows, columns])
    second = ff.Region(shape, [rows, every_other(1)[:300]])
    jobs = [
        ff.Job(np.zeros(part.local_shape, np.float32), ff.Normal(), "w", part) for part in (first, second)
    ]
    ff.fill_many_(jobs, seed=7)
    within_seconds(began)
