"""Knows how to draw with JAX on the CPU: compiled, warmed, its last output donated as the next one's memory.

It must not know what the values are compared with.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import numpy as np

from ..fill import Fill
from ..form import sample
from ..workload import LAWS, Workload, numpy_dtype

_GENERATORS = {"threefry": "threefry2x32", "rbg": "rbg"}


def version() -> str:
    """Say the release."""
    return str(jax.__version__)


def ways(workload: Workload) -> list[str]:
    """List the generators; float8 and one-sided bounds are left out, which JAX draws no better."""
    if workload.dtype.startswith("float8") or workload.form != "flat" or workload.law == "words":
        return []
    return list(_GENERATORS)


def prepare(way: str, workload: Workload, arrays: list[Any]) -> Fill:
    """Compile; JAX owns its arrays, so those passed stay untouched."""
    del arrays
    jax.config.update("jax_enable_x64", workload.dtype == "float64")
    _, low, high = LAWS[workload.law]
    dtype, shape = numpy_dtype(workload.dtype), (workload.count,)

    def values_of(key: Any) -> Any:
        if workload.law == "normal":
            return jax.random.normal(key, shape, dtype)
        if workload.law == "uniform":
            return jax.random.uniform(key, shape, dtype, low, high)
        return jax.random.truncated_normal(key, low, high, shape, dtype)

    @partial(jax.jit, donate_argnums=1, keep_unused=True)
    def redraw(key: Any, old: Any) -> Any:
        del old  # same shape and dtype as the output, which takes its memory
        return values_of(key)

    key = jax.random.key(1, impl=_GENERATORS[way])
    if workload.memory == "new":
        return _new(jax.jit(values_of), key)
    array = redraw(key, jax.numpy.zeros(shape, dtype)).block_until_ready()

    def run(repeat: int) -> None:
        nonlocal array
        for _ in range(repeat):
            array = redraw(key, array).block_until_ready()

    return Fill(run, lambda: sample([np.asarray(array)]), has_threads=True)


def _new(draw: Any, key: Any) -> Fill:
    draw(key).block_until_ready()

    def run(repeat: int) -> None:
        for _ in range(repeat):
            draw(key).block_until_ready()

    return Fill(run, lambda: sample([np.asarray(draw(key))]), has_threads=True)
