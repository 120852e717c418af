"""Knows how to draw the training curves of 22 and 30 ReLU layers, from He's scale and from Glorot's.

It must not know how they were measured: docs/results/he_depth.json has them.
"""

from __future__ import annotations

import math

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from measured_run import measured

DEPTHS, RULES = (22, 30), ("He", "Glorot")


def draw() -> Figure:
    """Return the loss over epochs, a plot for each depth, the middle seed with the band of all."""
    runs = measured("he_depth")["runs"]
    figure, axes = plt.subplots(1, 2, figsize=(9.0, 3.2), sharey=True)
    for one, depth in zip(axes, DEPTHS, strict=True):
        for rule in RULES:
            losses = np.array([run["losses"] for run in runs if (run["depth"], run["rule"]) == (depth, rule)])
            epochs = np.arange(losses.shape[1])
            (line,) = one.plot(epochs, np.median(losses, axis=0), label=rule)
            one.fill_between(
                epochs,
                losses.min(axis=0),
                losses.max(axis=0),
                color=line.get_color(),
                alpha=0.25,
                linewidth=0,
            )
        one.axhline(math.log(10.0), color="#8a8f98", linewidth=1.0, linestyle=":", label="chance")
        one.set_title(f"{depth} layers", fontsize=10)
        one.set_xlabel("epoch")
    axes[0].set_ylabel("training loss")
    axes[0].legend()
    figure.tight_layout()
    return figure
