"""Knows how to draw the statistics of a network's layers over its first steps of training.

It must not know how they were measured: docs/results/first_steps.json has them.
"""

from __future__ import annotations

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from measured_run import measured

PLOTS = {
    "pre_activation": "pre-activations, mean square",
    "correlation": "correlation of two inputs",
    "weight_gradient": "weight gradients, mean square",
}


def draw() -> Figure:
    """Return each quantity over layers, a line for each step, the middle seed with the band of all."""
    runs = measured("first_steps")["runs"]
    steps = sorted({run["step"] for run in runs})
    figure, axes = plt.subplots(1, 3, figsize=(9.0, 3.2))
    # From violet to orange: each is seen on a light page and on a dark one.
    colours = LinearSegmentedColormap.from_list("steps", ("#7a5cc4", "#12908e", "#c8731a"))(
        np.linspace(0.0, 1.0, len(steps))
    )
    for one, (quantity, title) in zip(axes, PLOTS.items(), strict=True):
        for step, colour in zip(steps, colours, strict=True):
            draws = np.array([run[quantity] for run in runs if run["step"] == step])
            depth = np.arange(1, draws.shape[1] + 1)
            one.plot(depth, np.median(draws, axis=0), color=colour, linewidth=1.4, label=f"{step}")
            one.fill_between(
                depth, draws.min(axis=0), draws.max(axis=0), color=colour, alpha=0.15, linewidth=0
            )
        one.set_title(title, fontsize=10)
        one.set_xlabel("layer")
        one.set_xticks(range(1, len(runs[0][quantity]) + 1, 2))
    for one in (axes[0], axes[2]):
        one.set_yscale("log")
    axes[2].legend(title="step", fontsize=8, title_fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.tight_layout()
    return figure
