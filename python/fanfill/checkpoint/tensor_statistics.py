"""Mean, spread and shape of each tensor's values, in one pass and bounded memory, held against its law.

It must not know plans, or how files are read.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..element_values import element_values, has_values
from ..law import Constant
from ..law_moments import LawMoments, law_moments
from ..plan.param_spec import ParamSpec
from .block import Block, Bytes

__all__ = ["StatisticsPass", "TensorStatistics"]

_PIECE_BYTES = 1 << 18  # small enough for its float64 values to stay in the cache
_LEAST_FOR_KURTOSIS = 1000  # below, its distribution is too skewed for a z-score


@dataclass(frozen=True)
class Moments:
    """Moments of a sample that can be joined with those of another: sums about the sample's own mean."""

    count: int = 0
    nonfinite: int = 0
    mean: float = 0.0
    second: float = 0.0
    third: float = 0.0
    fourth: float = 0.0
    low: float = math.inf
    high: float = -math.inf

    @classmethod
    def of(cls, values: np.ndarray[Any, Any]) -> Moments:
        """Return the moments of float64 values, of the finite ones among them."""
        with np.errstate(over="ignore", invalid="ignore"):
            total = float(values.sum())
            nonfinite = 0
            if not math.isfinite(total):
                kept = values[np.isfinite(values)]
                nonfinite, values = values.size - kept.size, kept
            if not values.size:
                return cls(0, nonfinite)
            low, high = float(values.min()), float(values.max())
            mean = low if low == high else float(values.mean())
            if not math.isfinite(mean):  # the sum is too large, the values aren't
                mean = float((values / values.size).sum())
            centred = values - mean
            squared = centred * centred
            second = float(squared.sum())
            # Not dot products: BLAS would start threads of its own, and sums pairwise less exactly.
            centred *= squared
            third = float(centred.sum())
            squared *= squared
            return cls(values.size, nonfinite, mean, second, third, float(squared.sum()), low, high)

    def __add__(self, other: Moments) -> Moments:
        """Return the moments of both samples together.

        P. Pébay (2008), Formulas for Robust, One-Pass Parallel Computation of Covariances and Arbitrary-Order
        Statistical Moments, SAND2008-6212, section 3.
        """
        nonfinite = self.nonfinite + other.nonfinite
        if not self.count or not other.count:
            known = self if self.count else other
            return Moments(**{**asdict(known), "nonfinite": nonfinite})
        a, b, n = float(self.count), float(other.count), float(self.count + other.count)
        step = other.mean - self.mean
        second = self.second + other.second + step * step * a * b / n
        third = (
            self.third
            + other.third
            + step * step * step * a * b * (a - b) / n**2
            + 3.0 * step * (a * other.second - b * self.second) / n
        )
        fourth = (
            self.fourth
            + other.fourth
            + step * step * step * step * a * b * (a * a - a * b + b * b) / n**3
            + 6.0 * step * step * (a * a * other.second + b * b * self.second) / n**2
            + 4.0 * step * (a * other.third - b * self.third) / n
        )
        low, high = min(self.low, other.low), max(self.high, other.high)
        mean = self.mean + step * b / n
        return Moments(self.count + other.count, nonfinite, mean, second, third, fourth, low, high)


