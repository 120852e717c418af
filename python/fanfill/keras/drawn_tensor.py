"""Knows how a draw becomes a tensor of the Keras backend, without a copy where the backend allows it.

It must not know initializers, models or plans, nor which law is drawn and why.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import keras
import numpy as np

from ..dtype import BY_NAME, NAMES, DType
from ..law import Law
from ..memory import aligned_empty
from ..stream import normalize_seed

__all__ = ["Draw", "as_tensor", "drawn_tensor", "element_of", "sharded_tensor"]

# Told the memory of the tensor, the seed and the stream.
Draw: TypeAlias = Callable[["np.ndarray[Any, Any]", int, int], object]


def element_of(dtype: Any) -> DType:
    """Return the element type of a Keras dtype; None is ``keras.config.floatx()``.

    Raises
    ------
    ValueError
        If Keras has no such dtype, or it is no float that fanfill draws.
    """
    name = keras.backend.standardize_dtype(dtype)
    if keras.backend.backend() == "jax":
        from ..jax.element import element_of as jax_element_of

        return jax_element_of(name)  # which minds JAX's 32-bit mode
    element = BY_NAME.get(name)
    if element is None:
        raise ValueError(f"dtype must be a float dtype, one of {NAMES}, got {name}")
    return element


def drawn_tensor(seed: Any, draw: Draw, shape: tuple[int, ...], element: DType) -> Any:
    """Return a tensor of the backend that `draw` has written, or will write where JAX is tracing."""
    if keras.backend.backend() == "jax":
        from .jax_backend import jax_array

        return jax_array(seed, draw, shape, element)
    out = aligned_empty(shape, element)
    draw(out, *_seed_and_stream(seed))
    return as_tensor(out, element)


def sharded_tensor(seed: Any, law: Law, shape: tuple[int, ...], element: DType, layout: Any) -> Any:
    """Return a tensor that follows a law and is distributed as a layout says, which takes JAX."""
    if keras.backend.backend() != "jax":
        raise ValueError(f"layout needs the JAX backend, and this is {keras.backend.backend()}")
    from .jax_backend import sharded_jax_array

    return sharded_jax_array(seed, law, shape, element, layout)


def as_tensor(array: np.ndarray[Any, Any], element: DType) -> Any:
    """Return an array as a tensor of the backend, which shares its memory where the backend does that."""
    backend = keras.backend.backend()
    if backend == "numpy":
        return array
    tensor: Any = array
    if backend == "torch":
        import torch

        # torch reads no NumPy array of bfloat16 or float8, but it can take their bits for what they are.
        bits = torch.from_numpy(array.view(f"int{8 * element.itemsize}"))
        tensor = bits.view(getattr(torch, element.name))
    return keras.ops.convert_to_tensor(tensor)  # as it is, unless the backend's device is another


def _seed_and_stream(seed: Any) -> tuple[int, int]:
    """Return the seed and the stream that a Keras seed stands for."""
    if isinstance(seed, keras.random.SeedGenerator):
        number, count = (int(each) for each in seed.next())
        return number & 0xFFFFFFFF, count & 0xFFFFFFFF  # torch keeps them signed
    return normalize_seed(seed), 0
