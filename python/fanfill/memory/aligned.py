"""Knows how to allocate an array that other libraries take over without a copy: aligned to 64 bytes.

It must not know laws, keys or fans.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtype import DTypeLike, as_dtype
from ..region import as_shape

__all__ = ["aligned_bytes", "aligned_empty"]

_ALIGNMENT = 64  # a cache line, and what JAX asks of memory that it is to share


def aligned_empty(shape: int | Sequence[int], dtype: DTypeLike = "float32") -> np.ndarray[Any, Any]:
    """Return a new, unwritten, C-contiguous array whose first element lies at a multiple of 64 bytes.

    Parameters
    ----------
    shape : int or sequence of int
    dtype : str, numpy.dtype, type or torch.dtype, optional
        bfloat16 and the float8 types need ml_dtypes.

    Raises
    ------
    ImportError
        If the element type needs ml_dtypes and that is not installed.
    MemoryError
        If there is not enough memory.
    """
    extents = as_shape(shape)
    element = as_dtype(dtype).numpy_dtype()
    memory = aligned_bytes(math.prod(extents) * element.itemsize, f"shape: {extents} of {element}")
    return memory.view(element).reshape(extents)


def aligned_bytes(nbytes: int, what: str) -> np.ndarray[Any, Any]:
    """Return so many new bytes, aligned; `what` they are for is named where they cannot be had."""
    try:
        memory = np.empty(nbytes + _ALIGNMENT, np.uint8)
    except (MemoryError, ValueError) as error:
        raise MemoryError(f"{what} needs {nbytes:,} bytes, which cannot be had") from error
    start = -memory.ctypes.data % _ALIGNMENT
    # A slice of no bytes would lie anywhere.
    aligned: np.ndarray[Any, Any] = np.ndarray(nbytes, np.uint8, memory.data, start)
    return aligned
