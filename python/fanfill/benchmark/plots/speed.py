"""Draws speed by library and law, against the line of memset.

It must not know how the speeds were taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..workload import DTYPES
from .frame import LABELS, OURS, ROOF, THEIRS, finish, found, times

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw"]

_PANELS = {
    ("normal", "float32"): "Normal, float32",
    ("uniform", "float32"): "Uniform, float32",
    ("truncated", "float32"): "Normal truncated at ±2σ, float32",
    ("normal", "float64"): "Normal, float64",
}

Bar = tuple[str, str, float, float]  # rival, label, 1e9 values per second, how many times as fast fanfill is


def _bars(report: dict[str, Any], law: str, dtype: str) -> list[Bar]:
    """Return fanfill and the best way of each library, fastest last."""
    best: dict[str, Bar] = {}
    own = []
    for one in found(report, "laws", law=law, dtype=dtype):
        right = one["right"]
        if right["rival"] == "fanfill":
            continue
        own.append((one["left"]["values_per_s"] / 1e9, one["left"]["way"]))
        if right["rival"] not in LABELS or right["rival"] == "memset":
            continue
        label = f"{LABELS[right['rival']]}: {right['way']}"
        bar = (right["rival"], label, right["values_per_s"] / 1e9, one["ratio"])
        if bar[2] > best.get(right["rival"], ("", "", 0.0, 0.0))[2]:
            best[right["rival"]] = bar
    if own:
        own.sort()
        speed, way = own[len(own) // 2]
        best["fanfill"] = ("fanfill", f"fanfill: {way}", speed, 1.0)
    return sorted(best.values(), key=lambda bar: bar[2])


def _memset(report: dict[str, Any], dtype: str) -> float:
    """Return the 1e9 values of that type per second that memset would overwrite in warm memory."""
    speeds = sorted(
        one["right"]["bytes_per_s"] for one in found(report, "laws") if one["right"]["rival"] == "memset"
    )
    measured = speeds[len(speeds) // 2] if speeds else report["machine"]["memset_bytes_per_s"]
    return float(measured) / 1e9 / DTYPES[dtype]


def _draw_panel(axes: Axes, report: dict[str, Any], law: str, dtype: str) -> None:
    bars = _bars(report, law, dtype)
    axes.barh(
        [label for _, label, _, _ in bars],
        [speed for _, _, speed, _ in bars],
        color=[OURS if rival == "fanfill" else THEIRS for rival, _, _, _ in bars],
        height=0.72,
    )
    line = _memset(report, dtype)
    most = max(line, bars[-1][2])
    for at, (rival, _, speed, ratio) in enumerate(bars):
        shown = f"{speed:.2f}" if speed >= 0.1 else f"{speed:.3f}"
        text = shown if rival == "fanfill" else f"{shown}   fanfill is {times(ratio)} as fast"
        # Where the line of memset would cross the text it stands inside of the bar.
        inside = speed > 0.62 * most
        axes.annotate(
            text,
            xy=(speed, at),
            xytext=(-4 if inside else 4, 0),
            textcoords="offset points",
            va="center",
            ha="right" if inside else "left",
            fontsize=9,
            color="white" if inside and rival == "fanfill" else "#333333",
            bbox=None if inside else {"facecolor": "white", "edgecolor": "none", "pad": 0.6},
            zorder=3,
        )
    axes.axvline(line, color=ROOF, linewidth=1.6)
    axes.annotate(
        f"memset {line * DTYPES[dtype]:.1f} GB/s",
        xy=(line, 0.0),
        xycoords=axes.get_xaxis_transform(),
        xytext=(-5 if line > 0.5 * most else 5, 5),
        textcoords="offset points",
        ha="right" if line > 0.5 * most else "left",
        color=ROOF,
        fontsize=10,
        fontweight="bold",
    )
    axes.set_xlim(0.0, 1.04 * most)
    axes.set_title(_PANELS[law, dtype])
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("10⁹ values per second")


def draw(report: dict[str, Any]) -> Figure | None:
    """Return the picture, or None where the report has no such figures."""
    from matplotlib import pyplot as plt

    panels = [key for key in _PANELS if len(_bars(report, *key)) > 1]
    if not panels:
        return None
    rows = -(-len(panels) // 2)
    counts = [[len(_bars(report, *key)) for key in panels[2 * row : 2 * row + 2]] for row in range(rows)]
    heights = [max(count) for count in counts]
    figure, grid = plt.subplots(
        rows,
        min(2, len(panels)),
        squeeze=False,
        figsize=(7.0 * min(2, len(panels)), 1.3 + sum(0.31 * n + 1.0 for n in heights)),
        gridspec_kw={"height_ratios": heights},
    )
    for axes, key in zip(grid.flat, panels, strict=False):
        _draw_panel(axes, report, *key)
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    rivals = {bar[0] for key in panels for bar in _bars(report, *key)}
    return finish(figure, report, "Random values on one core, in warm memory", rivals)
