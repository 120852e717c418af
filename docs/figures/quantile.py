"""Knows how to draw the quantile: the factor that the polynomials stand for, and the error of what comes out.

It must not know a coefficient; values come from fanfill, and exact ones from the standard library's quantile.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

import fanfill as ff

EXACT = NormalDist().inv_cdf


def draw() -> Figure:
    """Return G over the octaves of p, and the values' errors beside the spacing of float32."""
    figure, (upper, lower) = plt.subplots(2, 1, figsize=(7.0, 5.2), height_ratios=(1.0, 1.1))
    octaves = np.arange(-20, 0)
    for at, octave in enumerate(octaves):
        for piece in range(2):
            p = 2.0**octave * np.linspace(1.0 + piece / 2, 1.5 + piece / 2, 24)
            p = np.minimum(p, 1.0 - 1e-12)
            factor = [-EXACT(each / 2) / (1.0 - each) for each in p]
            upper.plot(np.log2(p), factor, color=f"C{(2 * at + piece) % 2}")
    upper.set_xlabel("log₂ p, the probability of a value further out on either side")
    upper.set_ylabel("G(p)")
    words = ff.random.words(seed=7, key="w", start=0, n=1 << 14)
    drawn = ff.normal(1 << 14, seed=7, key="w").astype(np.float64)
    signed = (words | 1).view(np.int32).astype(np.float64)
    rest = 2.0**31 - np.abs(signed)
    usual = rest >= 2.0**16  # the others take a second word
    exact = np.array([EXACT(each / 2**32) for each in rest[usual]]) * -np.sign(signed[usual])
    error = drawn[usual] - exact
    size = np.abs(exact)
    lower.scatter(size, np.abs(error), s=2.0, alpha=0.35, label="|value − exact|", rasterized=False)
    grid = np.linspace(0.001, 4.2, 800, dtype=np.float32)
    lower.plot(grid, np.spacing(grid), color="C1", linewidth=1.2, label="distance of two float32 numbers")
    lower.set_yscale("log")
    lower.set_ylim(1e-11, 3e-6)
    lower.set_xlabel("|z|")
    lower.legend(loc="lower right", fontsize=9)
    figure.tight_layout()
    return figure
