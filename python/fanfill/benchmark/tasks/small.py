"""Small tensors: one of a thousand values, and as many of them as a large mixture-of-experts model has.

It must not know what a call costs.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..form import SMALL
from ..workload import Workload
from . import Match, Scale

SUMMARY = "one tensor of 1,000 values, and 45,395 of them"
RIVALS = ("numpy", "torch")
ONE_CPU = True
ROUNDS = 5

_TENSORS = 45_395  # of DeepSeek-V3
_WAYS = {"numpy": "SFC64"}


def matches(rival: str, scale: Scale) -> Iterator[Match]:
    """Compare the time of a call, and that of many."""
    each = 4 * SMALL
    count = max(1, min(_TENSORS, scale.size // each))
    for work in (
        Workload("normal", "float32", each),
        Workload("normal", "float32", count * each, form="tensors"),
    ):
        yield Match(work, work, right_way=_WAYS.get(rival, ""))
    if rival == "torch":  # the functions that modules call
        init = Workload("normal", "float32", each, form="init")
        yield Match(init, init)
