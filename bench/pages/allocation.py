"""Knows each way to have a new array from Python, and measures allocation and fill together.

It must not know how any of them makes its pages.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import fanfill as ff
from bench.pages.rounds import measured, ratio, summary

__all__ = ["measure"]


def _roads(count: int) -> dict[str, Callable[[], Any]]:
    roads: dict[str, Callable[[], Any]] = {
        "numpy.empty": lambda: np.empty(count, np.float32),
        "numpy.empty without huge pages": lambda: _without_huge_pages(count),
        "fanfill.empty": lambda: ff.empty(count, "float32", threads=1),
    }
    try:
        import torch

        from fanfill.torch.empty_tensor import empty
    except ImportError:
        return roads
    roads["torch.empty"] = lambda: torch.empty(count)
    roads["fanfill.torch.empty"] = lambda: empty(count, dtype=torch.float32, threads=1)
    return roads


def _without_huge_pages(count: int) -> Any:
    """As NumPy allocates where NUMPY_MADVISE_HUGEPAGE=0, or before Linux 4.6."""
    before = np._core.multiarray._set_madvise_hugepage(False)
    try:
        return np.empty(count, np.float32)
    finally:
        np._core.multiarray._set_madvise_hugepage(before)


def _task(make: Callable[[], Any]) -> Callable[[], float]:
    def run() -> float:
        gc.collect()
        begin = time.thread_time()
        out = ff.normal_(make(), std=0.02, seed=7, key=1, threads=1)
        took = time.thread_time() - begin
        del out
        return took

    return run


def measure(rounds: int, size: int) -> dict[str, Any]:
    """Return the CPU time of allocation and fill on one thread, and the ratios to ours."""
    count = size // 4
    tasks = {name: _task(make) for name, make in _roads(count).items()}
    tasks["fanfill.normal"] = _task_of_normal(count)
    times = measured(tasks, rounds, "allocation and fill")
    results: dict[str, Any] = {"bytes": size, "clock": "CPU time of the one thread", "law": "normal"}
    for name, own in times.items():
        results[name] = {**summary(own), "times_fanfill_empty": ratio(own, times["fanfill.empty"])}
    return results


def _task_of_normal(count: int) -> Callable[[], float]:
    def run() -> float:
        begin = time.thread_time()
        out = ff.normal(count, std=0.02, seed=7, threads=1)
        took = time.thread_time() - begin
        del out
        return took

    return run
