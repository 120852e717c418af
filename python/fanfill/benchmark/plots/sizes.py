"""Draws speed by the number of values.

It must not know how the speeds were taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .frame import COLOURS, LABELS, finish, found

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw"]

_APART = 1.45  # of two names, as a ratio


def _lines(report: dict[str, Any]) -> dict[str, dict[int, float]]:
    """Return rival: size in bytes: bytes per second; fanfill's the median over its rivals."""
    lines: dict[str, dict[int, list[float]]] = {}
    for one in found(report, "sizes"):
        for side in (one["left"], one["right"]):
            line = lines.setdefault(side["rival"], {})
            line.setdefault(side["size"], []).append(side["bytes_per_s"])
    return {
        rival: {size: sorted(speeds)[len(speeds) // 2] for size, speeds in sorted(line.items())}
        for rival, line in lines.items()
    }


def _label_ends(axes: Axes, ends: dict[str, tuple[float, float]]) -> None:
    """Name each line at its end, and the lower of two that lie close together a little lower."""
    above = float("inf")
    for rival, (count, speed) in sorted(ends.items(), key=lambda end: -end[1][1]):
        above = min(speed, above / _APART)
        axes.text(
            count * 1.25,
            above,
            LABELS[rival],
            color=COLOURS.get(rival),
            va="center",
            fontweight="bold",
            clip_on=False,
        )


def draw(report: dict[str, Any]) -> Figure | None:
    """Return the picture, or None where the report has no such figures."""
    from matplotlib import pyplot as plt

    lines = _lines(report)
    if len(lines.get("fanfill", {})) < 2:
        return None
    figure, axes = plt.subplots(figsize=(10.0, 5.8))
    ends: dict[str, tuple[float, float]] = {}
    for rival, line in lines.items():
        counts, speeds = [size / 4 for size in line], [speed / 4e9 for speed in line.values()]
        style, order = ("--" if rival == "memset" else "-"), (3 if rival == "fanfill" else 2)
        axes.loglog(counts, speeds, style, marker="o", color=COLOURS.get(rival), zorder=order)
        ends[rival] = (counts[-1], speeds[-1])
    _label_ends(axes, ends)
    axes.grid(visible=True, which="major", color="#e6e8ea")
    axes.margins(x=0.03)
    axes.set_xlim(right=max(lines["fanfill"]) / 4 * 6)
    axes.set_xlabel("float32 values of one call, from Python")
    axes.set_ylabel("10⁹ values per second")
    return finish(figure, report, "Normals by size, one core", set(lines))
