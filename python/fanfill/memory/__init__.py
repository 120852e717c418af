"""Knows the road by which each kind of memory becomes an address, a shape, byte strides and an element type.

It must not know laws, keys, fans or regions, and it imports no framework: who passes a tensor has imported
it.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from ..dtype import DTypeLike, as_dtype
from .aligned import aligned_bytes, aligned_empty
from .buffer import buffer_memory
from .memory import Memory
from .numpy_array import array_memory
from .plain import (
    note_tensor_writes,
    plain_elements,
    plain_shape,
    plain_tensor_elements,
    plain_tensor_types,
)

__all__ = [
    "Memory",
    "aligned_bytes",
    "aligned_empty",
    "memory_of",
    "note_tensor_writes",
    "plain_elements",
    "plain_shape",
    "plain_tensor_elements",
    "plain_tensor_types",
]


def memory_of(out: Any, name: str = "out", dtype: DTypeLike | None = None) -> Memory:
    """Return where the elements of `out` lie, without a copy.

    Parameters
    ----------
    out : array, tensor or buffer
        A NumPy or ml_dtypes array of any strides, a torch CPU tensor, anything with the buffer protocol, or a
        CPU producer of DLPack 1.x.
    name : str, optional
        What to call the argument in an error.
    dtype : str, numpy.dtype, type or torch.dtype, optional
        The element type of memory that has none of its own: a byte buffer, or an array of unsigned integers
        of the same size. Otherwise it must be the memory's.

    Raises
    ------
    TypeError
        If `out` is of a kind or an element type that fanfill cannot write.
    ValueError
        If its memory cannot be written: read-only, overlapping itself, on a device, absent.
    """
    element = None if dtype is None else as_dtype(dtype)
    if isinstance(out, np.ndarray):
        return array_memory(out, name, element)
    torch = sys.modules.get("torch")
    # A half-imported torch has no Tensor yet, and then there is none to be passed.
    if torch is not None and isinstance(out, getattr(torch, "Tensor", ())):
        from .torch_tensor import tensor_memory

        return tensor_memory(out, name, element)
    _refuse_by_type(out, name)
    try:
        view = memoryview(out)
    except TypeError:
        view = None
    except (ValueError, BufferError) as error:
        raise ValueError(f"{name} gives no access to its memory: {error}") from error
    if view is not None:
        return buffer_memory(view, name, element)
    if hasattr(out, "__dlpack__") and hasattr(out, "__dlpack_device__"):
        from .dlpack import dlpack_memory

        return dlpack_memory(out, name, element)
    raise TypeError(
        f"{name} must be a NumPy array, a torch CPU tensor, a writable buffer or a CPU array with DLPack 1, "
        f"not {_type_name(type(out))}; pass the array inside it, not a copy of it"
    )


def _refuse_by_type(out: Any, name: str) -> None:
    kind = type(out)
    # JAX gives out writable-looking capsules of arrays that it believes immutable: the type alone tells.
    # An array type that ctypes makes on the spot has no module.
    if str(getattr(kind, "__module__", "")).partition(".")[0] in ("jax", "jaxlib"):
        raise TypeError(
            f"{name} is a JAX array, which is immutable; fanfill.jax.array draws a new one, and "
            f"fanfill.jax.initializers draw where jax.nn.initializers do"
        )
    if hasattr(kind, "__cuda_array_interface__"):
        raise ValueError(
            f"{name} is in the memory of a GPU ({_type_name(kind)}); fill host memory, "
            f"such as a NumPy array or a pinned CPU tensor, and copy it over"
        )


def _type_name(kind: type) -> str:
    module = getattr(kind, "__module__", None)
    return kind.__qualname__ if module is None else f"{module}.{kind.__qualname__}"
