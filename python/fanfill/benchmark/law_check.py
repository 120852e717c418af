"""Knows what a sample of each law looks like, within the error of sampling.

It must not know who drew the sample.
"""

from __future__ import annotations

from math import erf, exp, inf, pi, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from .workload import LAWS, Workload

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["check_law", "moments"]

_SIGMAS = 6.0

# Relative distance between neighbours, by dtype: what rounding can do to a moment or a bound.
_STEP = {
    "float64": 2.0**-52,
    "float32": 2.0**-23,
    "bfloat16": 2.0**-7,
    "float16": 2.0**-10,
    "float8_e4m3fn": 2.0**-3,
    "float8_e5m2": 2.0**-2,
    "uint32": 2.0**-32,
}


def _density(z: float) -> float:
    return exp(-0.5 * z * z) / sqrt(2.0 * pi)


def _below(z: float) -> float:
    return 0.5 * (1.0 + erf(z / sqrt(2.0)))


def moments(law: str) -> tuple[float, float]:
    """Return mean and variance of a law of the suite.

    Truncated to (a, b), a standard normal has the mean m = (φ(a) - φ(b)) / Z and the variance
    1 + (a φ(a) - b φ(b)) / Z - m², Z = Φ(b) - Φ(a).
    """
    family, low, high = LAWS[law]
    if family == "uniform":
        return (low + high) / 2.0, (high - low) ** 2 / 12.0
    mass = _below(high) - _below(low)
    mean = (_density(low) - _density(high)) / mass
    edges = [0.0 if abs(z) == inf else z * _density(z) for z in (low, high)]
    return mean, 1.0 + (edges[0] - edges[1]) / mass - mean * mean


def check_law(workload: Workload, values: NDArray[Any]) -> None:
    """Check mean, variance, bounds and tails of what a rival has drawn.

    Parameters
    ----------
    workload : Workload
        What was asked for.
    values : ndarray
        Values of what was drawn, at most 2^22 or so, shape (n,), in the workload's dtype.

    Raises
    ------
    ValueError
        If a moment, a bound or a tail lies further off than six standard errors and the dtype's rounding.
    """
    if values.ndim != 1 or str(values.dtype) != workload.dtype:
        raise ValueError(f"asked for {workload}, got {values.dtype} of shape {values.shape}")
    sample = values.astype(np.float64)
    if workload.law == "words":
        sample = np.ldexp(sample, -31) - 1.0
    if not np.isfinite(sample).all():
        raise ValueError(f"{workload}: {np.count_nonzero(~np.isfinite(sample))} values are not finite")
    law = "uniform" if workload.law == "words" else workload.law
    mean, variance = moments(law)
    family, low, high = LAWS[law]
    step = _STEP[workload.dtype]
    off = abs(float(sample.mean()) - mean)
    # Rounding to nearest has no mean where values are spread over many cells; some is left at clamped ends.
    if off > _SIGMAS * sqrt(variance / sample.size) + 0.05 * step:
        raise ValueError(f"{workload}: the mean is {off:.2g} off {mean:.4g}")
    centred = (sample - mean) ** 2
    off = abs(float(centred.mean()) - variance)
    if off > _SIGMAS * float(centred.std()) / sqrt(sample.size) + 0.25 * step * variance:
        raise ValueError(f"{workload}: the variance is {off:.2g} off {variance:.4g}")
    slack = 0.5 * step * max(1.0, abs(low) if low > -inf else 0.0, abs(high) if high < inf else 0.0)
    if sample.min() < low - slack or sample.max() > high + slack:
        raise ValueError(
            f"{workload}: values from {sample.min():.6g} to {sample.max():.6g}, bounds {low} and {high}"
        )
    if family != "uniform":
        _check_share(workload, sample, step)
    if np.unique(sample[:4096]).size < 6:
        raise ValueError(f"{workload}: fewer than 6 different values among the first 4096")


def _check_share(workload: Workload, sample: NDArray[np.float64], step: float) -> None:
    """Check the share of values beyond 1.55, which is no code of the narrow dtypes."""
    _, low, high = LAWS[workload.law]
    cut = 1.55
    expected = (_below(high) - _below(cut)) / (_below(high) - _below(low))
    share = float(np.mean(sample > cut))
    cell = 0.5 * step * 2.0 * _density(cut) / (_below(high) - _below(low))
    if abs(share - expected) > _SIGMAS * sqrt(expected / sample.size) + cell:
        raise ValueError(f"{workload}: {share:.5f} of the values exceed {cut}, expected {expected:.5f}")
