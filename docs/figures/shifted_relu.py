"""Knows how to draw what ReLU's mean, a shift and a border of zeros do to the variance of layers.

It must not know how it is found.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

import fanfill as ff
from fanfill.signal.plot import draw_band

WIDTH, DEPTH, SHIFT = 256, 20, 0.5


def shifted(z: Any) -> Any:
    """Return ReLU less a half."""
    return np.maximum(z, 0.0) - SHIFT


def draw() -> Figure:
    """Return layers' variance, dense and convolutional, and the mean of activations."""
    figure, (dense, means, pictures) = plt.subplots(1, 3, figsize=(9.0, 3.0))
    layers = [(WIDTH, WIDTH)] * DEPTH
    own = ff.Normal(0.0, ff.gains(shifted).forward / math.sqrt(WIDTH))
    for name, f, law in (
        ("ReLU, He", "relu", "he_normal"),
        ("shifted, He", shifted, "he_normal"),
        ("shifted, its own gain", shifted, ["lecun_normal"] + [own] * (DEPTH - 1)),
    ):
        found = ff.propagation(layers, f, law, batch=64)
        draw_band(dense, found, "pre_activation", label=name)
        draw_band(means, found, "activation_mean", label=name)
    dense.set_title("pre-activations, mean square", fontsize=10)
    means.set_title("activations, mean", fontsize=10)
    dense.set_ylim(0.25, 12.0)
    dense.set_yticks([0.5, 1.0, 2.0, 4.0, 8.0], ["0.5", "1", "2", "4", "8"])
    images = [(64, 64, 3, 3)] * (DEPTH // 2)
    for name, padding in (("wrapped round", "circular"), ("border of zeros", "zeros")):
        found = ff.propagation(images, "relu", batch=4, padding=padding, positions=8)
        draw_band(pictures, found, "pre_activation", label=name)
    pictures.set_yticks([0.5, 1.0, 2.0, 4.0, 8.0], ["0.5", "1", "2", "4", "8"])
    pictures.set_ylim(0.45, 9.0)
    for one in (dense, pictures):
        one.minorticks_off()
    pictures.set_title("convolutions, pre-activations", fontsize=10)
    for one in (dense, means, pictures):
        one.set_xlabel("layer")
    dense.legend(fontsize=8, loc="upper left")
    pictures.legend(fontsize=8, loc="lower left")
    figure.tight_layout()
    return figure
