"""Knows how to draw with Keras' initializers, as a layer calls them, on whichever backend is set.

It must not know what the values are compared with.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from ..fill import Fill
from ..form import sample
from ..workload import LAWS, Workload, numpy_dtype

_NAMES = {"normal": "RandomNormal", "uniform": "RandomUniform", "truncated": "TruncatedNormal"}


def version() -> str:
    """Say the release and the backend's."""
    name = keras.backend.backend()
    backend: Any = __import__(name)
    return f"{keras.__version__} on {name} {backend.__version__}"


def ways(workload: Workload) -> list[str]:
    """Name the initializer of the law; Keras has none for other truncations."""
    floats = ("float32", "float64", "bfloat16", "float16")
    able = workload.law in _NAMES and workload.dtype in floats and workload.form == "flat"
    return [_NAMES[workload.law]] if able else []


def prepare(way: str, workload: Workload, arrays: list[Any]) -> Fill:
    """Make the initializer; Keras owns its tensors, so the arrays stay untouched."""
    del arrays
    # Bounds, or mean and standard deviation.
    bounds = LAWS["uniform"][1:] if workload.law == "uniform" else (0.0, 1.0)
    if keras.backend.backend() == "torch":
        __import__("torch").set_num_threads(workload.threads)
    initializer = getattr(keras.initializers, way)(*bounds, seed=1)
    shape = (workload.count,)

    def make() -> Any:
        tensor = initializer(shape, workload.dtype)
        return tensor.block_until_ready() if hasattr(tensor, "block_until_ready") else tensor

    def values() -> Any:
        tensor = make()
        if workload.dtype == "bfloat16" and keras.backend.backend() == "torch":
            tensor = tensor.float()  # which NumPy has
        return sample([np.asarray(keras.ops.convert_to_numpy(tensor)).astype(numpy_dtype(workload.dtype))])

    def run(repeat: int) -> None:
        for _ in range(repeat):
            make()

    make()
    return Fill(run, values, has_threads=True)
