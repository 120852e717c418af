"""Knows how to draw the compromises between both fans where widths change.

It must not know how moments are found.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

import fanfill as ff
from fanfill.signal.plot import draw_band

WIDTHS = (512, 64, 512, 64, 512, 64, 512, 64, 512, 256, 128, 64, 32)
FANS: dict[str, Callable[[ff.Fans], float]] = {
    "fan in": lambda both: both.fan_in,
    "fan out": lambda both: both.fan_out,
    "arithmetic": lambda both: (both.fan_in + both.fan_out) / 2,
    "geometric": lambda both: math.sqrt(both.fan_in * both.fan_out),
    "harmonic": lambda both: 2 / (1 / both.fan_in + 1 / both.fan_out),
}
# The page's own colours are four.
COLOURS = ("#12908e", "#c8731a", "#7a5cc4", "#8a8f98", "#b8336a")


def draw() -> Figure:
    """Return pre-activations and gradients of a linear network under five means of the fans."""
    figure, axes = plt.subplots(1, 2, figsize=(9.0, 3.2), sharey=True)
    layers = list(zip(WIDTHS[1:], WIDTHS, strict=False))
    for (name, fan), colour in zip(FANS.items(), COLOURS, strict=True):

        def rule(both: ff.Fans, fan: Callable[[ff.Fans], float] = fan) -> ff.Normal:
            return ff.Normal(0.0, 1.0 / math.sqrt(fan(both)))

        found = ff.propagation(layers, "linear", rule, batch=64)
        for one, quantity in zip(axes, ("pre_activation", "gradient"), strict=True):
            one.set_prop_cycle(color=[colour])
            draw_band(one, found, quantity, label=name)
    for one, title in zip(axes, ("pre-activations", "gradients"), strict=True):
        one.set_title(title, fontsize=10)
        one.set_xlabel("layer, with its width")
        depth = range(1, len(layers) + 1)
        one.set_xticks(depth, [f"{at}\n{layers[at - 1][0]}" for at in depth], fontsize=7)
    axes[0].set_ylabel("mean square")
    axes[1].legend(fontsize=8)
    figure.tight_layout()
    return figure
