"""A few kills at random points; `python -m kills` makes as many as one likes and logs them."""

from __future__ import annotations

import random
from pathlib import Path

from kills.trial import complaints, reference, run_trial


def test_a_killed_run_is_resumed_to_the_files_of_an_uninterrupted_one(tmp_path: Path) -> None:
    whole = reference(tmp_path, 8)
    draws = random.Random(1)
    killed = 0
    for number in range(20):
        trial = run_trial(tmp_path / f"m{number}", whole, draws.random(), at_call=bool(number % 3))
        if trial is not None:
            killed += 1
            assert complaints(trial, whole) == []
        if killed == 5:
            return
    raise AssertionError("the child always ended before it was killed")
