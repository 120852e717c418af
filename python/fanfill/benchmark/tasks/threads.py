"""Thread scaling: from one thread to all CPUs, in warm memory, by wall time.

It must not know how a fill is shared out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..workload import Workload
from . import Match, Scale

SUMMARY = "float32 normals on 1, 2, 4 ... threads, wall time"
RIVALS = ("fanfill", "memset", "torch")
ONE_CPU = False
ROUNDS = 9


def counts(most: int) -> list[int]:
    """Return the numbers of threads that are tried: powers of two, and all."""
    powers = [1 << at for at in range(most.bit_length()) if 1 << at < most]
    return [*powers, most]


def matches(rival: str, scale: Scale) -> Iterator[Match]:
    """Compare with oneself on one thread, or with a rival on as many."""
    one = Workload("normal", "float32", scale.size // 8 * 8)
    for threads in counts(scale.threads):
        many = replace(one, threads=threads)
        if rival != "fanfill":
            yield Match(many, many, "bytes")
        elif threads > 1:
            yield Match(many, one)
