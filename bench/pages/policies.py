"""Knows every policy of pages and stores, and measures each beside zeroing new memory by memset.

It must not know which of them a fill chooses.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from bench.pages.native import load
from bench.pages.rounds import measured, ratio, summary

__all__ = ["measure"]

_MEMSET, _ORDINARY, _STREAMING, _CHUNKS, _ALL, _HUGE_FIRST, _HUGE_LAST, _PAGES_ONLY, _SHIPPED = range(9)
_SMALL, _HUGE = 0, 1  # pages of 4 KiB, or huge ones where the system gives them
_UNIFORM, _NORMAL = 1, 2
_KIB = 1 << 10
_HUGE_PAGE = 2 << 20


def _policies() -> dict[str, tuple[int, bool, int, int]]:
    """Return each policy's pages, whether the memory is old, its way, and the bytes of a chunk."""
    ways: dict[str, tuple[int, bool, int, int]] = {}
    for pages, kind in ((_SMALL, "4 KiB"), (_HUGE, "huge")):
        for is_warm, age in ((False, "new"), (True, "old")):
            for way, name in ((_MEMSET, "memset"), (_ORDINARY, "ordinary"), (_STREAMING, "streaming")):
                ways[f"{age}, {kind}: {name}"] = pages, is_warm, way, 0
            ways[f"{age}, {kind}: as shipped"] = pages, is_warm, _SHIPPED, 0
        ways[f"new, {kind}: pages alone, no values"] = pages, False, _PAGES_ONLY, 0
        ways[f"new, {kind}: all populated first"] = pages, False, _ALL, 0
    for chunk in (64, 128, 256, 512, 2048, 8192):
        ways[f"new, 4 KiB: populated by {chunk} KiB"] = _SMALL, False, _CHUNKS, chunk * _KIB
    ways["new, huge: populated by 2048 KiB"] = _HUGE, False, _CHUNKS, _HUGE_PAGE
    ways["new, huge: first byte touched ahead"] = _HUGE, False, _HUGE_FIRST, _HUGE_PAGE
    ways["new, huge: last byte touched ahead"] = _HUGE, False, _HUGE_LAST, _HUGE_PAGE
    ways["old, 4 KiB: populated by 128 KiB"] = _SMALL, True, _CHUNKS, 128 * _KIB
    return ways


def _task(size: int, kind: int, policy: tuple[int, bool, int, int]) -> Callable[[], float]:
    fill = load().bench_pages_fill
    pages, is_warm, way, chunk = policy
    wall = ctypes.c_double()

    def run() -> float:
        took: float = fill(size, pages, is_warm, way, chunk, kind, 1, ctypes.byref(wall))
        if took < 0.0:
            raise RuntimeError(f"a fill of {size} bytes failed")
        return took

    return run


def measure(rounds: int, size: int) -> dict[str, Any]:
    """Return every policy's times, and how much faster than memset of new memory of 4 KiB pages it is."""
    policies = _policies()
    results: dict[str, Any] = {"bytes": size, "clock": "CPU time of the one thread"}
    for law, kind in (("normal", _NORMAL), ("uniform", _UNIFORM)):
        tasks = {name: _task(size, kind, policy) for name, policy in policies.items()}
        times = measured(tasks, rounds, f"page policies, {law}")
        zeroing = times["new, 4 KiB: memset"]
        results[law] = {
            name: {**summary(own), "times_zeroing": ratio(zeroing, own)} for name, own in times.items()
        }
    return results
