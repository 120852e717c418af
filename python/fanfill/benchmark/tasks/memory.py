"""New memory, as users mostly have it: allocated, filled and freed, beside zeroing as much, and beside warm.

It must not know how pages are made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..workload import Workload
from . import Match, Scale

SUMMARY = "float32 into new memory and into warm, one thread"
RIVALS = ("fanfill", "memset", "numpy", "torch", "jax", "tensorflow")
ONE_CPU = True
ROUNDS = 7

_OWN = ("ff.normal", "ff.empty, fill_", "np.empty, fill_")
_WAYS = {"numpy": "SFC64", "jax": "threefry", "tensorflow": "stateless philox"}


def matches(rival: str, scale: Scale) -> Iterator[Match]:
    """Compare bytes; against memset every own way, against fanfill new memory beside warm."""
    for law in ("normal", "uniform"):
        new = Workload(law, "float32", scale.size // 8 * 8, memory="new")
        ways = [way for way in _OWN if law == "normal" or way != "ff.normal"]
        if rival == "fanfill":
            for way in ways:
                yield Match(new, replace(new, memory="warm"), "bytes", left_way=way)
        elif rival == "memset":
            for way in ways:
                yield Match(new, new, "bytes", left_way=way)
        else:
            yield Match(new, new, "bytes", left_way=ways[0], right_way=_WAYS.get(rival, ""))
