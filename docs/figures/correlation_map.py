"""Knows how to draw the correlation map of three networks, and how two inputs' correlation moves with depth.

It must not know how either is found.
"""

from __future__ import annotations

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

import fanfill as ff
from fanfill.signal.activation import activation
from fanfill.signal.mean_field import MeanField
from fanfill.signal.plot import draw_band

WIDTH, DEPTH = 256, 30
# Activation, gain, standard deviation of biases.
NETWORKS = {
    "ReLU, He": ("relu", 2.0**0.5, 0.0),
    "tanh, gain 0.9: order": ("tanh", 0.9, 0.3),
    "tanh, gain 2: chaos": ("tanh", 2.0, 0.3),
}


def draw() -> Figure:
    """Return the maps beside the diagonal, and the correlation over depth."""
    figure, (maps, depths) = plt.subplots(1, 2, figsize=(9.0, 3.4))
    correlation = np.linspace(0.0, 1.0, 41)
    maps.plot([0, 1], [0, 1], color="#8a8f98", linewidth=0.8)
    for name, (f, gain, bias) in NETWORKS.items():
        found = ff.propagation(
            [(WIDTH, WIDTH)] * DEPTH, f, "lecun_normal", gain=gain, bias_std=bias, batch=64
        )
        theory = MeanField(activation(f), [gain**2 / WIDTH], [ff.Fans(WIDTH, WIDTH)], bias**2)
        fixed = found.fixed_point
        (line,) = maps.plot(
            correlation, theory.correlation_map(correlation, fixed.pre_activation), label=name
        )
        maps.plot([fixed.correlation], [fixed.correlation], "o", color=line.get_color())
        draw_band(depths, found, "correlation", label=name)
    maps.set_xlabel("correlation of two inputs")
    maps.set_ylabel("a layer later")
    maps.set_aspect("equal")
    maps.legend(fontsize=8)
    depths.set_xlabel("layer")
    depths.set_ylabel("correlation")
    depths.set_ylim(-0.05, 1.05)
    figure.tight_layout()
    return figure