@dataclass(frozen=True)
class TensorStatistics:
    """What the values of one tensor look like, and how far that is from its law.

    Attributes
    ----------
    name, file, dtype : str
        The tensor, its file, and its element type by the format's name.
    shape : tuple of int
        Its shape.
    count, nonfinite : int
        How many finite values were read, and how many infinities and NaNs; all others are about the finite.
    mean, std, low, high : float or None
        Mean, standard deviation (of n - 1), least and greatest value; None where there are too few values, or
        values so large (beyond 1e154, which only F64 has) that float64 can't hold it.
    kurtosis : float or None
        The fourth standardized moment, 3 for a normal law; None where all values are alike.
    law : str or None
        The tensor's law, if a plan says one, and what it leads one to expect of the values after they are
        rounded to the element type:
    expected_mean, expected_std, expected_kurtosis : float or None
        The law's moments.
    z_mean, z_std, z_kurtosis : float or None
        The distance from them in standard errors of such a sample.
    """

    name: str
    file: str
    dtype: str
    shape: tuple[int, ...]
    count: int
    nonfinite: int
    mean: float | None
    std: float | None
    low: float | None
    high: float | None
    kurtosis: float | None
    law: str | None = None
    expected_mean: float | None = None
    expected_std: float | None = None
    expected_kurtosis: float | None = None
    z_mean: float | None = None
    z_std: float | None = None
    z_kurtosis: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the statistics as plain JSON types; an infinite distance is the largest float."""
        members = {**asdict(self), "shape": list(self.shape)}
        for name in ("z_mean", "z_std", "z_kurtosis"):
            if members[name] is not None:
                members[name] = min(max(members[name], -sys.float_info.max), sys.float_info.max)
        return members


class StatisticsPass:
    """Gathers the statistics of tensors from their blocks, which come in the order of the file.

    Parameters
    ----------
    specs : mapping of str to ParamSpec or None
        The laws of those tensors that have one.
    """

    def __init__(self, specs: Mapping[str, ParamSpec | None]) -> None:
        self._specs = specs
        self._moments: dict[str, Moments] = {}
        self._owners: dict[str, Block] = {}

    def add(self, batch: Iterable[tuple[Block, Bytes]], pool: Executor) -> None:
        """Take in blocks, each by one thread of the pool; in which order they finish changes nothing."""
        known = [(block, data) for block, data in batch if has_values(block.tensor.dtype)]
        found = pool.map(lambda pair: _block_moments(pair[1], pair[0].tensor.dtype), known)
        for (block, _), moments in zip(known, found, strict=True):
            name = block.tensor.name
            self._owners.setdefault(name, block)
            self._moments[name] = self._moments.get(name, Moments()) + moments

    def results(self) -> tuple[TensorStatistics, ...]:
        """Return the statistics of every tensor of which a block came, in the order of the blocks."""
        return tuple(self._result(name, moments) for name, moments in self._moments.items())

    def _result(self, name: str, moments: Moments) -> TensorStatistics:
        block, spec = self._owners[name], self._specs.get(name)
        expected = None if spec is None else _expected(spec)
        law = None if spec is None else " | ".join(map(repr, spec.laws))
        n = moments.count
        mean = _finite(moments.mean) if n else None
        std = _finite(math.sqrt(moments.second / (n - 1))) if n > 1 else None
        is_spread = moments.second * moments.second > 0.0
        kurtosis = _finite(moments.fourth * n / (moments.second * moments.second)) if is_spread else None
        spread = {} if expected is None or not n else _distances(moments, expected, std, kurtosis)
        return TensorStatistics(
            name,
            str(block.file.path),
            block.tensor.dtype,
            block.tensor.shape,
            n,
            moments.nonfinite,
            mean,
            std,
            moments.low if n else None,
            moments.high if n else None,
            kurtosis,
            law,
            **spread,
        )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _block_moments(data: Bytes, dtype: str) -> Moments:
    total = Moments()
    for start in range(0, data.size, _PIECE_BYTES):
        total += Moments.of(element_values(data[start : start + _PIECE_BYTES], dtype))
    return total


def _expected(spec: ParamSpec) -> LawMoments | None:
    if spec.padding_row is not None:
        rows = float(spec.shape[0])
        return law_moments((*spec.laws, Constant(0.0)), (rows - 1.0, 1.0), spec.element)
    sizes = spec.parts if len(spec.laws) > 1 and isinstance(spec.parts, tuple) else (1,)
    return law_moments(spec.laws, tuple(map(float, sizes)), spec.element)


def _distances(
    moments: Moments, expected: LawMoments, std: float | None, kurtosis: float | None
) -> dict[str, float | None]:
    """Return the law's moments, and the sample's distance from them in standard errors."""
    n, sigma = moments.count, expected.std
    found: dict[str, float | None] = {"expected_mean": expected.mean, "expected_std": sigma}
    if sigma == 0.0:
        is_same = moments.low == moments.high == expected.mean
        return {**found, "z_mean": 0.0 if is_same else math.inf}
    found["expected_kurtosis"] = expected.kurtosis
    found["z_mean"] = (moments.mean - expected.mean) / sigma * math.sqrt(n)
    # A law of two values has no spread of its variance, nor of its kurtosis.
    if std is not None:
        ratio = std / sigma
        found["z_std"] = (ratio * ratio - 1.0) / math.sqrt(max(expected.kurtosis - 1.0, 1e-12) / n)
    if kurtosis is not None and n >= _LEAST_FOR_KURTOSIS:
        error = math.sqrt(max(expected.kurtosis_variance, 1e-12) / n)
        found["z_kurtosis"] = (kurtosis - expected.kurtosis) / error
    return {name: None if value is None or math.isnan(value) else value for name, value in found.items()}
