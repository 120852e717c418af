"""Knows how to print a report for a terminal.

It must not measure, nor judge.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from . import tasks

__all__ = ["aligned", "report_text", "side_name", "speed_text"]

_COUNTS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def aligned(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return the rows as lines: the first column to the left, the others to the right."""
    table = list(rows)
    widths = [max(len(row[at]) for row in table) for at in range(len(table[0]))]
    return [
        "  ".join(cell.ljust(width) if at == 0 else cell.rjust(width) for at, (cell, width) in pairs).rstrip()
        for row in table
        for pairs in [list(enumerate(zip(row, widths, strict=True)))]
    ]


def side_name(side: dict[str, Any]) -> str:
    """Return one side of a comparison in words."""
    if side["rival"] == "memset":  # which knows no law, and its bytes no element type
        parts = [side["way"] if side["memory"] == "warm" else f"memset, {side['way']}"]
    else:
        parts = [f"{side['rival']} {side['way']}:", side["law"], side["dtype"]]
    if side["form"] != "flat":
        parts.append(side["form"])
    if side["memory"] == "new":
        parts.append("new")
    if side["threads"] > 1:
        parts.append(f"{side['threads']} threads")
    return " ".join(parts)


def speed_text(side: dict[str, Any]) -> tuple[str, str]:
    """Return values and bytes per second; memset has no values."""
    bandwidth = f"{side['bytes_per_s'] / 1e9:.2f} GB/s"
    return ("" if side["rival"] == "memset" else f"{side['values_per_s'] / 1e9:.3f} G/s", bandwidth)


def _count(values: int) -> str:
    for unit, letter in _COUNTS:
        if values >= unit:
            return f"{values / unit:.3g}{letter}"
    return str(values)


def _ratio(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio >= 10.0 else f"{ratio:.3f}"


def _rows(comparisons: list[dict[str, Any]]) -> Iterable[tuple[str, ...]]:
    yield ("left", "values", "speed", "", "against", "speed", "", "ratio", "middle half", "of", "rounds")
    for one in comparisons:
        left, right = one["left"], one["right"]
        count = left["values_per_s"] * left["median_s"]
        yield (
            *(side_name(left), _count(round(count)), *speed_text(left)),
            *(side_name(right), *speed_text(right)),
            *(_ratio(one["ratio"]), f"{_ratio(one['low'])} - {_ratio(one['high'])}"),
            *(f"{one['quantity']}, {one['clock']}", str(one["rounds"])),
        )


def _head(report: dict[str, Any]) -> list[str]:
    machine = report["machine"]
    lines = [f"fanfill {report['versions'].get('fanfill', '')}, {report['commit']}"]
    lines[0] += " with changes to its sources" if report["core_differs"] else ""
    lines += [
        f"CPU: {machine['cpu']} (family/model {machine['family_model']}), {machine['usable_cores']} of "
        f"{machine['cores']} cores, caches {machine['caches']}",
        f"instruction set: {machine['isa']} of {', '.join(machine['isas'])}",
        f"threads: one, bound to CPU {machine['pinned_to']}; {machine['threads']} where several are measured",
        f"pages: {machine['pages']}; huge pages are offered: {machine['huge_pages_offered']}",
        f"memset: {machine['memset_bytes_per_s'] / 1e9:.2f} GB/s in warm memory, one thread",
        f"kernel {machine['kernel']}, {machine['libc']}, Python {machine['python']}, load average "
        f"{machine['load_average'][0]:.1f}",
    ]
    lines += [f"{name}: {version}" for name, version in report["versions"].items() if name != "fanfill"]
    for kind in ("absent", "refused", "failed"):
        lines += [f"{kind}: {name}: {why}" for name, why in report[kind].items()]
    return lines


def report_text(report: dict[str, Any]) -> str:
    """Return a report, as it is written to JSON, as a text of several tables.

    Parameters
    ----------
    report : dict
        What a run has gathered.
    """
    parts = [_head(report)]
    for name in dict.fromkeys(one["task"] for one in report["comparisons"]):
        title = tasks.load(name).SUMMARY if name in tasks.TASKS else name
        found = [one for one in report["comparisons"] if one["task"] == name]
        parts.append([f"{name}: {title}", *aligned(_rows(found))])
    return "\n\n".join("\n".join(part) for part in parts)
