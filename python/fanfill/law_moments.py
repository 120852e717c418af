"""The moments that a law has once its values are rounded to an element type, by quadrature.

It must not know tensors, files or how a value is drawn.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from .arange import Arange
from .dtype import DType
from .element_values import element_values
from .law import Constant, Law, Normal, TruncatedNormal, Uniform
from .log_uniform import LogUniform

__all__ = ["LawMoments", "law_moments"]

# Points and their probabilities, which stand for a law: every moment is a sum over them.
Points: TypeAlias = "tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]"

_PANELS, _NODES = 64, 8
_REACH = 9.2  # sigmas beyond which the contract has no values
_MAX_VALUES = 1 << 20
_ROUNDED = ("float16", "bfloat16", "float8_e4m3fn", "float8_e5m2")


@dataclass(frozen=True)
class LawMoments:
    """Mean, standard deviation, and the standardized moments of order 3 to 8 (nan for a constant)."""

    mean: float
    std: float
    standardized: tuple[float, ...]

    @property
    def kurtosis(self) -> float:
        """The fourth standardized moment; 3 for a normal law."""
        return self.standardized[1]

    @property
    def kurtosis_variance(self) -> float:
        r"""The variance of a sample's kurtosis, times the sample's size, for large samples.

        With :math:`m_k` the standardized moments it is
        :math:`m_8 - 4 m_4 m_6 + 4 m_4^3 - m_4^2 + 16 m_3^2 (1 + m_4) - 8 m_3 m_5`, the delta method's
        (H. Cramér, 1946, Mathematical Methods of Statistics, section 28.4); 24 for a normal law.
        """
        m3, m4, m5, m6, _, m8 = self.standardized
        return m8 - 4 * m4 * m6 + 4 * m4**3 - m4**2 + 16 * m3**2 * (1 + m4) - 8 * m3 * m5


def law_moments(laws: tuple[Law, ...], weights: tuple[float, ...], dtype: DType) -> LawMoments | None:
    """Return the moments of a mixture of laws, rounded to an element type; None if a law has none here.

    Parameters
    ----------
    laws : tuple of Law
        The laws of a tensor's parts.
    weights : tuple of float
        The parts' sizes, in any unit.
    dtype : DType
        float32 and float64 count as exact; narrower types as the values to which their laws round.

    Examples
    --------
    >>> import fanfill as ff
    >>> from fanfill.dtype import as_dtype
    >>> from fanfill.law_moments import law_moments
    >>> round(law_moments((ff.Uniform(-1.0, 1.0),), (1.0,), as_dtype("float64")).kurtosis, 9)
    1.8
    """
    parts = [_points(law, dtype) for law in laws]
    total = math.fsum(weights)
    values, masses = [], []
    for part, weight in zip(parts, weights, strict=True):
        if part is None or total <= 0.0:
            return None
        values.append(part[0])
        masses.append(part[1] * (weight / total))
    return _moments(np.concatenate(values), np.concatenate(masses))


def _moments(values: np.ndarray[Any, Any], masses: np.ndarray[Any, Any]) -> LawMoments:
    mean = float(values[0]) if np.ptp(values) == 0.0 else float((masses * values).sum())
    centred = values - mean
    largest = float(np.abs(centred).max())
    if largest == 0.0:
        return LawMoments(mean, 0.0, (math.nan,) * 6)
    scaled = centred / largest  # whose squares neither overflow nor vanish
    spread = math.sqrt(float((masses * scaled**2).sum()))
    scaled /= spread
    standardized = tuple(float((masses * scaled**order).sum()) for order in range(3, 9))
    return LawMoments(mean, largest * spread, standardized)


@functools.lru_cache(maxsize=512)
def _points(law: Law, dtype: DType) -> Points | None:
    exact = _exact_points(law)
    if exact is not None and len(exact[0]) == 1 and dtype.name == "float32":
        return np.float32(exact[0]).astype(np.float64), exact[1]
    if exact is None or dtype.name not in _ROUNDED:
        return exact
    if len(exact[0]) == 1 or isinstance(law, (Arange, LogUniform)):
        return _nearest(exact[0], dtype), exact[1]
    return _cells(law, dtype)


def _exact_points(law: Law) -> Points | None:
    if isinstance(law, Constant):
        return np.array([law.value]), np.ones(1)
    if isinstance(law, Uniform):
        return _quadrature(lambda x: np.ones_like(x), law.low, law.high)
    if isinstance(law, (Normal, TruncatedNormal)):
        mean, std, low, high = _interval(law)
        if std == 0.0:
            return np.array([mean]), np.ones(1)
        # Where the interval is far out only its first part has any mass, 60 nats deep.
        nearest = 0.0 if low <= 0.0 <= high else min(low, high, key=abs)
        reach = math.sqrt(nearest**2 + 120.0)
        low, high = max(low, -reach), min(high, reach)
        values, masses = _quadrature(lambda x: np.exp((nearest**2 - x * x) / 2.0), low, high)
        return mean + std * values, masses
    if isinstance(law, LogUniform):
        return _log_uniform(law)
    if isinstance(law, Arange):
        count = math.ceil((law.stop - law.start) / law.step)
        if count > _MAX_VALUES:
            return None
        values = law.start + law.step * np.arange(count)
        return (np.log(values) if law.log else values), np.full(count, 1.0 / count)
    return None


def _interval(law: Normal | TruncatedNormal) -> tuple[float, float, float, float]:
    """Return mean and std before truncation, and the bounds in such sigmas."""
    if isinstance(law, Normal):
        return law.mean, law.std, -_REACH, _REACH
    low, high = law.bounds
    if law.std == 0.0:
        return law.mean, 0.0, low, high
    if law.unit == "absolute":
        low, high = (low - law.mean) / law.std, (high - law.mean) / law.std
    if not law.correct_variance:
        return law.mean, law.std, low, high
    plain = _exact_points(TruncatedNormal(0.0, 1.0, bounds=(low, high), unit="sigma"))
    assert plain is not None
    return law.mean, law.std / _moments(*plain).std, low, high


def _quadrature(density: Any, low: float, high: float) -> Points:
    """Return the Gauss-Legendre points of an interval, weighed by a density that needn't be normed."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)  # of few nodes, which takes no time
    step = (high - low) / _PANELS
    middles = low + step * (np.arange(_PANELS) + 0.5)
    values = (middles[:, None] + step / 2.0 * nodes).reshape(-1)
    masses = np.tile(weights, _PANELS) * density(values)
    return values, masses / masses.sum()


