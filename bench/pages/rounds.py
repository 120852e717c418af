"""Knows how to measure several things in turn, in an order that changes, and what their times say.

It must not know what is measured.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median, quantiles
from typing import Any, TypeAlias

__all__ = ["measured", "measured_quietly", "ratio", "summary"]

Tasks: TypeAlias = Mapping[str, Callable[[], float]]
Times: TypeAlias = dict[str, list[float]]

_BATCH_S = 0.12  # the system counts its CPUs' time in hundredths of a second
_OTHERS = 0.04  # of one CPU
_PATIENCE = 40  # batches for every four rounds that are asked for
_random = random.Random(7)


def measured(tasks: Tasks, rounds: int, title: str) -> Times:
    """Return the seconds that each task took in each round; within a round the order is drawn anew."""
    times: Times = {name: [] for name in tasks}
    order = _warmed_up(tasks)
    for number in range(rounds):
        _show(title, number, rounds)
        _add(times, _batch(tasks, order, 0.0)[0])
    return times


def measured_quietly(tasks: Tasks, rounds: int, title: str) -> tuple[Times, bool]:
    """Return the same of rounds during which others took less than a twenty-fifth of a CPU, and whether so.

    Wall times of several threads say nothing otherwise. Where such rounds can't be had in time, the disturbed
    ones are returned too, and False.
    """
    quiet: Times = {name: [] for name in tasks}
    disturbed: Times = {name: [] for name in tasks}
    order = _warmed_up(tasks)
    for _ in range(_PATIENCE * max(1, rounds // 4)):
        done = len(quiet[order[0]])
        _show(title, done, rounds)
        if done >= rounds:
            return quiet, True
        batch, others = _batch(tasks, order, _BATCH_S)
        _add(quiet if others < _OTHERS else disturbed, batch)
    _add(quiet, disturbed)
    return quiet, False


def _warmed_up(tasks: Tasks) -> list[str]:
    for task in tasks.values():
        task()  # what is loaded once
    return list(tasks)


def _add(times: Times, more: Times) -> None:
    for name, own in more.items():
        times[name] += own


def _show(title: str, done: int, rounds: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{title}: round {done} of {rounds}\x1b[K", end="", file=sys.stderr, flush=True)


def _batch(tasks: Tasks, order: list[str], seconds: float) -> tuple[Times, float]:
    """Return the times of at least one round, and the CPUs that others took meanwhile."""
    times: Times = {name: [] for name in order}
    busy, own, begin = _busy_s(), time.process_time(), time.perf_counter()
    while True:
        _random.shuffle(order)
        for name in order:
            times[name].append(tasks[name]())
        took = time.perf_counter() - begin
        if took >= seconds:
            return times, (_busy_s() - busy - (time.process_time() - own)) / took


def _busy_s() -> float:
    """Return the seconds for which the CPUs have been busy since the system's start."""
    fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]
    user, nice, system, _idle, _waiting, interrupts, soft_interrupts, steal = map(int, fields)
    ticks = user + nice + system + interrupts + soft_interrupts + steal
    return ticks / os.sysconf("SC_CLK_TCK")


def summary(times: list[float]) -> dict[str, float]:
    """Return the best, the median and the quartiles of seconds."""
    low, middle, high = quantiles(times, n=4)
    return {"best_s": min(times), "median_s": middle, "low_s": low, "high_s": high}


def ratio(over: list[float], under: list[float]) -> dict[str, Any]:
    """Return how often `under` goes into `over`: median and quartiles over the rounds, and of the best."""
    each = [a / b for a, b in zip(over, under, strict=True)]
    low, _, high = quantiles(each, n=4)
    return {
        "ratio": median(each),
        "low": low,
        "high": high,
        "ratio_of_best": min(over) / min(under),
        "rounds": len(each),
    }
