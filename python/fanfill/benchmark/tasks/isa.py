"""Every instruction set that this machine runs, against memset: in warm memory, and in cache.

It must not know what an instruction set has.
"""

from __future__ import annotations

from collections.abc import Iterator

from ... import _core
from ..workload import CACHE_BYTES, Workload
from . import Match, Scale

SUMMARY = "instruction sets, in warm memory and in cache, one thread"
RIVALS = ("memset",)
ONE_CPU = True
ROUNDS = 5


def matches(rival: str, scale: Scale) -> Iterator[Match]:
    """Compare bytes per second."""
    del rival
    for isa, is_supported in _core.isas():
        for size in dict.fromkeys((scale.size // 8 * 8, min(CACHE_BYTES, scale.size // 8 * 8))):
            for law in ("normal", "uniform"):
                work = Workload(law, "float32", size)
                if is_supported:
                    yield Match(work, Workload("normal", "float32", size), "bytes", left_way=isa)
