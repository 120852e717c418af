"""Knows how to draw what a deep ReLU network does to its signal under several laws and scales.

It must not know how a law is drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

import fanfill as ff

WIDTH, DEPTH, BATCH, SEEDS = 256, 30, 256, (0, 1, 2)
LAWS: dict[str, Callable[..., Any]] = {
    "He, normal": ff.he_normal_,
    "He, uniform": ff.he_uniform_,
    "He, truncated": ff.he_truncated_normal_,
    "Glorot, uniform": ff.glorot_uniform_,
}


def mean_squares(name: str, seed: int) -> np.ndarray[Any, Any]:
    """Return the mean square of the pre-activations of each layer, that of the input being 1."""
    signal = ff.normal((BATCH, WIDTH), seed=seed, key="input")
    weight = np.empty((WIDTH, WIDTH), np.float32)
    found = []
    for layer in range(DEPTH):
        # A key for each law: with one for all, they would be the same random words in other shapes.
        signal = signal @ LAWS[name](weight, seed=seed, key=f"{name}, layer{layer}.weight").T
        found.append(float((signal**2).mean()))
        signal = np.maximum(signal, 0)
    return np.array(found)


def draw() -> Figure:
    """Return a line for each law, the middle of three seeds, with the band of all three; right, near 2."""
    figure, (axes, near) = plt.subplots(1, 2, figsize=(9.0, 3.2))
    depth = np.arange(1, DEPTH + 1)
    for name in LAWS:
        runs = np.array([mean_squares(name, seed) for seed in SEEDS])
        low, middle, high = runs.min(axis=0), np.median(runs, axis=0), runs.max(axis=0)
        for one in (axes, near):
            (line,) = one.plot(depth, middle, label=name)
            one.fill_between(depth, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
    axes.plot(depth, 2.0 ** -(depth - 1.0), color="C3", linewidth=1.0, linestyle=":", label="half a layer")
    near.axhline(2.0, color="C3", linewidth=1.0, linestyle=":")
    axes.set(yscale="log", xlabel="layer", ylabel="mean square")
    near.set(ylim=(0.0, 4.0), xlabel="layer")
    axes.legend(loc="lower left", fontsize=9)
    figure.tight_layout()
    return figure
