"""Derives the coefficients of the elementary functions: 2^f and e^x - 1, both on [0, 1], in float64.

Knows the mathematics and the format; must not know any law. Run `python derive_elementary.py` to rewrite
`elementary_table.hpp` beside it (needs mpmath; a second). It prints the largest relative errors that it
finds.

Both functions are 1 or 0 plus the variable times a polynomial q, (2^f - 1)/f and (e^x - 1)/x, interpolated
in the Chebyshev points in 60-digit arithmetic. All coefficients are positive and the variable isn't negative,
so the computed values never fall as it rises: each Horner step multiplies two non-negative non-decreasing
numbers and adds a constant, and rounding keeps order.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import mpmath as mp

mp.mp.dps = 60
HERE = Path(__file__).parent
DEGREE_EXP2, DEGREE_EXPM1 = 11, 13
SAMPLES = 20_000


def interpolated(function: Callable[[mp.mpf], mp.mpf], degree: int) -> list[float]:
    """Coefficients of the polynomial through the Chebyshev points of [0, 1], each rounded once."""
    count = degree + 1
    nodes = [(mp.cos((mp.mpf(2 * i + 1) * mp.pi) / (2 * count)) + 1) / 2 for i in range(count)]
    vandermonde = mp.matrix([[v**k for k in range(count)] for v in nodes])
    return [float(c) for c in mp.lu_solve(vandermonde, mp.matrix([function(v) for v in nodes]))]


def rounded_fma(a: float, b: float, c: float) -> float:
    """a * b + c, rounded once."""
    return float(Fraction(a) * Fraction(b) + Fraction(c))


def horner(c: list[float], x: float) -> float:
    """The value that the contract computes, fma by fma."""
    value = c[-1]
    for term in reversed(c[:-1]):
        value = rounded_fma(value, x, term)
    return value


def largest_error(value: Callable[[float], float], exact: Callable[[mp.mpf], mp.mpf]) -> float:
    """The largest relative error on a grid that no power of two divides."""
    points = (float(mp.mpf(i) / SAMPLES) for i in range(1, SAMPLES))
    return max(float(abs(mp.mpf(value(x)) / exact(mp.mpf(x)) - 1)) for x in points)


HEADER = """// The coefficients of 2^f and e^x - 1, made by derive_elementary.py: do not edit.
// They must not know who reads them. c0 first, of (2^f - 1)/f and of (e^x - 1)/x on [0, 1].
#pragma once

namespace fanfill {{

constexpr int kDegreeExp2 = {degree_exp2};
constexpr int kDegreeExpm1 = {degree_expm1};

// clang-format off
constexpr double kExp2[kDegreeExp2 + 1] = {{
{exp2}
}};
constexpr double kExpm1[kDegreeExpm1 + 1] = {{
{expm1}
}};
// clang-format on

}}  // namespace fanfill
"""


def main() -> None:
    """Write the table and print the errors."""
    exp2 = interpolated(lambda f: (mp.mpf(2) ** f - 1) / f, DEGREE_EXP2)
    expm1 = interpolated(lambda x: mp.expm1(x) / x, DEGREE_EXPM1)
    assert min(exp2 + expm1) > 0
    text = HEADER.format(
        degree_exp2=DEGREE_EXP2,
        degree_expm1=DEGREE_EXPM1,
        exp2="\n".join(f"    {c.hex()}," for c in exp2),
        expm1="\n".join(f"    {c.hex()}," for c in expm1),
    )
    (HERE / "elementary_table.hpp").write_text(text)
    for name, c, function in (
        ("(2^f - 1)/f", exp2, lambda f: (mp.mpf(2) ** f - 1) / f),
        ("(e^x - 1)/x", expm1, lambda x: mp.expm1(x) / x),
    ):
        fit = [mp.mpf(v) for v in reversed(c)]
        of_fit = largest_error(lambda x, fit=fit: mp.polyval(fit, x), function)
        as_computed = largest_error(lambda x, c=c: horner(c, x), function)
        print(f"{name}: fit {of_fit:.2g}, as computed {as_computed:.2g}")
    as_computed = largest_error(lambda f: rounded_fma(f, horner(exp2, f), 1.0), lambda f: mp.mpf(2) ** f)
    print(f"2^f as computed {as_computed:.2g}; at the end of [0, 1): {horner(exp2, 1 - 2**-53).hex()}")


if __name__ == "__main__":
    main()
