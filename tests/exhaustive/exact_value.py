"""The value of a word by docs/contract.md in 200-bit arithmetic: the quantile itself, nothing rounded.

It must not know coefficients or the order of operations, only which probability a word stands for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
from mpmath import mpf

PRECISION = 200
TAIL_INDICES = 1 << 16


def outside(z: Any) -> Any:
    """P(|Z| > z) of a standard normal."""
    return mpmath.erfc(mpf(z) / mpmath.sqrt(2)) if math.isfinite(z) else mpf(0)


def quantile(p: Any) -> Any:
    """Return the |z| with P(|Z| > z) = p, by Newton's method on ln p."""
    root = mpmath.sqrt(2)
    z = mpmath.sqrt(-2 * mpmath.log(p)) if p < 0.1 else (1 - p) * mpmath.sqrt(mpmath.pi / 2)
    for _ in range(60):
        value = mpmath.erfc(z / root)
        step = (
            (mpmath.log(value) - mpmath.log(p))
            * value
            / (mpmath.exp(-z * z / 2) * mpmath.sqrt(2 / mpmath.pi))
        )
        z += step
        if abs(step) <= abs(z) * mpf(2) ** -(PRECISION - 20):
            return z
    raise ArithmeticError(f"no quantile at p = {p}")


def rounded(x: Any) -> int:
    """Return x rounded to a whole number."""
    return int(mpmath.floor(x + mpf(1) / 2))


def _below(high: float, bits: int) -> float:
    # The largest value below an upper bound that is no part of the law.
    real = np.float32 if bits == 32 else np.float64
    value = real(high)
    return float(value if float(value) < high else np.nextafter(value, real(-np.inf)))


@dataclass(frozen=True)
class ExactLaw:
    """A law as the tool states it; bounds in values, which about mean 0 with std 1 are sigmas."""

    kind: str
    mean: float
    std: float
    low: float
    high: float
    deep: bool

    @property
    def is_symmetric(self) -> bool:
        """Whether a truncated normal has bounds +-c."""
        return self.kind == "truncated_normal" and self.low == -self.high

    @property
    def scale(self) -> float:
        """The magnitude that the law's centre gives every rounding error."""
        return abs(self.mean)

    def negative_count(self, bits: int) -> int:
        """Return how many words of a sides law are negative."""
        below, above = max(0.0, -self.low), max(0.0, self.high)
        if below == 0.0 or above == 0.0:
            return 0 if below == 0.0 else 1 << bits
        inside = [1 - outside(z) for z in (below, above)]
        share = inside[0] / (inside[0] + inside[1])
        # In float64 every share times 2^64 is whole.
        return rounded(mpf(2) ** 32 * share) if bits == 32 else int(math.ldexp(float(share), 64))

    def value(self, bits: int, word: int, tail: int) -> Any:
        """Return the value of a word of 32 or 64 bits, which for 64 has no tail word."""
        half = 1 << (bits - 1)
        s = (word | 1) - (2 * half if word >= half else 0)
        if self.kind == "uniform":
            middle, width = (
                (Fraction(self.low) + Fraction(self.high)) / 2,
                Fraction(self.high) - Fraction(self.low),
            )
            exact = min(middle + width / 2 * Fraction(s, half), Fraction(_below(self.high, bits)))
            return mpf(exact.numerator) / exact.denominator
        if self.kind == "truncated_normal" and not self.is_symmetric:
            return self._side_value(bits, word, tail)
        n = half - abs(s)
        p = mpf(n) / half
        if self.deep and bits == 32 and n < TAIL_INDICES:
            p = mpf((((n - 1) // 2 << 32) + tail) * 2 + 1) / mpf(2) ** 63
        if self.is_symmetric:
            far = outside(self.high)
            p = p * (1 - far) + far
        return self.mean + self.std * (quantile(p) if s > 0 else -quantile(p))

    def _side_value(self, bits: int, word: int, tail: int) -> Any:
        biased = word ^ (1 << (bits - 1))
        threshold = self.negative_count(bits)
        is_negative = biased < threshold
        near, far = (-self.high, -self.low) if is_negative else (self.low, self.high)
        count = threshold if is_negative else (1 << bits) - threshold
        from_far = biased if is_negative else (1 << bits) - 1 - biased
        p_near, p_far = outside(max(near, 0.0)), outside(far)
        step = (p_near - p_far) / count
        place = mpf(2 * from_far + 1) / 2
        if bits == 32 and p_far < TAIL_INDICES * step and from_far < TAIL_INDICES:
            place = mpf(2 * ((from_far << 32) + tail) + 1) / mpf(2) ** 33
        z = quantile(p_far + step * place)
        return self.mean + self.std * (-z if is_negative else z)
