"""Knows what was drawn by fanfill and what was left to torch in one block, by function, and prints it.

It must not know how anything is drawn or why it was left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["FillCount", "FillReport", "PassedOn"]

_HEAD = ("function", "calls", "elements", "MB", "ms")


@dataclass(frozen=True, slots=True)
class FillCount:
    """How often one function was drawn by fanfill.

    Attributes
    ----------
    calls, elements, nbytes : int
        Totals over the calls.
    seconds : float
        Wall time, without what torch needs to come to the fill.
    """

    calls: int = 0
    elements: int = 0
    nbytes: int = 0
    seconds: float = 0.0

    def __add__(self, other: FillCount) -> FillCount:
        return FillCount(
            self.calls + other.calls,
            self.elements + other.elements,
            self.nbytes + other.nbytes,
            self.seconds + other.seconds,
        )


@dataclass(frozen=True, slots=True)
class PassedOn:
    """One function that drew from torch's own generators, for one reason.

    Attributes
    ----------
    function : str
        As torch calls it: ``"randperm"``.
    reason : str
        Why fanfill did not draw it.
    calls, elements : int
        Totals over the calls; elements are those of the results.
    """

    function: str
    reason: str
    calls: int
    elements: int


class FillReport:
    """What a block under `accelerate` drew; it grows while the block runs.

    Attributes
    ----------
    seed : int
        Of the block's streams.

    Examples
    --------
    >>> import torch, fanfill.torch
    >>> with fanfill.torch.accelerate(seed=0) as report:
    ...     layer = torch.nn.Linear(3, 2)
    >>> report.calls, report.elements, report.passed_on
    (2, 8, ())
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._fills: dict[str, FillCount] = {}
        self._passed_on: dict[tuple[str, str], tuple[int, int]] = {}

    @property
    def fills(self) -> Mapping[str, FillCount]:
        """What fanfill drew, by the name of torch's function: ``report.fills["normal_"].elements``."""
        return MappingProxyType(self._fills)

    @property
    def passed_on(self) -> tuple[PassedOn, ...]:
        """What torch drew itself, in the order in which it first did."""
        return tuple(PassedOn(*names, *counts) for names, counts in self._passed_on.items())

    @property
    def total(self) -> FillCount:
        """What fanfill drew in all."""
        return sum(self._fills.values(), FillCount())

    @property
    def calls(self) -> int:
        """The number of fills that fanfill drew."""
        return self.total.calls

    @property
    def elements(self) -> int:
        """The number of values that fanfill drew."""
        return self.total.elements

    @property
    def nbytes(self) -> int:
        """The bytes of those values."""
        return self.total.nbytes

    @property
    def seconds(self) -> float:
        """The wall time of those fills."""
        return self.total.seconds

    def add_fill(self, function: str, fill: FillCount) -> None:
        """Count a fill that fanfill drew."""
        self._fills[function] = self._fills.get(function, FillCount()) + fill

    def add_passed_on(self, function: str, reason: str, elements: int) -> None:
        """Count a call that torch drew."""
        calls, before = self._passed_on.get((function, reason), (0, 0))
        self._passed_on[function, reason] = (calls + 1, before + elements)

    def __repr__(self) -> str:
        rows = [_HEAD, *(_row(name, count) for name, count in self._fills.items())]
        if len(self._fills) != 1:
            rows.append(_row("in all", self.total))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [f"FillReport of seed {self.seed}: {self.calls:,} fills drawn by fanfill"]
        for first, *numbers in rows:
            cells = [first.ljust(widths[0]), *map(str.rjust, numbers, widths[1:])]
            lines.append("  " + "  ".join(cells))
        lines.append("passed on to torch:" if self._passed_on else "passed on to torch: nothing")
        lines += [
            f"  {each.function}  {each.calls:,} calls, {each.elements:,} elements: {each.reason}"
            for each in self.passed_on
        ]
        return "\n".join(lines)


def _row(name: str, count: FillCount) -> tuple[str, ...]:
    return (
        name,
        f"{count.calls:,}",
        f"{count.elements:,}",
        f"{count.nbytes / 1e6:,.1f}",
        f"{count.seconds * 1e3:,.1f}",
    )
