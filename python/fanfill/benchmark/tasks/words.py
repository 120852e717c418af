"""Raw words: fanfill's bit generator under NumPy's Generator, and its words in bulk, beside NumPy's own.

It must not know any law.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..workload import CACHE_BYTES, Workload
from . import Match, Scale

SUMMARY = "raw 32-bit words of Philox4x32 beside NumPy's Philox and SFC64"
RIVALS = ("numpy",)
ONE_CPU = True
ROUNDS = 5


def matches(rival: str, scale: Scale) -> Iterator[Match]:
    """Compare words per second, in memory that stays in cache."""
    del rival
    work = Workload("words", "uint32", min(CACHE_BYTES, scale.size) // 4 * 4)
    for way in ("Philox4x32 in a Generator", "random.words"):
        yield Match(work, work, left_way=way)
