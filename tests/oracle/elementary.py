"""Knows the elementary functions of sections 5 and 9, and the logarithms to base 2 of a law's constants.

It must not know words or laws. The polynomials have the coefficients of csrc/kernel.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal, localcontext
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .fma import fma

F64 = NDArray[np.float64]
_TABLE = Path(__file__).parents[2] / "csrc" / "kernel" / "elementary_table.hpp"
_CONTEXT = Context(prec=100)


def logarithm(v: F64) -> F64:
    """ln v for v > 0."""
    half, exponent = np.frexp(v)
    is_large = half * 2 > 1.4142135623730951
    m, e = np.where(is_large, half, half * 2), (exponent - 1 + is_large).astype(np.float64)
    y = (m - 1.0) / (m + 1.0)
    y2 = y * y
    total = np.zeros_like(y)
    for i in range(25, 2, -2):
        total = fma(total, y2, 1.0 / i)
    series = 2.0 * y + 2.0 * y * (y2 * total)
    return fma(
        e, float.fromhex("0x1.62e42fefa39efp-1"), fma(e, float.fromhex("0x1.abc9e3b39803fp-56"), series)
    )


@cache
def _coefficients(name: str) -> tuple[float, ...]:
    (body,) = re.findall(rf"double {name}\[[^=]*= \{{([^}}]*)\}}", _TABLE.read_text())
    return tuple(map(float.fromhex, re.findall(r"0x[0-9a-f.]+p[+-]\d+", body)))


def _polynomial(name: str, x: F64) -> F64:
    c = _coefficients(name)
    value = np.full_like(x, c[-1])
    for term in reversed(c[:-1]):
        value = fma(value, x, term)
    return value


def power_of_two(e: F64, rest: F64) -> F64:
    """2^(e + rest)."""
    k = np.floor(e)
    f = (e - k) + rest
    return np.ldexp(fma(f, _polynomial("kExp2", f), 1.0), k.astype(int))


def inverse_softplus(x: F64) -> F64:
    """ln(e^x - 1) for x > 0."""
    small, large = np.minimum(x, 1.0), np.clip(x, 1.0, 64.0)
    near = logarithm(small * _polynomial("kExpm1", small))
    exponent = large * -float.fromhex("0x1.71547652b82fep+0")
    far = large + logarithm(1.0 - power_of_two(exponent, np.zeros_like(exponent)))
    return np.where(x > 64.0, x, np.where(x > 1.0, far, near))


def log2_parts(low: float, high: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """The middle of two logarithms to base 2 and half their distance: float64, and float32 of the rest."""

    def parts(v: Decimal) -> tuple[float, float]:
        return float(v), float(np.float32(float(v - Decimal(float(v)))))

    with localcontext(_CONTEXT):
        ends = [Decimal(v).ln() / Decimal(2).ln() for v in (low, high)]
        return parts((ends[1] + ends[0]) / 2), parts((ends[1] - ends[0]) / 2)
