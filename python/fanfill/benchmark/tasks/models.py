"""Whole models' shapes, each parameter an array of normals in the element type that is published.

It must not know recipes: the law of every parameter is the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..form import MODELS, model_bytes
from ..workload import DTYPES, Workload
from . import Match, Scale

SUMMARY = f"the shapes of {' and '.join(MODELS)}, as far as memory allows, all threads"
RIVALS = ("memset", "numpy", "torch")
ONE_CPU = False
ROUNDS = 3

_WAYS = {"numpy": "SFC64"}


def matches(rival: str, scale: Scale) -> Iterator[Match]:
    """Compare bytes; where the memory is too small, the model's first parameters."""
    for name, dtype in MODELS.items():
        itemsize = DTYPES[dtype]
        size = min(model_bytes(name), scale.most // itemsize * itemsize)
        work = Workload("normal", dtype, size, form=name, threads=scale.threads)
        theirs = replace(work, threads=1) if rival == "numpy" else work  # which has no threads
        yield Match(work, theirs, "bytes", right_way=_WAYS.get(rival, ""))
