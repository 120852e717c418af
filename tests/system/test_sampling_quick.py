"""The sampling tests on samples of 10^8: fixed seeds, so that what holds once holds always.

It must not know what the tests are; `nox -s stats` runs samples of 10^9 and 10^10.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from stats.counter import Counter

pytestmark = pytest.mark.system

SAMPLES = 10**8
WORDS = 20_000  # of which every bit of seed, key and block number is changed in turn
FIXED_BASE = 20260101
GROUPS = ("buckets", "distribution", "moments", "tails", "streams")


@pytest.fixture(scope="session")
def counter(cpp_build: Callable) -> Counter:
    from proof.cpp_target import built
    from stats.counter import NAME, Counter

    return Counter(Path(built(cpp_build("release").folder, NAME)))


@pytest.mark.parametrize("group", GROUPS)
def test_samples_are_what_they_should_be(group: str, counter: Counter) -> None:
    from stats.battery import batteries, record

    assert tuple(batteries()) == GROUPS
    for battery in batteries()[group]:
        size = WORDS if battery.law == "words" else SAMPLES
        found = record(counter, battery, size / battery.count, FIXED_BASE, nightly=False)
        assert (found["failed"], found["inputs"]) == ({}, size)


def test_statistics_are_those_of_the_literature() -> None:
    from proof.statistic import anderson_upper, poisson

    assert anderson_upper(2.492) == pytest.approx(0.05, abs=2e-4)
    assert anderson_upper(3.878) == pytest.approx(0.01, abs=1e-4)
    assert poisson("", 10, 10.0).upper == pytest.approx(0.54207, abs=1e-5)
    assert poisson("", 10, 10.0).lower == pytest.approx(0.58304, abs=1e-5)


def test_statistics_see_a_sample_that_is_off_and_one_that_is_too_even() -> None:
    from proof.statistic import chi_square, kolmogorov

    rng = np.random.default_rng(1)
    even = np.full(1024, 1000.0)
    honest = rng.poisson(1000, 1024)
    assert chi_square("", honest, even).p > 1e-3
    assert chi_square("", honest + 100 * (np.arange(1024) < 512), even + 50).p < 1e-9
    assert chi_square("", even, even).p < 1e-9
    assert kolmogorov("", honest).p > 1e-3
    assert kolmogorov("", honest + 30 * (np.arange(1024) < 512)).p < 1e-9
