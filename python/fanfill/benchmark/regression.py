"""Knows which figures of a run are worse than those of an earlier one, by more than both spread.

It must not know how a figure was taken.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..regular_file import read_regular
from .table import aligned, side_name

__all__ = ["Change", "changes", "changes_text", "read_report"]

# A ratio of two runs also differs by where memory lies, which no spread within one run shows.
_LEAST = 0.03
_MAX_BYTES = 200_000_000
_SIDE = ("rival", "way", "law", "dtype", "size", "memory", "threads", "form")
_NUMBERS = ("ratio", "low", "high")


@dataclass(frozen=True)
class Change:
    """One comparison in two runs.

    Parameters
    ----------
    what : str
        Its task and sides.
    old, new : float
        The ratios: the median over the rounds.
    spread : float
        The middle halves of both runs together, or 3% of the old ratio where that is more.
    """

    what: str
    old: float
    new: float
    spread: float

    @property
    def is_regression(self) -> bool:
        """Whether the ratio has fallen by more than the spread."""
        return self.old - self.new > self.spread

    @property
    def is_improvement(self) -> bool:
        """Whether the ratio has risen by more than the spread."""
        return self.new - self.old > self.spread


def read_report(path: Path) -> dict[str, Any]:
    """Return a report that an earlier run has written.

    Raises
    ------
    ValueError
        If the file can't be read, or is no report.
    """
    complaint = f"--compare: {path} is no report of `fanfill bench`"
    try:
        report = json.loads(read_regular(path, _MAX_BYTES))
    except OSError as error:
        raise ValueError(f"--compare: {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise ValueError(f"{complaint}: {error}") from error
    found = report.get("comparisons") if isinstance(report, dict) else None
    if not isinstance(found, list) or not found:
        raise ValueError(f"{complaint}: it has no comparisons")
    try:
        for one in found:
            _key(one)
            if not all(isinstance(one[name], float) for name in _NUMBERS):
                raise ValueError("a ratio is no number")
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{complaint}: {error!r}") from error
    result: dict[str, Any] = report
    return result


def _key(one: dict[str, Any]) -> tuple[Any, ...]:
    sides = [one[at][name] for at in ("left", "right") for name in _SIDE]
    return (one["task"], one["quantity"], *sides)


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """Return every comparison that both reports have, in the order of the new one.

    Parameters
    ----------
    old, new : dict
        Reports.
    """
    before = {_key(one): one for one in old["comparisons"]}
    found = []
    for one in new["comparisons"]:
        earlier = before.get(_key(one))
        if earlier is not None:
            spread = sum(each["high"] - each["low"] for each in (earlier, one))
            what = f"{one['task']}: {side_name(one['left'])} against {side_name(one['right'])}"
            spread = max(spread, _LEAST * earlier["ratio"])
            found.append(Change(what, earlier["ratio"], one["ratio"], spread))
    return found


def changes_text(old: dict[str, Any], new: dict[str, Any], found: list[Change]) -> str:
    """Return in words what has changed.

    Parameters
    ----------
    old, new : dict
        Reports.
    found : list of Change
        What `changes` returned for them.
    """
    counts = [len(report["comparisons"]) for report in (old, new)]
    lines = [f"{len(found)} comparisons are in both runs, of {counts[0]} and {counts[1]}"]
    cpus = [report.get("machine", {}).get("cpu", "unknown") for report in (old, new)]
    if cpus[0] != cpus[1]:
        lines.append(f"the earlier run was on another CPU ({cpus[0]}), this one on {cpus[1]}")
    for title, chosen in (
        ("slower than before, beyond the spread", [each for each in found if each.is_regression]),
        ("faster than before, beyond the spread", [each for each in found if each.is_improvement]),
    ):
        if chosen:
            rows = [(title, "before", "now", "spread")]
            rows += [
                (each.what, f"{each.old:.3f}", f"{each.new:.3f}", f"{each.spread:.3f}") for each in chosen
            ]
            lines += ["", *aligned(rows)]
    if not any(each.is_regression for each in found):
        lines.append("no regression beyond the spread")
    return "\n".join(lines)
