"""The fits behind the candidates: total variation of the law that a fit gives, in exact arithmetic.

Knows scipy's normal and least squares; must not know the product. One line of JSON per candidate; the
experiment of docs/design/0002-quantile.md. `python total_variation.py` takes about a minute.
"""

from __future__ import annotations

import json

import numpy as np
from numpy.polynomial.polynomial import polyval
from numpy.typing import NDArray
from scipy.optimize import nnls
from scipy.special import erfc, erfinv, ndtri

Array = NDArray[np.float64]


def g_of(p: Array) -> Array:
    """Phi^-1(1 - p/2) / (1 - p)."""
    x = 1 - p
    z = np.where(x < 0.5, np.sqrt(2) * erfinv(x), -ndtri(p / 2))
    return np.where(x == 0, np.sqrt(np.pi / 2), z / np.where(x == 0, 1, x))


def fit(e: int, half: int, pieces: int, degree: int, monotone: bool) -> Array:
    """Weighted least squares in Chebyshev points; `monotone` keeps the coefficients of u non-negative."""
    width, top = 1 / pieces, 1 + (half + 1) / pieces
    u = np.concatenate([(np.cos((np.arange(400) + 0.5) * np.pi / 400) + 1) / 2 * width, [0, width]])
    p = (top - u) * 2.0**e
    g = g_of(p)
    weight = np.maximum(np.exp(-((g * (1 - p)) ** 2) / 2) * (1 - p), 1e-3)
    weight[-2:] *= 30
    basis = np.stack([u**k for k in range(degree + 1)], 1) * weight[:, None]
    scale = np.abs(basis).max(0)
    solve = (
        (lambda a, b: nnls(a, b, maxiter=100000)[0])
        if monotone
        else (lambda a, b: np.linalg.lstsq(a, b, rcond=None)[0])
    )
    found: Array = solve(basis / scale, g * weight) / scale
    return found.astype(np.float32).astype(np.float64)


def total_variation(pieces: int, degree: int, monotone: bool) -> float:
    """Half the variation of (p that a value has) - (p that it should have), joints included."""
    total, last = 0.0, None
    for e in range(-1, -17, -1):
        for half in reversed(range(pieces)):
            c = fit(e, half, pieces, degree, monotone)
            u = np.linspace(0, 1 / pieces, 20001)
            p = (1 + (half + 1) / pieces - u) * 2.0**e
            error = erfc(polyval(u, c) * (1 - p) / np.sqrt(2)) - p
            total += 0.5 * np.abs(np.diff(error)).sum() + (
                0.0 if last is None else 0.5 * abs(error[0] - last)
            )
            last = error[-1]
    return total


if __name__ == "__main__":
    for pieces, degree in [(1, 6), (1, 7), (1, 8), (2, 4), (2, 5), (2, 6)]:
        row = {"pieces": pieces, "degree": degree}
        row |= {
            f"total_variation_{n}": float(f"{total_variation(pieces, degree, m):.3g}")
            for n, m in (("free", False), ("monotone", True))
        }
        print(json.dumps(row))
