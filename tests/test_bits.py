"""The batteries of raw words on small samples; and each test of ours sees the fault that it is there for.

It must not know how words are made; `nox -s bits` takes large samples, and dieharder beside them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bits.__main__ import own_records
from bits.dieharder import ALL, SELECTION, results
from bits.own_set import TESTS
from fanfill.random import LAYOUTS
from proof.statistic import FIXED_ALPHA, bonferroni

COUNT = 2**18
RNG = np.random.default_rng(7)
SOUND = RNG.integers(0, 2**32, COUNT, dtype=np.uint32)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_words_of_every_layout_pass(layout: str) -> None:
    records = list(own_records(layout, 20260101, COUNT))
    assert [record["check"] for record in records] == list(TESTS)
    assert [record["failed"] for record in records] == [{}] * len(TESTS)


def _one_bit_too_often() -> np.ndarray:
    return SOUND | (RNG.random(COUNT) < 0.02).astype(np.uint32) << np.uint32(9)


def _weights_that_follow() -> np.ndarray:
    words = SOUND.copy()
    words[4::8] = words[3::8]  # each eighth word is the one before it
    return words


def _lattice() -> np.ndarray:
    return (np.arange(COUNT, dtype=np.uint64) * 2654435769 % 2**32).astype(np.uint32)  # spacings repeat


def _few_words() -> np.ndarray:
    return SOUND[RNG.integers(0, COUNT // 8, COUNT)]


def _never_twice_zero() -> np.ndarray:
    words = SOUND.copy()
    twice = np.flatnonzero((words[1:] < 2**28) & (words[:-1] < 2**28)) + 1
    words[twice] |= np.uint32(2**31)
    return words


def _sums_of_words() -> np.ndarray:
    rows = SOUND.reshape(-1, 32).copy()
    rows[:, 31] = rows[:, 0] ^ rows[:, 1]
    return rows.ravel()


def _shift_register() -> np.ndarray:
    bits = np.ones(COUNT, np.uint32)
    for i in range(17, COUNT):
        bits[i] = bits[i - 17] ^ bits[i - 14]
    return SOUND & np.uint32(0xFFFFFFFE) | bits


FAULTS: dict[str, Callable[[], np.ndarray]] = {
    "balance": _one_bit_too_often,
    "runs_of_ones": _weights_that_follow,
    "birthday_spacings": _lattice,
    "collisions": _few_words,
    "gaps": _never_twice_zero,
    "ranks": _sums_of_words,
    "linear_complexity": _shift_register,
}


@pytest.mark.parametrize("name", TESTS)
def test_a_fault_is_seen_and_sound_words_pass(name: str) -> None:
    assert bonferroni(TESTS[name](SOUND)) > FIXED_ALPHA
    assert bonferroni(TESTS[name](FAULTS[name]())) < FIXED_ALPHA


REPORT = """
#=============================================================================#
        test_name   |ntup| tsamples |psamples|  p-value |Assessment
#=============================================================================#
   diehard_runs|   0|    100000|     100|0.44443141|  PASSED
   diehard_runs|   0|    100000|     100|0.99724021|   WEAK
          sts_serial|  16|    100000|     100|0.00000000|  FAILED
     rgb_lagged_sum|   3|   1000000|     100|0.00007000|   WEAK
"""


def test_the_lines_of_dieharders_report_are_read() -> None:
    found = results(REPORT)
    assert [result.name for result in found] == ["diehard_runs"] * 2 + ["sts_serial", "rgb_lagged_sum"]
    assert [result.said for result in found] == ["PASSED", "WEAK", "FAILED", "WEAK"]
    assert [result.is_bad for result in found] == [False, False, True, False]
    assert [result.is_suspicious for result in found] == [False, False, True, True]
    assert (found[2].tuple_length, found[2].samples, found[2].p) == (16, 10**7, 0.0)


def test_no_test_is_selected_twice() -> None:
    assert len(set(SELECTION)) == len(SELECTION) > 30
    assert ALL == (("-a",),)
