"""Derives the coefficients of the quantile G(p) = Phi^-1(1 - p/2) / (1 - p), two rows per octave of p.

Knows the mathematics and the two formats; must not know any kernel. Run `python derive_quantile.py` to
rewrite `quantile_table.hpp` and `quantile_table64.hpp` beside it (needs numpy, scipy and mpmath; about two
minutes).

Each octave [2^e, 2^(e+1)) of p has two pieces, split at its middle. On a piece with upper end `top` (in
units of 2^e) the variable is u = top - t, where t = p * 2^-e is the mantissa in [1, 2). u is exact, lies in
(0, 1/2], and grows towards the tail, as G does. Every coefficient of u is constrained to be >= 0: then each
Horner step multiplies two non-negative, non-decreasing numbers and adds a constant, rounding keeps order,
and so the computed |z| never rises with p inside a piece, for every input, by construction. At each join
the constant term of the piece nearer to the tail is raised, if need be, to the value computed at the end of
its neighbour.

float32: degree 5, weighted by the density of the normal at the point, because what counts is the law that
comes out and not the last bit of z. float64: degree 13, interpolation in the Chebyshev points in 60-digit
arithmetic.
"""

from __future__ import annotations

from pathlib import Path

import mpmath as mp
import numpy as np
from scipy.optimize import nnls

mp.mp.dps = 60
HERE = Path(__file__).parent
DEGREE32, FIRST32 = 5, -70  # octave exponents of p, down to the smallest p that a float32 law can form
DEGREE64, FIRST64 = 13, -176


def g_exact(p: mp.mpf) -> mp.mpf:
    """Phi^-1(1 - p/2) / (1 - p) for 0 < p <= 1, by Newton's method on erfc, at working precision."""
    x = 1 - p
    if x == 0:
        return mp.sqrt(mp.pi / 2)
    if p > mp.mpf("0.5"):
        return mp.sqrt(2) * mp.erfinv(x) / x
    target = mp.log(p)
    z = mp.sqrt(-2 * target)
    for _ in range(60):
        tail = mp.erfc(z / mp.sqrt(2))
        slope = -mp.sqrt(2 / mp.pi) * mp.exp(-z * z / 2) / tail
        step = (mp.log(tail) - target) / slope
        z -= step
        if abs(step) < mp.mpf(10) ** -50:
            break
    return z / x


def nodes(count: int, width: float) -> list[mp.mpf]:
    """Chebyshev points of the first kind on [0, width]."""
    return [(mp.cos((mp.mpf(2 * i + 1) * mp.pi) / (2 * count)) + 1) / 2 * width for i in range(count)]


def fit32(e: int, half: int) -> np.ndarray:
    """Non-negative weighted least squares on Chebyshev points, the two ends held by weight."""
    top = mp.mpf(3 + half) / 2
    u = [*nodes(96, mp.mpf("0.5")), mp.mpf(0), mp.mpf("0.5")]
    p = [(top - v) * mp.mpf(2) ** e for v in u]
    g = np.array([float(g_exact(q)) for q in p])
    u_float = np.array([float(v) for v in u])
    z = g * np.array([float(1 - q) for q in p])
    weight = np.exp(-(z * z - z.min() ** 2) / 2) * np.maximum(np.array([float(1 - q) for q in p]), 1e-3)
    weight[-2:] *= 30
    # Fit the difference from the value at u = 0: doubles carry it to far below float32's last bit.
    basis = np.stack([u_float**k for k in range(DEGREE32 + 1)], axis=1) * weight[:, None]
    basis[:, 0] = weight
    scale = np.abs(basis).max(axis=0)
    return nnls(basis / scale, g * weight, maxiter=100000)[0] / scale


