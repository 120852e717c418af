"""Knows how to time two fills in turn and what their times say about each other.

It must not know what is filled, nor what any figure ought to be.
"""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Any

from .fill import Entry, Fill

__all__ = ["MIN_ROUNDS", "Comparison", "Side", "compare", "sample_times", "side_of"]

MIN_ROUNDS = 5
_MIN_SAMPLE_S = 2e-3  # far above the clocks' own cost, below most schedulers' slice
_MAX_ROUNDS = 200
_NAP_S = 0.01
_QUIET_NAPS = 5

Times = tuple[float, float]  # seconds a fill: of CPU time, of wall time


@dataclass(frozen=True)
class Side:
    """One side's times: seconds a fill, by the clock of the comparison, and the best by wall time."""

    entry: Entry
    best_s: float
    median_s: float
    low_s: float  # quartiles
    high_s: float
    best_wall_s: float

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it; speeds are those of the median."""
        workload = self.entry.workload
        return {
            "rival": self.entry.rival,
            "way": self.entry.way,
            **asdict(workload),
            "best_s": self.best_s,
            "median_s": self.median_s,
            "low_s": self.low_s,
            "high_s": self.high_s,
            "best_wall_s": self.best_wall_s,
            "values_per_s": workload.count / self.median_s,
            "bytes_per_s": workload.size / self.median_s,
        }


@dataclass(frozen=True)
class Comparison:
    """`left` against `right`: ratios above 1 mean that left is faster, by values or by bytes per second."""

    left: Side
    right: Side
    quantity: str
    clock: str  # "cpu" or "wall"
    rounds: int
    ratio: float  # median over the rounds
    low: float  # quartiles
    high: float
    ratio_of_best: float
    load_average: float

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {**asdict(self), "left": self.left.to_dict(), "right": self.right.to_dict()}


def sample_times(fill: Fill, repeat: int, clock_kind: str = "cpu") -> Times:
    """Take seconds a fill: of CPU time, and of wall time.

    CPU time is what most ratios are made of: it leaves out the time for which another process held the core;
    where none does, the two are the same. A library that works on threads of its own is charged for all of
    the process, and for what it does after it has said that it is done.
    """
    clock = time.process_time_ns if fill.has_threads else time.thread_time_ns
    wall, cpu = time.perf_counter_ns(), clock()
    fill.run(repeat)
    wall = time.perf_counter_ns() - wall
    if fill.has_threads and clock_kind == "cpu":
        _settle()
    cpu = clock() - cpu
    return max(1, cpu) * 1e-9 / repeat, max(1, wall) * 1e-9 / repeat


def _settle() -> None:
    """Wait until the process's other threads rest: memory, for one, may be given back late."""
    quiet = 0
    while quiet < _QUIET_NAPS:
        before = time.process_time_ns()
        time.sleep(_NAP_S)
        quiet = quiet + 1 if time.process_time_ns() - before < 0.05e9 * _NAP_S else 0


def _repeats(fill: Fill) -> int:
    """Return how many fills make one sample long enough to be timed; the fill has run before."""
    took, _ = sample_times(fill, 1)
    return max(1, round(_MIN_SAMPLE_S / max(took, 1e-7)))


def side_of(entry: Entry, samples: list[Times], clock: str = "cpu") -> Side:
    """Return the side that these samples make."""
    chosen = [each[0 if clock == "cpu" else 1] for each in samples]
    low, middle, high = quantiles(chosen, n=4)
    return Side(
        entry=entry,
        best_s=min(chosen),
        median_s=middle,
        low_s=low,
        high_s=high,
        best_wall_s=min(each[1] for each in samples),
    )


def compare(
    left: tuple[Entry, Fill],
    right: tuple[Entry, Fill],
    quantity: str,
    seconds: float,
    least: int = MIN_ROUNDS,
    clock: str = "cpu",
) -> Comparison:
    """Time both sides in turn, so that drift meets both alike, for about so many seconds.

    Parameters
    ----------
    left, right : (Entry, Fill)
        What to time; both have run before.
    quantity : {"values", "bytes"}
        What the ratio counts per second.
    seconds : float
        The budget.
    least : int, optional
        So many rounds, at least 2, are made whatever they take.
    clock : {"cpu", "wall"}, optional
        Which time counts; several threads need wall time.
    """
    ours, theirs = left[0].workload, right[0].workload
    scale = ours.size / theirs.size if quantity == "bytes" else ours.count / theirs.count
    repeat = (_repeats(left[1]), _repeats(right[1]))
    samples: tuple[list[Times], list[Times]] = ([], [])
    end = time.monotonic() + seconds
    while len(samples[0]) < least or (len(samples[0]) < _MAX_ROUNDS and time.monotonic() < end):
        for at, (_, fill) in enumerate((left, right)):
            samples[at].append(sample_times(fill, repeat[at], clock))
    of = 0 if clock == "cpu" else 1
    ratios = [scale * theirs[of] / ours[of] for ours, theirs in zip(*samples, strict=True)]
    low, _, high = quantiles(ratios, n=4)
    sides = [side_of(each[0], taken, clock) for each, taken in zip((left, right), samples, strict=True)]
    return Comparison(
        left=sides[0],
        right=sides[1],
        quantity=quantity,
        clock=clock,
        rounds=len(ratios),
        ratio=median(ratios),
        low=low,
        high=high,
        ratio_of_best=scale * sides[1].best_s / sides[0].best_s,
        load_average=os.getloadavg()[0],
    )
