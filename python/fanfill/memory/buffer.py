"""Knows how an object with the buffer protocol gives access to its memory, and holds it still meanwhile.

It must not know frameworks, laws or regions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtype import NAMES, DType
from .memory import Memory
from .numpy_array import array_memory

__all__ = ["buffer_memory"]

_BYTES = ("B", "b", "c")


def buffer_memory(view: memoryview[Any], name: str, element: DType | None) -> Memory:
    """Return the memory of a buffer; the array made of it keeps it from being resized or closed."""
    if view.readonly:
        raise ValueError(f"{name} is a read-only buffer; pass a writable one, such as a bytearray")
    try:
        array: np.ndarray[Any, Any] = np.asarray(view)
    except (ValueError, TypeError, NotImplementedError) as error:
        raise TypeError(f"{name} is a buffer of format {view.format!r}; fanfill writes {NAMES}") from error
    if view.format in _BYTES:
        if element is None:
            raise TypeError(f"{name} is a buffer of bytes; name its element type by dtype= (one of {NAMES})")
        array = _elements(array, name, element)
    return array_memory(array, name, element)


def _elements(array: np.ndarray[Any, Any], name: str, element: DType) -> np.ndarray[Any, Any]:
    """Return an array of bytes as one of unsigned integers of the element's size."""
    if element.itemsize > 1 and (array.ndim > 1 or not array.flags.c_contiguous):
        raise ValueError(f"{name} must be one contiguous run of bytes to be filled as {element.name}")
    if array.nbytes % element.itemsize:
        raise ValueError(
            f"{name} has {array.nbytes} bytes, no multiple of the {element.itemsize} of one {element.name}"
        )
    return array.view(f"u{element.itemsize}")
