"""Knows how to draw the picture of a diagnosis that the how-to page speaks of.

It must not know how a diagnosis is drawn.
"""

from __future__ import annotations

from matplotlib.figure import Figure
from torch import nn

import fanfill as ff
from fanfill.torch import diagnose, initialize_


def draw() -> Figure:
    """Return what torch's default weights do in twenty layers of GELU, as `Diagnosis.plot` shows it."""
    parts = [part for _ in range(20) for part in (nn.Linear(128, 128), nn.GELU())]
    net = initialize_(nn.Sequential(*parts), "torch-default", seed=0)
    return diagnose(net, ff.normal((64, 128), seed=0, key="batch")).plot()
