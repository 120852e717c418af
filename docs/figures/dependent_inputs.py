"""Knows how to draw what pixels and channels that depend on each other do to the second moments of layers.

It must not know how it is found.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

import fanfill as ff

SEED, DRAWS, CHANNELS, EXTENT = 0, 30, 16, 8
LAYERS = [(32, CHANNELS, 3, 3)] + [(32, 32, 3, 3)] * 2


def pictures() -> dict[str, np.ndarray[Any, Any]]:
    """Return batches of one shape: of independent pixels, of smooth pictures, of ones that are constant."""
    noise = ff.normal((8, CHANNELS, EXTENT, EXTENT), dtype="float64", seed=SEED, key="noise")
    one = ff.normal((8, 1, EXTENT, EXTENT), dtype="float64", seed=SEED, key="one")
    for _ in range(4):  # each pixel a mean of its neighbours, the border wrapped round
        one = sum(np.roll(one, (i, j), (2, 3)) for i in (-1, 0, 1) for j in (-1, 0, 1)) / 9.0
    flat = ff.normal((8, 1, 1, 1), dtype="float64", seed=SEED, key="flat")
    return {
        "independent": noise,
        "smooth, all channels alike": one * np.ones_like(noise),
        "constant": flat * np.ones_like(noise),
    }


def draw() -> Figure:
    """Return each draw's second moment over the prediction, a column of dots for each layer and batch."""
    figure, axes = plt.subplots(figsize=(8.0, 3.0))
    places = np.arange(1, len(LAYERS) + 1)
    for at, (name, batch) in enumerate(pictures().items()):
        found = ff.propagation(LAYERS, "relu", batch=batch, draws=DRAWS)
        ratio = found.measured.pre_activation / found.predicted.pre_activation
        left = places + 0.2 * (at - 1)
        axes.plot(left + 0 * ratio, ratio, ".", color=f"C{at}", markersize=3.5, alpha=0.45)
        axes.plot(
            left, ratio.mean(axis=0), "_", color=f"C{at}", markersize=13, markeredgewidth=2.4, label=name
        )
    axes.axhline(1.0, linewidth=1.0, linestyle=":", color="C3")
    axes.set(yscale="log", xticks=places, xlabel="layer", ylabel="measured / predicted")
    axes.set_yticks([0.25, 0.5, 1.0, 2.0, 4.0], ["1/4", "1/2", "1", "2", "4"])
    axes.minorticks_off()
    axes.legend(fontsize=9, loc="upper left", ncols=3)
    axes.set_ylim(0.2, 6.0)
    figure.tight_layout()
    return figure
