"""Draws speed in new memory beside warm memory, and beside zeroing.

It must not know how the speeds were taken.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from .frame import COLOURS, LABELS, finish, found, times

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

_WARM = "#7fb3b3"
_ZEROING = "ordinary pages"


def _remark(one: dict[str, Any]) -> tuple[tuple[str, str], str]:
    """Return of which bar a comparison's ratio tells something, and what."""
    left, right = one["left"], one["right"]
    if right["rival"] == "fanfill":
        return ("", ""), ""
    if right["rival"] != "memset":
        return (right["rival"], right["way"]), f"{left['way']} is {times(one['ratio'])} as fast"
    if right["way"] == _ZEROING:
        return (left["rival"], left["way"]), f"{times(one['ratio'])} zeroing"
    return ("", ""), ""


def _bars(report: dict[str, Any]) -> list[tuple[str, float, str, str]]:
    """Return label, bytes per second, colour and remark, for float32 normals; fastest last."""
    speeds: dict[tuple[str, str, str], list[float]] = {}
    remarks = {}
    for one in found(report, "memory", law="normal"):
        for side in (one["left"], one["right"]):
            speeds.setdefault((side["rival"], side["way"], side["memory"]), []).append(side["bytes_per_s"])
        key, remark = _remark(one)
        remarks[key] = remark
    bars = []
    for (rival, way, memory), each in speeds.items():
        label = f"{LABELS[rival]}: {way}" if memory == "new" else f"{LABELS[rival]}, warm memory"
        if rival == "memset":
            label = f"zeroing, {way}"
        colour = COLOURS.get(rival, "") if memory == "new" else _WARM
        bars.append((label, median(each), colour, remarks.get((rival, way), "") if memory == "new" else ""))
    return sorted(bars, key=lambda bar: bar[1])


def draw(report: dict[str, Any]) -> Figure | None:
    """Return the picture, or None where the report has no such figures."""
    from matplotlib import pyplot as plt

    bars = _bars(report)
    zeroing = next((bar[1] for bar in bars if bar[0] == f"zeroing, {_ZEROING}"), None)
    if zeroing is None or len(bars) < 3:
        return None
    figure, axes = plt.subplots(figsize=(10.0, 1.8 + 0.38 * len(bars)))
    labels, speeds, colours, remarks = zip(*bars, strict=True)
    axes.barh(labels, [speed / 1e9 for speed in speeds], color=colours, height=0.72)
    axes.axvline(zeroing / 1e9, color=COLOURS["memset"], linewidth=1.2, linestyle=":")
    for at, (speed, remark) in enumerate(zip(speeds, remarks, strict=True)):
        axes.annotate(
            f"{speed / 1e9:.2f} GB/s   {remark}".rstrip(),
            xy=(speed / 1e9, at),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color="#333333",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
        )
    axes.set_xlim(0.0, 1.35 * speeds[-1] / 1e9)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("GB of float32 normals per second: allocated, filled and freed; one core")
    rivals = {one["right"]["rival"] for one in found(report, "memory")}
    return finish(figure, report, "New memory: random weights beside zeros", rivals)
