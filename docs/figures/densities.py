"""Knows how to draw the three laws that share a name and a standard deviation.

It must not know a library.
"""

from __future__ import annotations

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

import fanfill as ff

LAWS = {
    "he_normal_": ff.he_normal,
    "he_truncated_normal_": ff.he_truncated_normal,
    "he_uniform_": ff.he_uniform,
}


def draw() -> Figure:
    """Return the histogram of each law over the same fan, in units of the common standard deviation."""
    figure, axes = plt.subplots(figsize=(7.0, 2.8))
    fan_in = 1024
    for name, initializer in LAWS.items():
        values = initializer((4096, fan_in), seed=7, key=name) * np.sqrt(fan_in / 2)
        heights, edges = np.histogram(values, bins=np.linspace(-4.0, 4.0, 161), density=True)
        axes.stairs(heights, edges, label=name)
    axes.set_xlabel("value / √(2 / fan_in)")
    axes.set_ylabel("density")
    axes.set_ylim(0.0, 0.6)
    axes.legend(loc="upper center", fontsize=9, ncols=3, columnspacing=1.2)
    return figure
