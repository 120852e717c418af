"""Knows how to draw with NumPy's Generator over each of its fast bit generators.

It must not know what the values are compared with.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..fill import Fill
from ..form import sample
from ..workload import LAWS, Workload, numpy_dtype

_BIT_GENERATORS = ("SFC64", "PCG64", "PCG64DXSM", "Philox")
_WORDS = ("SFC64", "Philox")


def version() -> str:
    """Say the release."""
    return str(np.__version__)


def ways(workload: Workload) -> list[str]:
    """List the bit generators: normals and uniforms in float32 and float64, raw words."""
    if workload.law == "words":
        return list(_WORDS)
    able = workload.dtype in ("float32", "float64") and workload.law in ("normal", "uniform")
    return list(_BIT_GENERATORS) if able and workload.form not in ("rows", "columns", "init") else []


def prepare(way: str, workload: Workload, arrays: list[Any]) -> Fill:
    """Make ready to draw in place, which spares NumPy a new array."""
    return prepare_generator(np.random.Generator(getattr(np.random, way)(1)), workload, arrays)


def prepare_generator(generator: np.random.Generator, workload: Workload, arrays: list[Any]) -> Fill:
    """Make ready to draw with any Generator."""
    dtype: Any = numpy_dtype(workload.dtype).type
    draw: Any = generator.standard_normal if workload.law == "normal" else generator.random

    def moved(out: Any) -> Any:
        # `uniform` has neither float32 nor `out`, and `random` is on [0, 1).
        if workload.law == "uniform":
            _, low, high = LAWS["uniform"]
            out *= dtype(high - low)
            out += dtype(low)
        return out

    def make() -> Any:
        if workload.law == "words":
            return generator.integers(0, 1 << 32, workload.count, dtype=dtype)
        return moved(draw(workload.count, dtype=dtype))

    def run_new(repeat: int) -> None:
        for _ in range(repeat):
            make()

    def run(repeat: int) -> None:
        for _ in range(repeat):
            for out in arrays:
                moved(draw(out=out, dtype=dtype))

    if workload.memory == "new" or workload.law == "words":  # `integers` has no `out`
        return Fill(run_new, lambda: sample([make()]))
    return Fill(run, lambda: sample(arrays))
