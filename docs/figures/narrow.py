"""Knows how to draw that single draws of a narrow and deep network lie below the mean of all draws.

It must not know how they are found.
"""

from __future__ import annotations

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

import fanfill as ff

DEPTH, DRAWS = 50, 101


def draw() -> Figure:
    """Return the second moment of a ReLU net at He's scale over depth, for two widths."""
    figure, axes = plt.subplots(figsize=(7.0, 3.2))
    depth = np.arange(1, DEPTH + 1)
    for at, width in enumerate((32, 128)):
        found = ff.propagation([(width, width)] * DEPTH, "relu", "he_normal", batch=2, draws=DRAWS)
        low, middle, high = np.quantile(found.measured.pre_activation, (0.1, 0.5, 0.9), axis=0)
        axes.fill_between(depth, low, high, color=f"C{at}", alpha=0.25, linewidth=0)
        axes.plot(depth, middle, color=f"C{at}", label=f"{width} wide, median")
        axes.plot(depth, 2.0 * np.exp(-2.5 * depth / width), color=f"C{at}", linestyle=":", linewidth=1.2)
    axes.axhline(2.0, color="#8a8f98", linewidth=1.0, label="mean of all draws")
    axes.set_yscale("log")
    axes.set_xlabel("layer")
    axes.set_ylabel("pre-activations, mean square")
    axes.legend(loc="lower left", fontsize=9)
    figure.tight_layout()
    return figure
