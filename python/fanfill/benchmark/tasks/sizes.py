"""Normals from a thousand values to a billion, as far as memory allows.

It must not know how any library makes its values.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..workload import Workload
from . import Match, Scale

SUMMARY = "float32 normals, 1e3 to 1e9 values as memory allows, one thread"
RIVALS = ("memset", "numpy", "torch", "jax")
ONE_CPU = True
ROUNDS = 5

_WAYS = {"numpy": "SFC64", "jax": "threefry"}


def matches(rival: str, scale: Scale) -> Iterator[Match]:
    """Compare bytes, as memset draws no values."""
    for power in range(3, 10):
        work = Workload("normal", "float32", 4 * 10**power)
        # JAX works in several times the memory of its output.
        if work.size <= scale.most // (4 if rival == "jax" and power > 5 else 1):
            yield Match(work, work, "bytes", right_way=_WAYS.get(rival, ""))
