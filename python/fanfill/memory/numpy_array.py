"""Knows how a NumPy array gives access to its memory, ml_dtypes element types included.

It must not know other array types, laws or regions.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from ..dtype import NAMES, DType, of_numpy
from .memory import Memory, misaligned, strided_memory

__all__ = ["array_memory"]


def array_memory(array: np.ndarray[Any, Any], name: str, element: DType | None) -> Memory:
    """Return the memory of a NumPy array; `element` is the element type that the caller named, if any."""
    own = of_numpy(array.dtype)
    if own is None or element is not None:
        own = _named_element(array.dtype, name, own, element)
    flags = array.flags
    if not flags.writeable:
        raise ValueError(f"{name} is read-only; pass a writable array, or fill a copy of it")
    if type(array) is not np.ndarray:
        _refuse_masked(array, name)
    if not flags.aligned:
        raise misaligned(name, own)
    if flags.c_contiguous:
        return Memory(array.ctypes.data, array.shape, array.strides, own, True, array)
    return strided_memory(name, array.ctypes.data, array.shape, array.strides, own, array)


def _named_element(dtype: np.dtype[Any], name: str, own: DType | None, element: DType | None) -> DType:
    """Return the element type to write where the array's own does not settle it, or raise."""
    if element is not None:
        if own is element or (dtype.kind == "u" and dtype.itemsize == element.itemsize):
            return element
        raise TypeError(
            f"dtype: {name} has elements of {dtype} and was to be filled as {element.name}; leave dtype away "
            f"or view the memory as {element.name} or uint{8 * element.itemsize}"
        )
    if dtype.names is not None:
        raise TypeError(
            f"{name} has structured elements {dtype}; pass one field, such as {name}[{dtype.names[0]!r}]"
        )
    if not dtype.isnative:
        raise TypeError(
            f"{name} has byte-swapped elements {dtype.str}; fill an array of {dtype.newbyteorder('=').name} "
            f"and copy it in"
        )
    hint = {
        "u": "; if they hold the bits of another type, name it by dtype=",
        "c": f"; fill {name}.real and {name}.imag, each under its own key",
    }.get(dtype.kind, "")
    raise TypeError(f"{name} has elements of {dtype}; fanfill writes {NAMES}{hint}")


def _refuse_masked(array: np.ndarray[Any, Any], name: str) -> None:
    masked = sys.modules.get("numpy.ma")
    if masked is not None and isinstance(array, masked.MaskedArray):
        raise TypeError(f"{name} is a masked array; pass {name}.data to fill the masked elements too")
