"""Draws the roofline: memory's limits, the instruction bound, and where each kernel lies under them.

It must not know how bounds or speeds were found. Only a clone's ``python -m bench`` has the bounds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .frame import OURS, ROOF, finish, found

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw"]

_ITEMSIZE = 4
_ISA_COLOURS = {"avx512": OURS, "avx2": "#e07b39", "neon": OURS}
_MARKERS = {"normal": "o", "uniform": "s"}


def _bounds(report: dict[str, Any]) -> dict[tuple[str, str], float]:
    """Return isa, law: cycles that the instructions of a float32 value need on this CPU."""
    cpu = report.get("port_bound_cpu")
    return {
        (one["isa"], one["law"]): one["cycles_per_value"]
        for one in report.get("port_bounds", ())
        if one["cpu"] == cpu
    }


def _warm(report: dict[str, Any]) -> dict[tuple[str, str], float]:
    """Return isa, law: bytes per second in warm memory."""
    largest = max((one["left"]["size"] for one in found(report, "isa")), default=0)
    return {
        (one["left"]["way"], one["left"]["law"]): one["left"]["bytes_per_s"]
        for one in found(report, "isa", size=largest)
    }


def _draw_roofs(axes: Axes, report: dict[str, Any], clock: float, span: tuple[float, float]) -> None:
    middle = span[0] ** 0.35 * span[1] ** 0.65
    axes.plot(span, [clock / x / 1e9 for x in span], color="#333333", linewidth=1.8)
    axes.annotate(
        f"instruction bound at {clock / 1e9:.2f} GHz",
        xy=(middle, clock / middle / 1e9),
        xytext=(8, 4),
        textcoords="offset points",
        color="#333333",
        va="bottom",
    )
    speeds = {
        "memset": report["machine"]["memset_bytes_per_s"],
        "streaming stores": report.get("store_speeds", {}).get("streaming stores"),
    }
    roofs = sorted((speed, name) for name, speed in speeds.items() if speed is not None)
    for speed, name in roofs:
        is_highest = (speed, name) == roofs[-1]  # its label above and the other's below: they may be one
        axes.axhline(speed / 1e9, color=ROOF, linewidth=1.4, linestyle="-" if name == "memset" else ":")
        axes.annotate(
            f"{name}, warm memory: {speed / 1e9:.1f} GB/s",
            xy=(span[1], speed / 1e9),
            xytext=(0, 3 if is_highest else -3),
            textcoords="offset points",
            ha="right",
            va="bottom" if is_highest else "top",
            color=ROOF,
            fontsize=9.5,
        )


def draw(report: dict[str, Any]) -> Figure | None:
    """Return the picture, or None where the report has no bounds for this CPU."""
    from matplotlib import pyplot as plt

    bounds, warm = _bounds(report), _warm(report)
    cache = {
        (one["way"], one["law"]): one
        for one in report.get("in_cache", ())
        if one["rival"] == "fanfill" and one["dtype"] == "float32"
    }
    points = [key for key in bounds if key in cache]
    if not points:
        return None
    clock = max(cache[key]["clock_hz"] for key in points)
    work = {key: bounds[key] / _ITEMSIZE for key in points}
    span = (min(work.values()) / 2.0, max(work.values()) * 2.0)
    figure, axes = plt.subplots(figsize=(10.0, 6.2))
    _draw_roofs(axes, report, clock, span)
    for isa, law in points:
        x, colour, marker = work[isa, law], _ISA_COLOURS[isa], _MARKERS[law]
        speed = clock / cache[isa, law]["cycles_per_value"] * _ITEMSIZE / 1e9
        share = bounds[isa, law] / cache[isa, law]["cycles_per_value"]
        axes.plot(x, speed, marker, color=colour, markersize=10)
        lowest = speed
        if (isa, law) in warm:
            lowest = min(speed, warm[isa, law] / 1e9)
            axes.plot(x, warm[isa, law] / 1e9, marker, markersize=10, markerfacecolor="white", color=colour)
        axes.annotate(
            f"{law}\n{isa}\n{share:.0%}",
            xy=(x, lowest),
            xytext=(0, -10),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=9.5,
            color=colour,
        )
    axes.plot([], [], "o", color="#555555", markersize=9, label="in cache (1 MiB)")
    axes.plot([], [], "o", color="#555555", markersize=9, markerfacecolor="white", label="warm memory")
    axes.plot([], [], " ", label="%: share of the bound, in cache")
    axes.legend(loc="lower left")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_xlim(*span)
    axes.set_ylim(bottom=axes.get_ylim()[0] / 2.0)  # room for the names
    axes.grid(visible=True, color="#e6e8ea")
    axes.set_xlabel("work: cycles that a byte's instructions need on the busiest port")
    axes.set_ylabel("GB per second, one core")
    return finish(figure, report, "Roofline of the float32 kernels", set())
