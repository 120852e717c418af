"""Every law and element type in warm memory: beside memset, among themselves, and beside each library.

It must not know how any library makes its values.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..rivals import RIVALS as _ALL
from ..workload import DTYPES, LAWS, Workload
from . import Match, Scale

SUMMARY = "laws and element types in warm memory, one thread"
RIVALS = tuple(_ALL)
ONE_CPU = True
ROUNDS = 5

_FLOATS = tuple(name for name in DTYPES if name != "uint32")
# Every law in float32, every element type of the normal and the uniform.
_OWN = tuple(
    (law, dtype)
    for law in LAWS
    for dtype in _FLOATS
    if law != "words" and (dtype == "float32" or law in ("normal", "uniform"))
)
# What the other libraries are asked for.
_ASKED = (
    ("normal", "float32"),
    ("uniform", "float32"),
    ("truncated", "float32"),
    ("normal", "bfloat16"),
    ("normal", "float64"),
    ("uniform", "float64"),
)


def matches(rival: str, scale: Scale) -> Iterator[Match]:
    """Against memset bytes count; against itself, laws beside the normal, types beside float32."""
    work = {pair: Workload(*pair, scale.size // 8 * 8) for pair in _OWN}
    if rival == "memset":
        for one in work.values():
            yield Match(one, work["normal", "float32"], "bytes")
    elif rival == "fanfill":
        for (law, dtype), one in work.items():
            reference = ("normal" if dtype == "float32" else law, "float32")
            if (law, dtype) != reference:
                yield Match(one, work[reference])
    else:
        for pair in _ASKED:
            yield Match(work[pair], work[pair])
