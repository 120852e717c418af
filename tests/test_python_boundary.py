"""Calls made of any bytes: the right values, or a documented exception and untouched memory.

It must not know what a call may look like; `fuzz.boundary` does. FANFILL_TESTS=long makes 100,000 of them.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.boundary import boundary
from hostile.size import trials


def test_any_call_is_refused_or_right(record_property: Callable) -> None:
    examples = trials(400, 100_000)

    @settings(max_examples=examples, deadline=None)
    @given(st.binary(min_size=8, max_size=56))
    def try_call(data: bytes) -> None:
        boundary(data)

    try_call()
    record_property("inputs", examples)


def test_random_calls_are_both_refused_and_taken(record_property: Callable) -> None:
    chance = random.Random(1)
    taken = [boundary(chance.randbytes(56)) for _ in range(trials(3000, 300_000))]
    assert 0.05 < sum(taken) / len(taken) < 0.95
    record_property("inputs", len(taken))
    record_property("taken", sum(taken))