def _log_uniform(law: LogUniform) -> Points:
    low, high = math.log(law.low), math.log(law.high)
    split = min(max(low, math.log(law.floor) if law.floor else low), high)
    logs, masses = _quadrature(lambda x: np.ones_like(x), split, high)
    values = np.concatenate([[math.exp(split)], np.exp(logs)])
    below = (split - low) / (high - low)
    masses = np.concatenate([[below], masses * (1.0 - below)])
    if law.inverse_softplus:
        values = values + np.log(-np.expm1(-values))
    return values, masses


@functools.cache
def _representable(name: str) -> np.ndarray[Any, Any]:
    """Return the finite values of an element type of 8 or 16 bits, ascending, zero once."""
    codes = np.arange(1 << (8 if name.startswith("float8") else 16), dtype=np.uint16)
    stored = {"float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2", "float16": "F16", "bfloat16": "BF16"}[
        name
    ]
    data = codes.astype(np.uint8) if name.startswith("float8") else codes.view(np.uint8)
    values = element_values(data, stored)
    return np.unique(values[np.isfinite(values)])


def _nearest(values: np.ndarray[Any, Any], dtype: DType) -> np.ndarray[Any, Any]:
    known = _representable(dtype.name)
    edges = (known[1:] + known[:-1]) / 2.0
    rounded: np.ndarray[Any, Any] = known[np.searchsorted(edges, values)]
    return rounded


def _cells(law: Law, dtype: DType) -> Points:
    """Return the values of a narrow type within the law's bounds, and the mass that rounds to each."""
    if isinstance(law, Uniform):
        low, high = law.low, law.high
    else:
        assert isinstance(law, (Normal, TruncatedNormal))
        mean, std, low, high = _interval(law)
        low, high = mean + std * max(low, -40.0), mean + std * min(high, 40.0)
    known = _representable(dtype.name)
    inside = known[(known >= low) & (known <= high)]
    if not len(inside):
        return _nearest(np.array([(low + high) / 2.0]), dtype), np.ones(1)
    edges = np.concatenate([[low], (inside[1:] + inside[:-1]) / 2.0, [high]])
    if isinstance(law, Uniform):
        masses = np.diff(edges)
    else:
        scaled = (edges - mean) / std
        # Twice the mass beyond each edge on its own side: differences of these keep the cells far out.
        beyond = np.array([math.erfc(abs(x) / math.sqrt(2.0)) for x in scaled])
        masses = np.abs(np.diff(beyond))
        middle = (scaled[:-1] < 0.0) & (scaled[1:] > 0.0)
        masses[middle] = 2.0 - (beyond[:-1] + beyond[1:])[middle]
    masses = np.maximum(masses, 0.0)
    used = masses > 0.0
    return inside[used], masses[used] / masses.sum()
