"""Knows how to draw what ReLU's gain and an activation's own one do to ELU, SELU and GELU networks.

It must not know how gains or moments are found.
"""

from __future__ import annotations

import math

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

import fanfill as ff
from fanfill.signal.plot import draw_band

WIDTH, DEPTH = 256, 30
ACTIVATIONS = {"elu": "ELU", "selu": "SELU", "gelu": "GELU"}


def draw() -> Figure:
    """Return pre-activations and, below, gradients over depth; the first layer has gain 1."""
    figure, axes = plt.subplots(2, 3, figsize=(9.0, 5.0), sharex=True, sharey="row")
    layers = [(WIDTH, WIDTH)] * DEPTH
    for (upper, lower), (name, title) in zip(axes.T, ACTIVATIONS.items(), strict=True):
        own = ff.gains(name).forward
        for gain, label in ((math.sqrt(2.0), "He, √2"), (own, "its own")):
            behind = ff.Normal(0.0, gain / math.sqrt(WIDTH))
            found = ff.propagation(layers, name, ["lecun_normal"] + [behind] * (DEPTH - 1), batch=64)
            draw_band(upper, found, "pre_activation", label=label)
            draw_band(lower, found, "gradient", label=label)
        upper.set_title(f"{title}, own gain {own:.2f}", fontsize=10)
        lower.set_xlabel("layer")
    axes[0][0].set_ylabel("pre-activations, mean square")
    axes[1][0].set_ylabel("gradients, mean square")
    axes[0][0].legend(loc="lower left")
    figure.tight_layout()
    return figure
