"""Knows of which arrays a workload's memory consists: one, rows cut from wider ones, many small, a model's.

It must not know who fills them, nor how long that takes.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from .. import models
from ..region import Region
from .workload import DTYPES, Workload, numpy_dtype

__all__ = ["MODELS", "ROW", "SMALL", "arrays", "memory_bytes", "model_bytes", "region", "sample"]

ROW = 64  # values
SMALL = 1000  # values of each of many tensors
_BOX_WIDTH = 4096  # of the tensor from which a box is cut
# Form: the values of memory from one row to the next, and the values of a row.
_STRIDED = {"rows": (2 * ROW, ROW), "columns": (16, 1)}
MODELS = {"gpt2-xl": "float32", "llama-3.2-1b": "bfloat16"}
_SAMPLE = 1 << 21

Array = np.ndarray[Any, np.dtype[Any]]


def memory_bytes(workload: Workload) -> int:
    """Return the bytes of memory in which the workload's values lie."""
    pitch, row = _STRIDED.get(workload.form, (1, 1))
    return workload.size * pitch // row


def model_bytes(name: str) -> int:
    """Return the bytes of a model's values in the element type in which it is measured."""
    return models.find(name).numel * DTYPES[MODELS[name]]


def arrays(workload: Workload, memory: Array) -> list[Array]:
    """Return the arrays that are to be filled.

    Parameters
    ----------
    workload : Workload
    memory : ndarray
        uint8, shape (n,), n at least `memory_bytes`.
    """
    flat = memory[: memory_bytes(workload)].view(numpy_dtype(workload.dtype))
    if workload.form in _STRIDED:
        pitch, row = _STRIDED[workload.form]
        return [flat.reshape(-1, pitch)[:, :row]]
    if workload.form == "box":
        return [flat.reshape(-1, ROW)]
    if workload.form == "tensors":
        return list(flat.reshape(-1, SMALL))
    if workload.form in MODELS:
        ends = np.cumsum([math.prod(shape) for shape in _shapes(workload.form, workload.count)])
        return [flat[end - n : end] for end, n in zip(ends, np.diff(ends, prepend=0), strict=True)]
    return [flat]


def region(workload: Workload) -> Region | None:
    """Return which part of a larger tensor the array is, or None where it is all of one."""
    if workload.form != "box":
        return None
    rows = workload.count // ROW
    return Region.box((rows, _BOX_WIDTH), (0, _BOX_WIDTH // 2), (rows, ROW))


@cache
def _shapes(name: str, count: int) -> list[tuple[int, ...]]:
    """Return a model's shapes, from the first on as far as `count` values go."""
    left, shapes = count, []
    for parameter in models.find(name).parameters:
        taken = min(left, math.prod(parameter.shape))
        if taken:
            shapes.append(parameter.shape if taken == math.prod(parameter.shape) else (taken,))
        left -= taken
    return shapes


def sample(filled: list[Array]) -> Array:
    """Return values of the arrays, at most some 2^21 in all: the first, the last and evenly spread ones."""
    if len(filled) > 1:
        each = max(1, _SAMPLE // len(filled))
        return np.concatenate([array.ravel()[:each] for array in filled])
    flat = filled[0].reshape(-1)  # of strided arrays a copy
    if flat.size <= _SAMPLE:
        return flat
    part = _SAMPLE // 4
    return np.concatenate([flat[:part], flat[-part:], flat[:: max(1, flat.size // (2 * part))]])
