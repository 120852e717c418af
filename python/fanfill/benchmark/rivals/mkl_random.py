"""Knows how to draw with mkl_random, Intel MKL for NumPy's users: float64 alone.

It must not know what the values are compared with.
"""

from __future__ import annotations

from typing import Any

import mkl_random

from ..fill import Fill
from ..form import sample
from ..workload import LAWS, Workload

_GENERATORS = ("MT19937", "SFMT19937", "MCG59", "ARS5", "Philox4x32x10")
_METHODS = ("ICDF", "BoxMuller2")


def version() -> str:
    """Say the release."""
    return str(mkl_random.__version__)


def ways(workload: Workload) -> list[str]:
    """List generator and method."""
    if workload.dtype != "float64" or workload.form != "flat":
        return []
    if workload.law == "uniform":
        return list(_GENERATORS)
    if workload.law == "normal":
        return [f"{generator} {method}" for generator in _GENERATORS for method in _METHODS]
    return []


def prepare(way: str, workload: Workload, arrays: list[Any]) -> Fill:
    """Make the state; its functions return new arrays."""
    del arrays
    generator, _, method = way.partition(" ")
    state = mkl_random.RandomState(1, brng=generator)

    def make() -> Any:
        if workload.law == "uniform":
            return state.uniform(*LAWS["uniform"][1:], workload.count)
        return state.normal(0.0, 1.0, workload.count, method=method)

    def run(repeat: int) -> None:
        for _ in range(repeat):
            make()

    return Fill(run, lambda: sample([make()]))
