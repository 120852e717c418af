"""Knows which pictures a report makes, and writes them as PNG and SVG; matplotlib is imported only here.

It must not measure.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

__all__ = ["PICTURES", "draw_all"]

# Each is a module of this package.
PICTURES = ("speed", "sizes", "threads", "memory", "roofline")

_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "fanfill",
    "font.family": "sans-serif",
    "font.size": 11.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#9aa1a9",
    "axes.labelcolor": "#333333",
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlesize": 12.0,
    "figure.titlesize": 15.0,
    "figure.titleweight": "bold",
    "legend.frameon": False,
    "lines.linewidth": 2.2,
    "lines.markersize": 6.0,
}


def draw_all(report: dict[str, Any], folder: Path) -> list[str]:
    """Write every picture for which the report has figures; return their names.

    Parameters
    ----------
    report : dict
        What a run has gathered.
    folder : Path
        Where ``NAME.png`` and ``NAME.svg`` are written.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    drawn = []
    with mpl.rc_context(_STYLE):
        for name in PICTURES:
            figure = import_module(f"{__name__}.{name}").draw(report)
            if figure is None:
                continue
            figure.savefig(folder / f"{name}.png", dpi=160)
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
            plt.close(figure)
            drawn.append(name)
    return drawn
