"""The probability of every code of a narrow dtype under the standard normal, and how far counts are from it.

It must not know words or kernels, only the formats and the normal distribution.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Format:
    """A narrow dtype by its bits; `largest` is its largest finite code."""

    fraction_bits: int
    exponent_bits: int
    bias: int
    largest: int

    @property
    def sign_bit(self) -> int:
        """The code of -0."""
        return 1 << (self.fraction_bits + self.exponent_bits)

    def magnitudes(self) -> np.ndarray:
        """Return the values of codes 0 to `largest`, in float64."""
        codes = np.arange(self.largest + 1)
        fraction = codes & ((1 << self.fraction_bits) - 1)
        exponent = codes >> self.fraction_bits
        significand = np.where(exponent == 0, fraction, fraction + (1 << self.fraction_bits))
        scale = np.maximum(exponent, 1) - self.bias - self.fraction_bits
        return np.asarray(np.ldexp(significand.astype(float), scale))


FORMATS = {
    "bfloat16": Format(7, 8, 127, 0x7F7F),
    "float16": Format(10, 5, 15, 0x7BFF),
    "float8_e4m3fn": Format(3, 4, 7, 0x7E),
    "float8_e5m2": Format(2, 5, 15, 0x7B),
}


@dataclass(frozen=True)
class CodeMassError:
    """Distances between counted and exact probabilities; total variation is half the sum of |difference|."""

    total_variation: float  # to the normal rounded to float32 and then to the dtype
    total_variation_plain: float  # to the normal rounded to the dtype once
    plain_floor: float  # what the exact normal rounded twice has to the one rounded once
    largest_cell_edge_error: float  # of the distribution function, at the edges between codes


def _upper_tails(edges: np.ndarray) -> np.ndarray:
    return np.array([0.5 * math.erfc(edge / math.sqrt(2.0)) for edge in edges])


def _cells(upper: np.ndarray) -> np.ndarray:
    # Probabilities of codes 0 (its positive half) to the largest (saturating: all beyond) from P(Z > edge).
    return np.asarray(np.concatenate([[0.5], upper]) - np.concatenate([upper, [0.0]]))


def _edges_through_float32(middles: np.ndarray) -> np.ndarray:
    # A float32 on the middle goes to the even code, so the edge in real numbers is half a float32 step beyond
    # it where the lower code is even, and before it where it is odd.
    narrow = middles.astype(np.float32)
    if not np.array_equal(narrow.astype(float), middles):
        raise AssertionError("a middle between two codes is not a float32")
    above = (np.nextafter(narrow, np.float32(np.inf)).astype(float) + middles) / 2
    below = (np.nextafter(narrow, np.float32(-np.inf)).astype(float) + middles) / 2
    return np.asarray(np.where(np.arange(len(middles)) % 2 == 0, above, below))


def code_mass_error(dtype: str, counts: np.ndarray) -> CodeMassError:
    """Compare counts by code with the standard normal."""
    form = FORMATS[dtype]
    share = counts.astype(float) / float(int(counts.sum()))
    sides = share[: form.largest + 1], share[form.sign_bit : form.sign_bit + form.largest + 1]
    stray = 1.0 - float(sum(side.sum() for side in sides))  # infinities and NaNs
    values = form.magnitudes()
    middles = (values[:-1] + values[1:]) / 2
    plain, through = _upper_tails(middles), _upper_tails(_edges_through_float32(middles))

    def variation(cells: np.ndarray) -> float:
        return 0.5 * (sum(float(np.abs(side - cells).sum()) for side in sides) + abs(stray))

    above = [np.cumsum(side[::-1])[::-1][1:] for side in sides]
    return CodeMassError(
        total_variation=variation(_cells(through)),
        total_variation_plain=variation(_cells(plain)),
        plain_floor=float(np.abs(_cells(through) - _cells(plain)).sum()),
        largest_cell_edge_error=max(float(np.abs(side - through).max()) for side in above),
    )
