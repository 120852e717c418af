"""Knows the values of every dtype: rounding to them, and the ones next to a bound.

It must not know laws. The narrow dtypes are tables of all their values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Format:
    """A dtype: its code in the core, its bits and those of its parts, and how many codes are finite."""

    code: int
    bits: int
    fraction: int
    exponent: int
    finite: int

    @property
    def limit(self) -> float:
        """The largest finite value."""
        last = self.finite - 1  # its code
        digits = last % 2**self.fraction + 2**self.fraction
        return math.ldexp(digits, (last >> self.fraction) - self.bias - self.fraction)

    @property
    def bias(self) -> int:
        return 2 ** (self.exponent - 1) - 1

    @property
    def unsigned(self) -> type[Any]:
        return {8: np.uint8, 16: np.uint16, 32: np.uint32, 64: np.uint64}[self.bits]

    @property
    def arithmetic(self) -> type[Any]:
        """The type that laws compute in."""
        return np.float64 if self.bits == 64 else np.float32

    @property
    def word(self) -> type[Any]:
        return np.uint64 if self.bits == 64 else np.uint32


FORMATS = {
    "float64": Format(0, 64, 52, 11, 0x7FF << 52),
    "float32": Format(1, 32, 23, 8, 0xFF << 23),
    "bfloat16": Format(2, 16, 7, 8, 0xFF << 7),
    "float16": Format(3, 16, 10, 5, 0x1F << 10),
    "float8_e4m3fn": Format(4, 8, 3, 4, 0x7F),  # no infinities: only the last code is NaN
    "float8_e5m2": Format(5, 8, 2, 5, 0x1F << 2),
}
NARROW = [name for name, form in FORMATS.items() if form.bits < 32]


@cache
def magnitudes(dtype: str) -> NDArray[np.float64]:
    """Every finite value that isn't negative, at the index that is its code."""
    form = FORMATS[dtype]
    code = np.arange(form.finite)
    exponent, fraction = code >> form.fraction, code % 2**form.fraction
    digits = np.where(exponent > 0, fraction + 2**form.fraction, fraction)
    return np.ldexp(digits.astype(np.float64), np.maximum(exponent, 1) - form.bias - form.fraction)


def decode(codes: NDArray[Any], dtype: str) -> NDArray[np.float64]:
    """The values that codes stand for, in float64; all codes finite."""
    form = FORMATS[dtype]
    if form.bits >= 32:
        return codes.view(form.arithmetic).astype(np.float64)
    sign = np.where(codes >> (form.bits - 1), -1.0, 1.0)
    return sign * magnitudes(dtype)[codes % 2 ** (form.bits - 1)]


def encode(values: NDArray[Any], dtype: str) -> NDArray[Any]:
    """The codes of the nearest values, ties to the even code, saturating at the largest."""
    form = FORMATS[dtype]
    if form.bits >= 32:
        return values.astype(form.arithmetic).view(form.unsigned)
    table, size = magnitudes(dtype), np.abs(values.astype(np.float64))
    below = np.searchsorted(table, size, side="right") - 1
    above = np.minimum(below + 1, len(table) - 1)
    middle = (table[below] + table[above]) / 2  # exact
    nearest = np.where((size > middle) | ((size == middle) & (below % 2 == 1)), above, below)
    return (nearest + (np.signbit(values).astype(np.int64) << (form.bits - 1))).astype(form.unsigned)


def smallest_at_least(dtype: str, bound: float) -> float:
    """The dtype's smallest finite value >= bound, which is at most the largest; zero is +0."""
    form = FORMATS[dtype]
    bound = max(bound, -form.limit) + 0.0
    if form.bits == 64:
        return bound
    if form.bits == 32:
        value = np.float32(bound)
        return float(value if float(value) >= bound else np.nextafter(value, np.float32(np.inf))) + 0.0
    table = magnitudes(dtype)
    values = np.concatenate([-table[::-1], table])
    return float(values[np.searchsorted(values, bound)]) + 0.0


def largest_at_most(dtype: str, bound: float) -> float:
    """The dtype's largest finite value <= bound; zero is +0."""
    return 0.0 - smallest_at_least(dtype, -bound)


def largest_below(dtype: str, bound: float) -> float:
    """The dtype's largest finite value < bound; every dtype's values are float64 too."""
    return largest_at_most(dtype, float(np.nextafter(bound, -np.inf)))
