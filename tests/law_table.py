"""Knows how a table of the documentation is read, and whether values follow the law that a row states.

It must not know a library, nor how fanfill draws.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fanfill as ff

ROOT = Path(__file__).parents[1]
FAN_IN, FAN_OUT = 256, 384
# Names that the cells of a row may use.
NAMES: dict[str, Any] = {"I": FAN_IN, "O": FAN_OUT, "sqrt": math.sqrt, "s": 0.02}
_KOLMOGOROV = 1.95  # of sqrt(n) D: passed by 99.9 % of honest samples, and the seeds are fixed
_ERF = np.vectorize(math.erf)


class Keyed:
    """fanfill with a seed and a key for every call, as the pages leave them out."""

    def __getattr__(self, name: str) -> Any:
        member = getattr(ff, name)
        return partial(member, seed=7, key="w") if name.endswith("_") else member


def rows(page: str, heading: str) -> list[list[str]]:
    """The rows of the table below a heading of a page, as cells without backquotes."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    section = re.split(r"^## ", text, flags=re.MULTILINE)
    (found,) = [part for part in section if part.startswith(heading + "\n")]
    lines = [line for line in found.splitlines() if line.startswith("|")][2:]
    return [
        [cell.strip().strip("`") for cell in line.removeprefix("|").removesuffix("|").split("|")]
        for line in lines
    ]


def drawn(call: str, shape: tuple[int, ...], **names: Any) -> np.ndarray[Any, Any]:
    """The array that a call of fanfill fills."""
    w = np.full(shape, np.nan, np.float32)
    eval(call, {**NAMES, "ff": Keyed(), "w": w, **names})
    return w


@dataclass(frozen=True)
class StatedLaw:
    """What a row says: the law's kind, its standard deviation, and the ends of its values."""

    kind: str
    std: float
    low: float
    high: float

    @classmethod
    def of(cls, law: str, std: str, values: str) -> StatedLaw:
        kind = re.match(r"\w+", law)
        assert kind, law
        if values == "all":
            low, high = -math.inf, math.inf
        elif values.startswith("±"):
            high = float(eval(values[1:], NAMES))
            low = -high
        else:
            ends = re.fullmatch(r"\[(.+), (.+)\)", values)
            assert ends, values
            low, high = (float(eval(end, NAMES)) for end in ends.groups())
        return cls(kind[0], float(eval(std, NAMES)), low, high)

    def cdf(self, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """The probability of a value up to x."""
        if self.kind == "uniform":
            return np.clip((x - self.low) / (self.high - self.low), 0, 1)
        # All truncated laws of the pages are cut at two sigmas of the normal before the cut.
        sigma = self.high / 2 if self.kind == "truncated" else self.std
        share = _ERF(x / sigma / math.sqrt(2)) / 2
        return share / math.erf(math.sqrt(2)) + 0.5 if self.kind == "truncated" else share + 0.5

    def check(self, sample: Any) -> None:
        """Fail unless the sample's moments, its ends and its whole distribution are those of the law."""
        values = np.sort(np.asarray(sample, np.float64).ravel())
        n = values.size
        assert n == FAN_IN * FAN_OUT
        assert np.isfinite(values).all()
        if self.kind == "constant":
            assert (values == self.high).all()
            return
        middle = (self.low + self.high) / 2 if math.isfinite(self.high) else 0.0
        assert values.mean() == pytest.approx(middle, abs=4.5 * self.std / math.sqrt(n))
        assert values.std() == pytest.approx(self.std, rel=0.01)
        if math.isfinite(self.high):
            slack = 1e-3 * self.std  # the pages round 0.87962566
            assert self.low - slack <= values[0] < self.low + 0.02 * (self.high - self.low)
            assert self.high - 0.02 * (self.high - self.low) < values[-1] <= self.high + slack
        else:
            assert 4.0 * self.std < max(-values[0], values[-1]) < 6.0 * self.std
        grid = self.cdf(values)
        distance = max((grid - np.arange(n) / n).max(), (np.arange(1, n + 1) / n - grid).max())
        assert distance * math.sqrt(n) < _KOLMOGOROV
