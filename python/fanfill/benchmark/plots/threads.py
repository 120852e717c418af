"""Draws thread scaling, and says which part of it nobody has measured.

It must not know how the speeds were taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .frame import COLOURS, LABELS, OURS, finish, found

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw"]

_FULL = 16  # threads that the picture is to reach


def _lines(report: dict[str, Any]) -> dict[str, dict[int, float]]:
    """Return rival: threads: bytes per second; fanfill's the median over its rivals."""
    lines: dict[str, dict[int, list[float]]] = {}
    for one in found(report, "threads"):
        for side in (one["left"], one["right"]):
            line = lines.setdefault(side["rival"], {})
            line.setdefault(side["threads"], []).append(side["bytes_per_s"])
    return {
        rival: {threads: sorted(speeds)[len(speeds) // 2] for threads, speeds in sorted(line.items())}
        for rival, line in lines.items()
    }


def _draw_missing(axes: Axes, most: int) -> None:
    axes.axvspan(
        most * 1.12, _FULL * 1.2, facecolor="#f3f4f5", hatch="//", edgecolor="#dcdfe2", linewidth=0.0
    )
    axes.text(
        (most * 1.12 * _FULL * 1.2) ** 0.5,
        0.5,
        f"not measured:\nthis machine has {most} core{'s' * (most > 1)}",
        transform=axes.get_xaxis_transform(),
        ha="center",
        va="center",
        color="#6b7178",
        backgroundcolor="#f3f4f5",
    )


def draw(report: dict[str, Any]) -> Figure | None:
    """Return the picture, or None where the report has no such figures."""
    from matplotlib import pyplot as plt

    lines = _lines(report)
    own = lines.get("fanfill", {})
    if 1 not in own:
        return None
    figure, axes = plt.subplots(figsize=(10.0, 5.8))
    most = max(max(own), 1)
    ticks = sorted({1, 2, 4, 8, 16, *own})
    ideal = [count for count in ticks if count <= max(most, 1)]
    axes.plot(ideal, [own[1] / 4e9 * count for count in ideal], ":", color=OURS, linewidth=1.4)
    for rival, line in lines.items():
        style = "--" if rival == "memset" else "-"
        speeds = [speed / 4e9 for speed in line.values()]
        axes.plot(list(line), speeds, style, marker="o", color=COLOURS.get(rival), label=LABELS[rival])
    for one in found(report, "threads"):
        if one["right"]["rival"] == "fanfill":
            text = f"{one['ratio']:.2f}× ({one['low']:.2f}–{one['high']:.2f})"
            place = (one["left"]["threads"], own[one["left"]["threads"]] / 4e9)
            axes.annotate(
                text,
                xy=place,
                xytext=(7, -13),
                textcoords="offset points",
                ha="left",
                color=OURS,
                fontsize=9,
            )
    axes.set_xscale("log", base=2)
    axes.set_xticks(ticks, [str(count) for count in ticks])
    axes.set_xlim(0.9, max(_FULL, most) * 1.2)
    axes.set_ylim(bottom=0.0)
    if most < _FULL:
        _draw_missing(axes, most)
    # Between memset, which needs no second core, and what grows with cores.
    axes.legend(loc="upper left", bbox_to_anchor=(0.0, 0.88))
    axes.grid(visible=True, axis="y", color="#e6e8ea")
    axes.set_xlabel("threads (dotted: each as fast as one alone)")
    axes.set_ylabel("10⁹ float32 normals per second, wall time")
    return finish(figure, report, "Thread scaling in warm memory", set(lines))