def horner32(c: np.ndarray, u: np.float32) -> np.float32:
    """The value that the contract computes, fma by fma in float32.

    Products of two floats are exact in float64, and at a piece's ends the sum is too short for a double
    rounding to matter.
    """
    r = np.float32(c[DEGREE32])
    for k in range(DEGREE32 - 1, -1, -1):
        r = np.float32(float(r) * float(u) + float(np.float32(c[k])))
    return r


def table32() -> list[tuple[int, int, np.ndarray]]:
    """Pieces from the centre outwards, each joined to the last from above."""
    pieces: list[tuple[int, int, np.ndarray]] = []
    joint = np.float32(float(mp.sqrt(mp.pi / 2)))
    for e in range(-1, FIRST32 - 1, -1):
        for half in (1, 0):
            c = fit32(e, half).astype(np.float32)
            assert (c >= 0).all(), (e, half, c)
            c[0] = max(c[0], joint)
            joint = horner32(c, np.float32(0.5))
            pieces.append((e, half, c))
    return pieces


def table64() -> list[tuple[int, int, list[float]]]:
    """Interpolation at the Chebyshev points; coefficients rounded once to float64."""
    pieces: list[tuple[int, int, list[float]]] = []
    joint = float(mp.sqrt(mp.pi / 2))
    for e in range(-1, FIRST64 - 1, -1):
        for half in (1, 0):
            top = mp.mpf(3 + half) / 2
            u = nodes(DEGREE64 + 1, mp.mpf("0.5"))
            g = mp.matrix([g_exact((top - v) * mp.mpf(2) ** e) for v in u])
            vandermonde = mp.matrix([[v**k for k in range(DEGREE64 + 1)] for v in u])
            c = [float(v) for v in mp.lu_solve(vandermonde, g)]
            c[0] = max(c[0], joint)
            joint = float(mp.polyval([mp.mpf(v) for v in reversed(c)], mp.mpf("0.5")))
            pieces.append((e, half, c))
    return pieces


HEADER = """// The coefficients of the {name} quantile, made by derive_quantile.py: do not edit.
// They must not know who reads them. Row r holds the octave of p with exponent r + kFirstOctave{bits} and its
// two pieces, [1, 1.5) then [1.5, 2); c0 first.
#pragma once

namespace fanfill {{

constexpr int kDegree{bits} = {degree};
constexpr int kFirstOctave{bits} = {first};  // p in [2^first, 2^(first + 1))
constexpr int kOctaves{bits} = {count};  // the last row is p = 1 alone

// clang-format off
alignas(64) constexpr {type} kQuantile{bits}[kOctaves{bits}][2][kDegree{bits} + 1] = {{
{rows}
}};
// clang-format on

}}  // namespace fanfill
"""


def write(bits: int, type_: str, degree: int, first: int, pieces: list, path: Path) -> None:
    """One line per piece, hexadecimal."""
    suffix = "f" if bits == 32 else ""
    by_octave: dict[int, dict[int, str]] = {}
    for e, half, c in pieces:
        body = ", ".join(float(v).hex().replace("0x0.0p+0", "0x0p+0") + suffix for v in c)
        by_octave.setdefault(e, {})[half] = "{" + body + "}"
    centre = np.float32(float(mp.sqrt(mp.pi / 2))) if bits == 32 else float(mp.sqrt(mp.pi / 2))
    one = "{" + float(centre).hex() + suffix + "}"
    rows = [f"    {{{by_octave[e][0]},\n     {by_octave[e][1]}}}," for e in sorted(by_octave)]
    rows.append(f"    {{{one}, {one}}},")
    path.write_text(
        HEADER.format(
            name=f"float{bits}",
            bits="" if bits == 32 else "64",
            degree=degree,
            first=first,
            count=len(rows),
            type=type_,
            rows="\n".join(rows),
        )
    )


if __name__ == "__main__":
    write(32, "float", DEGREE32, FIRST32, table32(), HERE / "quantile_table.hpp")
    write(64, "double", DEGREE64, FIRST64, table64(), HERE / "quantile_table64.hpp")
