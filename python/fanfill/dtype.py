"""Knows the one table of element types: their names, codes, sizes and what other libraries call them.

It must not know laws, arrays or files; whoever needs a fact about an element type asks here.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

__all__ = ["DTYPES", "DType", "DTypeLike", "as_dtype"]

# A name of the table, a NumPy dtype or scalar type, a torch.dtype, or an ml_dtypes scalar type.
DTypeLike: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class DType:
    """One element type that fanfill can write.

    Attributes
    ----------
    name : str
        The name that NumPy, torch and ml_dtypes share, e.g. ``"bfloat16"``.
    code : int
        The number of the type in the compiled core.
    itemsize : int
        Bytes per element.
    safetensors_name : str
        The name in a safetensors header, e.g. ``"BF16"``.
    in_numpy : bool
        Whether NumPy has the type itself; the others come with ml_dtypes.
    """

    name: str
    code: int
    itemsize: int
    safetensors_name: str
    in_numpy: bool

    def numpy_dtype(self) -> np.dtype[Any]:
        """Return the NumPy dtype, from ml_dtypes where NumPy has none of its own.

        Raises
        ------
        ImportError
            If the type needs ml_dtypes and that is not installed.
        """
        if self.in_numpy:
            return np.dtype(self.name)
        try:
            import ml_dtypes
        except ImportError as error:
            raise ImportError(
                f"dtype: a NumPy array of {self.name} needs ml_dtypes (pip install ml_dtypes). Without it, "
                f"fill a torch tensor, or a uint{8 * self.itemsize} array in place with dtype={self.name!r}"
            ) from error
        dtype: np.dtype[Any] = np.dtype(getattr(ml_dtypes, self.name))
        return dtype


DTYPES: tuple[DType, ...] = (
    DType("float64", 0, 8, "F64", True),
    DType("float32", 1, 4, "F32", True),
    DType("bfloat16", 2, 2, "BF16", False),
    DType("float16", 3, 2, "F16", True),
    DType("float8_e4m3fn", 4, 1, "F8_E4M3", False),
    DType("float8_e5m2", 5, 1, "F8_E5M2", False),
)
BY_NAME: dict[str, DType] = {dtype.name: dtype for dtype in DTYPES}
NAMES = ", ".join(BY_NAME)

# Byte-swapped dtypes compare unequal to native ones, so a hit here is always a native layout.
_by_numpy: dict[np.dtype[Any], DType] = {np.dtype(dtype.name): dtype for dtype in DTYPES if dtype.in_numpy}
# A torch.dtype lives as long as the process, and to make its name takes longer than a small fill.
_by_torch: dict[Any, DType | None] = {}


def of_numpy(dtype: np.dtype[Any]) -> DType | None:
    """Return the table's entry for a NumPy dtype, or None if fanfill cannot write it."""
    entry = _by_numpy.get(dtype)
    if entry is not None or not dtype.isnative or dtype.names is not None:
        return entry
    # ml_dtypes registers its types at run time: number, kind and typestr are not theirs alone, the name is.
    entry = BY_NAME.get(dtype.name)
    if entry is not None and dtype.itemsize == entry.itemsize:
        _by_numpy[dtype] = entry
        return entry
    return None


def of_torch(dtype: Any) -> DType | None:
    """Return the table's entry for a torch.dtype, or None if fanfill cannot write it."""
    try:
        return _by_torch[dtype]
    except KeyError:
        entry = BY_NAME.get(str(dtype).removeprefix("torch."))
        _by_torch[dtype] = entry
        return entry


def as_dtype(value: DTypeLike, name: str = "dtype") -> DType:
    """Return the table's entry for whatever names an element type.

    Parameters
    ----------
    value : str, numpy.dtype, type or torch.dtype
        A name of the table, or the object by which NumPy, ml_dtypes, JAX or torch know the type.
    name : str, optional
        What to call the argument in an error.

    Raises
    ------
    TypeError
        If `value` names no element type that fanfill can write.
    """
    if isinstance(value, DType):
        return value
    if isinstance(value, str):
        entry = BY_NAME.get(value)
    else:
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(value, torch.dtype):
            entry = of_torch(value)
        else:
            entry = _of_numpy_like(value)
    if entry is None:
        raise TypeError(f"{name}: {value!r} is not an element type that fanfill writes; use one of {NAMES}")
    return entry


def _of_numpy_like(value: Any) -> DType | None:
    if value is None:  # NumPy reads None as float64
        return None
    try:
        return of_numpy(np.dtype(value))
    except TypeError:
        return None
