"""Knows how to draw which block of the cipher each element of a tensor comes from, and which shard holds it.

It must not know the cipher.
"""

from __future__ import annotations

from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

ROWS, COLUMNS = 4, 8


def draw() -> Figure:
    """Return a small tensor, four elements to a block, with the outline of one shard."""
    figure, axes = plt.subplots(figsize=(7.0, 3.0))
    for row in range(ROWS):
        for column in range(COLUMNS):
            index = row * COLUMNS + column
            block, word = divmod(index, 4)
            corner = (column, ROWS - 1 - row)
            axes.add_patch(
                Rectangle(corner, 1, 1, facecolor=f"C{(block + block // 2) % 2}", alpha=0.25, linewidth=0)
            )
            middle = (corner[0] + 0.5, corner[1] + 0.5)
            axes.text(*middle, f"{block}.{word}", ha="center", va="center", fontsize=9)
    axes.add_patch(Rectangle((2, 1), 4, 2, facecolor="none", edgecolor="C2", linewidth=2.5))
    axes.text(6.1, 2.0, "a shard", color="C2", va="center", fontsize=9, fontweight="bold")
    axes.set_xlim(-0.05, COLUMNS + 0.05)
    axes.set_ylim(-0.05, ROWS + 0.05)
    axes.set_aspect("equal")
    axes.axis("off")
    return figure
