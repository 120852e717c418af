"""Knows how to draw with TensorFlow's stateless functions and its Generator, compiled as a tf.function.

It must not know what the values are compared with.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ..fill import Fill
from ..form import sample
from ..workload import LAWS, Workload

_WAYS = ("stateless philox", "Generator philox")  # threefry is for XLA's devices alone


def version() -> str:
    """Say the release."""
    return str(tf.__version__)


def ways(workload: Workload) -> list[str]:
    """List the algorithms; no float8, and no truncation but ±2σ."""
    floats = ("float32", "float64", "bfloat16", "float16")
    able = workload.law in ("normal", "uniform", "truncated") and workload.dtype in floats
    return list(_WAYS) if able and workload.form == "flat" else []


def prepare(way: str, workload: Workload, arrays: list[Any]) -> Fill:
    """Trace; TensorFlow owns its tensors, so the arrays stay untouched."""
    del arrays
    dtype, shape = getattr(tf, workload.dtype), [workload.count]
    kind, algorithm = way.split()
    suffix = {"normal": "normal", "uniform": "uniform", "truncated": "truncated_normal"}[workload.law]
    generator = tf.random.Generator.from_seed(1, alg=algorithm) if kind == "Generator" else None
    seed = tf.Variable([1, 1], dtype=tf.int32)

    # Bounds, or mean and standard deviation.
    bounds = LAWS["uniform"][1:] if workload.law == "uniform" else (0.0, 1.0)

    def values() -> Any:
        if generator is not None:
            return getattr(generator, suffix)(shape, *bounds, dtype=dtype)
        return getattr(tf.random, f"stateless_{suffix}")(shape, seed, *bounds, dtype=dtype, alg=algorithm)

    draw = tf.function(values, autograph=False)

    def run(repeat: int) -> None:
        for _ in range(repeat):
            draw()

    draw()
    return Fill(run, lambda: sample([draw().numpy()]), has_threads=True)
