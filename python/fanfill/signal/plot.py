"""Knows how a propagation is drawn: a quantity over depth, draws as a band, theory as a dotted line.

It must not know how either was found; matplotlib is imported when a figure is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .propagation import Propagation

__all__ = ["draw_band", "propagation_figure"]

_TITLES = {
    "pre_activation": "pre-activations, mean square",
    "activation": "activations, mean square",
    "activation_mean": "activations, mean",
    "activation_variance": "activations, variance",
    "gradient": "gradients, mean square",
    "weight_gradient": "weight gradients, mean square",
    "correlation": "correlation of two inputs",
}
_LINEAR = ("activation_mean", "correlation")


def propagation_figure(found: Propagation, quantities: Sequence[str]) -> Figure:
    """Return a figure with one plot for each quantity."""
    try:
        from matplotlib import pyplot as plt
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        raise ImportError("Propagation.plot needs matplotlib: pip install matplotlib") from error
    names = [quantities] if isinstance(quantities, str) else list(quantities)
    if not names:
        raise ValueError("quantities is empty")
    for name in names:
        found.band(name)  # which raises for one that there isn't
    figure, axes = plt.subplots(1, len(names), figsize=(3.6 * len(names), 3.0), squeeze=False)
    for one, name in zip(axes[0], names, strict=True):
        draw_band(one, found, name, label="measured", theory="theory")
        one.set_title(_TITLES[name], fontsize=10)
        one.set_xlabel("layer")
    axes[0][0].legend()
    figure.tight_layout()
    made: Figure = figure
    return made


def draw_band(axes: Axes, found: Propagation, quantity: str, *, label: str, theory: str | None = None) -> Any:
    """Draw one quantity into axes: the median of the draws with their band, and what was predicted."""
    low, middle, high = found.band(quantity)
    depth = np.arange(1, found.depth + 1)
    (line,) = axes.plot(depth, middle, label=label)
    axes.fill_between(depth, low, high, color=line.get_color(), alpha=0.25, linewidth=0)
    axes.plot(
        depth, getattr(found.predicted, quantity), color=line.get_color(), linestyle=":", linewidth=1.2,
        label=theory,
    )  # fmt: skip
    if quantity not in _LINEAR:
        axes.set_yscale("log")
    return line
