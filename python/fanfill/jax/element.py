"""Knows which element type JAX means by a dtype: its default, its 32-bit mode, and what it refuses.

It must not know laws, keys or arrays.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from ..dtype import NAMES, DType, of_numpy

__all__ = ["element_of"]


def element_of(dtype: Any) -> DType:
    """Return the element type that JAX makes of `dtype`; None is JAX's default float.

    Raises
    ------
    TypeError
        If JAX has no such dtype.
    ValueError
        If it is no float type that fanfill draws.
    """
    canonical = jax.dtypes.canonicalize_dtype(float if dtype is None else dtype)
    if dtype is not None and dtype is not float and np.dtype(dtype) != canonical:
        canonical = jax.numpy.empty(0, dtype).dtype  # JAX says itself what its 32-bit mode makes of 64 bits
    element = of_numpy(np.dtype(canonical))
    if element is None:
        jax.numpy.empty(0, dtype)  # or JAX says itself that it has no such dtype
        hint = "; jax.nn.initializers draws complex ones" if canonical.kind == "c" else ""
        raise ValueError(f"dtype must be a float dtype, one of {NAMES}, got {canonical}{hint}")
    return element
