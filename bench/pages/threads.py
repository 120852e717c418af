"""Knows the sizes and thread counts at which a fill of old memory is timed in pairs with one thread.

It must not know how a fill shares its work out.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.pages.native import load
from bench.pages.rounds import measured_quietly, ratio, summary

__all__ = ["measure"]

_CONSTANT, _UNIFORM, _NORMAL = 0, 1, 2
_LAWS = {"normal": _NORMAL, "uniform": _UNIFORM, "constant": _CONSTANT}
_SAMPLE_BYTES = 4 << 20  # small fills are repeated until one sample has so many
_SCALING_CORES = 16


def measure(rounds: int, size: int) -> dict[str, Any]:
    """Return, per law and size, how much faster two threads are than one, and the scaling to all cores."""
    memory = np.ones(size, np.uint8)
    cores = len(os.sched_getaffinity(0))
    results: dict[str, Any] = {"clock": "wall time", "cores": cores, "two threads": {}}
    for law, kind in _LAWS.items():
        sizes = {}
        bytes_ = 4
        while bytes_ <= size:
            sizes[str(bytes_)] = _pair(memory, bytes_, kind, 2, rounds, law)
            bytes_ *= 4 if bytes_ < 1 << 16 else 2
        results["two threads"][law] = sizes
    results["scaling of a normal fill"] = {
        str(threads): _pair(memory, size, _NORMAL, threads, rounds, "scaling") for threads in _counts(cores)
    }
    if cores < _SCALING_CORES:
        results["missing"] = (
            f"scaling to {_SCALING_CORES} threads: this machine has {cores} cores; run "
            f"`python -m bench.pages threads` on one that has as many"
        )
    return results


def _counts(cores: int) -> list[int]:
    counts = [2]
    while counts[-1] * 2 <= min(cores, _SCALING_CORES):
        counts.append(counts[-1] * 2)
    return [count for count in counts if count <= cores]


def _pair(
    memory: np.ndarray[Any, Any], size: int, kind: int, threads: int, rounds: int, title: str
) -> dict[str, Any]:
    """Time one thread, several, and several without starting and sharing: what the machine itself grants."""
    module = load()
    repeat = max(1, min(2000, _SAMPLE_BYTES // size))
    address = memory.ctypes.data

    def one() -> float:
        return float(module.bench_pages_threads(address, size, kind, 1, repeat))

    def several() -> float:
        return float(module.bench_pages_threads(address, size, kind, threads, repeat))

    def ceiling() -> float:
        return float(module.bench_pages_ceiling(address, size, kind, threads, repeat))

    tasks: dict[str, Callable[[], float]] = {"one": one, "several": several}
    if size >= 1 << 20:
        tasks["ceiling"] = ceiling
    times, is_quiet = measured_quietly(tasks, rounds, f"threads, {title}, {size:,} bytes")
    found: dict[str, Any] = {"speedup": ratio(times["one"], times["several"])}
    found |= {"one": summary(times["one"]), "quiet": is_quiet}
    if "ceiling" in times:
        found["ceiling"] = ratio(times["one"], times["ceiling"])
    return found
