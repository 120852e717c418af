"""Knows a * b + c rounded once, for arrays of float32 and of float64, from operations that round once each.

It must not know what is being computed.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


def _two_sum(a: F64, b: F64) -> tuple[F64, F64]:
    """The rounded sum and its error, exactly (Knuth, The Art of Computer Programming, 2, 1969)."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def _odd_sum(a: F64, b: F64) -> F64:
    """a + b rounded to odd: where inexact, to the neighbour whose last bit is one."""
    s, error = _two_sum(a, b)
    is_even = (s.view(np.int64) & 1) == 0
    return np.where((error != 0) & is_even, np.nextafter(s, np.copysign(np.inf, error)), s)


def _split(a: F64) -> tuple[F64, F64]:
    """Two halves of 26 bits that add up to a (Veltkamp, in Dekker 1971)."""
    t = a * 134217729.0
    high = t - (t - a)
    return high, a - high


def _two_product(a: F64, b: F64) -> tuple[F64, F64]:
    """The rounded product and its error, exactly (Dekker, A floating-point technique, 1971)."""
    p = a * b
    a1, a2 = _split(a)
    b1, b2 = _split(b)
    return p, a2 * b2 - (((p - a1 * b1) - a2 * b1) - a1 * b2)


def _fma64(a: F64, b: F64, c: F64) -> F64:
    """By rounding to odd (Boldo and Melquiond, Emulation of FMA and correctly rounded sums, 2008)."""
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        uh, ul = _two_product(a, b)
        th, tl = _two_sum(c, ul)
        vh, vl = _two_sum(uh, th)
        result = vh + _odd_sum(tl, vl)
    # The errors above are exact only away from overflow and underflow; elsewhere by rational numbers.
    product = np.abs(uh)
    is_safe = (product > 2.0**-900) & (product < 2.0**900) & ((c == 0) | (np.abs(c) > 2.0**-900))
    is_safe &= (np.abs(a) < 2.0**900) & (np.abs(b) < 2.0**900) & (np.abs(c) < 2.0**900)
    for i in np.flatnonzero(~is_safe):
        exact = Fraction(float(a[i])) * Fraction(float(b[i])) + Fraction(float(c[i]))
        result[i] = float(exact) if exact else a[i] * b[i] + c[i]  # the latter knows the sign of zero
    return result


def fma(a: Any, b: Any, c: Any) -> NDArray[Any]:
    """A * b + c rounded once, in the type of all three: float32 or float64."""
    a, b, c = np.broadcast_arrays(*np.atleast_1d(a, b, c))
    assert a.dtype == b.dtype == c.dtype
    if a.dtype == np.float64:
        return _fma64(a, b, c)
    # The product is exact in float64; rounding the sum to odd there makes the second rounding innocent.
    return _odd_sum(a.astype(np.float64) * b, c.astype(np.float64)).astype(np.float32)
