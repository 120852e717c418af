"""The values of a safetensors file's elements, of every type of the format, as float64.

It must not know where the bytes come from or what is made of the values.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

__all__ = ["element_values", "has_values"]

_NUMPY = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "C64": "<f4",  # a complex number is two values
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "u1",
    "BOOL": "u1",
}
# Bits of exponent and mantissa, the exponent's bias, and what the codes with the largest exponent are:
# IEEE's infinities and NaNs, one NaN per sign, or a NaN where minus zero would be.
_FLOAT8 = {
    "F8_E5M2": (5, 2, 15, "ieee"),
    "F8_E4M3": (4, 3, 7, "all ones"),
    "F8_E5M2FNUZ": (5, 2, 16, "minus zero"),
    "F8_E4M3FNUZ": (4, 3, 8, "minus zero"),
}
_FLOAT4 = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)


def has_values(dtype: str) -> bool:
    """Return whether `element_values` knows an element type, of those of the safetensors format."""
    return dtype in _NUMPY or dtype in _FLOAT8 or dtype in ("BF16", "F8_E8M0", "F4")


def element_values(data: np.ndarray[Any, np.dtype[np.uint8]], dtype: str) -> np.ndarray[Any, Any]:
    """Return the values of elements as a new float64 array.

    Parameters
    ----------
    data : uint8 array, shape (bytes,)
        Whole elements, little-endian.
    dtype : str
        The element type by the format's name. A complex number gives two values, a byte of F4 two, the lower
        four bits first.

    Raises
    ------
    ValueError
        If the type isn't one that `has_values` knows: those of six bits.

    References
    ----------
    P. Micikevicius et al. (2022), FP8 Formats for Deep Learning, arXiv:2209.05433 (E4M3, E5M2); Open Compute
    Project (2023), OCP Microscaling Formats (MX) v1.0 (E8M0, F4 as E2M1).

    Examples
    --------
    >>> import numpy as np
    >>> from fanfill.element_values import element_values
    >>> element_values(np.array([0x80, 0x3F, 0x00, 0xC0], np.uint8), "BF16").tolist()
    [1.0, -2.0]
    """
    with np.errstate(invalid="ignore"):  # signalling NaNs
        if dtype in _NUMPY:
            return data.view(_NUMPY[dtype]).astype(np.float64)
        if dtype == "BF16":
            words = data.view("<u2").astype(np.uint32)
            words <<= np.uint32(16)
            return words.view(np.float32).astype(np.float64)
    if not has_values(dtype):
        raise ValueError(f"elements of type {dtype} have no values here")
    values: np.ndarray[Any, Any] = _table(dtype)[data].reshape(-1)
    return values


@functools.cache
def _table(dtype: str) -> np.ndarray[Any, Any]:
    """Return the values of all bytes, shape (256,), or (256, 2) where a byte holds two elements."""
    if dtype == "F4":
        signed = [*_FLOAT4, *(-value for value in _FLOAT4)]
        return np.array([(signed[byte & 15], signed[byte >> 4]) for byte in range(256)])
    if dtype == "F8_E8M0":
        return np.array([math.ldexp(1.0, byte - 127) for byte in range(255)] + [math.nan])
    return np.array([_float8(byte, *_FLOAT8[dtype]) for byte in range(256)])


def _float8(byte: int, exponent_bits: int, mantissa_bits: int, bias: int, specials: str) -> float:
    sign = -1.0 if byte & 0x80 else 1.0
    exponent = byte >> mantissa_bits & (1 << exponent_bits) - 1
    mantissa = byte & (1 << mantissa_bits) - 1
    is_last = exponent == (1 << exponent_bits) - 1
    if specials == "ieee" and is_last:
        return math.nan if mantissa else sign * math.inf
    if (specials == "all ones" and byte & 0x7F == 0x7F) or (specials == "minus zero" and byte == 0x80):
        return math.nan
    if exponent == 0:
        return sign * math.ldexp(mantissa, 1 - bias - mantissa_bits)
    return sign * math.ldexp((1 << mantissa_bits) + mantissa, exponent - bias - mantissa_bits)
