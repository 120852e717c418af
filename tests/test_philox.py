"""Philox4x32-10: the published answers, on every instruction set where an element's word can be one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from oracle import core
from oracle.philox import philox, words

VECTORS = [
    [int(number, 16) for number in line.split()]
    for line in (Path(__file__).parent / "vectors" / "philox4x32_10.txt").read_text().splitlines()
    if not line.startswith("#")
]


def joined(low: int, high: int) -> int:
    return high << 32 | low


# The two top bits of the block are the domain: 0 for elements.
REACHABLE = [vector for vector in VECTORS if vector[1] >> 30 == 0]


@pytest.mark.parametrize("vector", VECTORS)
def test_the_oracle_gives_the_known_answers(vector: list[int]) -> None:
    counter = [np.array([word], np.uint64) for word in vector[:4]]
    assert [int(word[0]) for word in philox(counter, (vector[4], vector[5]))] == vector[6:]


@pytest.mark.parametrize("isa", core.ISAS)
@pytest.mark.parametrize("vector", REACHABLE)
def test_the_core_gives_the_known_answers(vector: list[int], isa: str) -> None:
    c0, c1, c2, c3, k0, k1, *answer = vector
    found = core.raw_words(isa, joined(k0, k1), joined(c2, c3), 4 * joined(c0, c1), 4)
    assert found.tolist() == answer


@pytest.mark.parametrize("isa", core.ISAS)
@pytest.mark.parametrize("place", [0, 1, 7, 15, 31])
def test_the_carry_is_right_wherever_it_falls_in_a_group(place: int, isa: str) -> None:
    answers = {tuple(vector[:2]): vector[6:] for vector in VECTORS if not any(vector[2:6])}
    before, after = answers[2**32 - 1, 0], answers[0, 1]
    found = core.raw_words(isa, 0, 0, 4 * (2**32 - 1 - place), 4 * (place + 40))
    assert found[4 * place :][:8].tolist() == before + after


def test_the_default_engine_of_cpp26_gives_its_10000th_value() -> None:
    # ISO C++26, [rand.predef]: philox4x32, whose default seed is 20111115.
    assert words(20111115, 0, 9999) == 1955073260
    for isa in core.ISAS:
        assert core.raw_words(isa, 20111115, 0, 9999, 1).tolist() == [1955073260]


def test_the_vectors_reach_the_core() -> None:
    assert (len(VECTORS), len(REACHABLE)) == (8, 4)
