"""Tensors that are not contiguous, or parts of larger ones: rows of 64 values, box cuts, single columns.

It must not know how a region is filled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..form import ROW
from ..workload import Workload
from . import Match, Scale

SUMMARY = "strided rows, box cuts and single columns beside contiguous memory, one thread"
RIVALS = ("fanfill", "torch")
ONE_CPU = True
ROUNDS = 5

_PITCH = 16  # of a column


def matches(rival: str, scale: Scale) -> Iterator[Match]:
    """Compare with contiguous memory of as many values, or with a rival on the same."""
    size = max(4 * ROW, scale.size // (8 * ROW) * (4 * ROW))  # half, as the rows lie in twice as much
    column = max(4 * _PITCH, size // _PITCH // 4 * 4)
    for form, written in (("rows", size), ("box", size), ("columns", column)):
        for law in ("normal", "uniform"):
            part = Workload(law, "float32", written, form=form)
            if rival == "fanfill":
                yield Match(part, replace(part, form="flat"))
            elif form != "box":  # no other library draws a part of a larger tensor
                yield Match(part, part)
