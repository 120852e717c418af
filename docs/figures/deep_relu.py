"""Knows how to draw the second moments of a ReLU network, forward and backward, at He's and Glorot's scale.

It must not know how they are found.
"""

from __future__ import annotations

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

import fanfill as ff
from fanfill.signal.plot import draw_band

WIDTH, DEPTH = 256, 30
QUANTITIES = {
    "pre_activation": "pre-activations",
    "gradient": "gradients",
    "weight_gradient": "weight gradients",
}


def draw() -> Figure:
    """Return three plots over depth, each with both scales, their bands and what theory says."""
    figure, axes = plt.subplots(1, 3, figsize=(9.0, 3.0), sharey=True)
    for name, law in (("He", "he_normal"), ("Glorot", "glorot_normal")):
        found = ff.propagation([(WIDTH, WIDTH)] * DEPTH, "relu", law, batch=64)
        for one, quantity in zip(axes, QUANTITIES, strict=True):
            draw_band(one, found, quantity, label=name)
    for one, (_, title) in zip(axes, QUANTITIES.items(), strict=True):
        one.set_title(title, fontsize=10)
        one.set_xlabel("layer")
    axes[0].set_ylabel("mean square")
    axes[0].legend()
    figure.tight_layout()
    return figure
