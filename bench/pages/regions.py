"""Knows the parts of matrices whose fills are timed beside that of a contiguous tensor of as many values.

It must not know how a fill walks them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bench.pages.native import load
from bench.pages.rounds import measured, ratio, summary

__all__ = ["measure"]

_VALUES = 1 << 20
_ITEM = 4
_NORMAL = 2
# Name: width of a row -> (first and next row, bytes; one value and the next, bytes; columns of the tensor).
_KINDS: dict[str, Callable[[int], tuple[int, int, int]]] = {
    "cut from a larger tensor, own memory": lambda width: (width * _ITEM, _ITEM, 2 * width + 5),
    "view of a larger tensor": lambda width: ((2 * width + 5) * _ITEM, _ITEM, 2 * width + 5),
    "every second value": lambda width: (2 * width * _ITEM, 2 * _ITEM, width),
}
_WIDTHS = (1, 2, 3, 4, 8, 16, 31, 64, 100, 128, 256, 512, 1000, 2000)


def measure(rounds: int, size: int) -> dict[str, Any]:
    """Return nanoseconds a value and the share of the contiguous speed, for rows of every kind and width."""
    memory = np.ones(max(size, 8 * _VALUES * _ITEM), np.uint8)
    address = memory.ctypes.data
    module = load()
    tasks: dict[str, Callable[[], float]] = {}
    counts: dict[str, int] = {}

    def add(name: str, rows: int, width: int, layout: tuple[int, int, int]) -> None:
        row_step, step, columns = layout
        if max(rows * row_step, width * step) > memory.nbytes:
            return
        counts[name] = rows * width
        tasks[name] = lambda: (
            module.bench_pages_region(address, rows, width, row_step, step, columns, _NORMAL) / (rows * width)
        )

    add("contiguous", 1, _VALUES, (0, _ITEM, _VALUES))
    for kind, layout in _KINDS.items():
        for width in _WIDTHS:
            add(f"{kind}, rows of {width}", _VALUES // width, width, layout(width))
    for side in (1000, 1024, 4000):
        add(f"transposed matrix of {side}", side, side, (_ITEM, side * _ITEM, side))
    rows, columns = 1 << 14, 4096
    if rows * columns * _ITEM <= memory.nbytes:
        add(f"column of a {rows} x {columns} matrix", rows, 1, (columns * _ITEM, _ITEM, columns))
        tasks["bare stores to that column"] = lambda: (
            module.bench_pages_stores(address, rows, 1, columns * _ITEM, _ITEM) / rows
        )
    times = measured(tasks, rounds, "regions")
    results: dict[str, Any] = {"clock": "CPU time a value", "law": "normal", "dtype": "float32"}
    for name, own in times.items():
        results[name] = {**summary(own), "of_contiguous": ratio(times["contiguous"], own)}
    return results
