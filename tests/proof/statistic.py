"""Statistics with their p-values, and the policy of when one of them says that something is wrong.

It must not know what was sampled. Every p-value has two sides: a fit that is too good is a fault too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

# Where seeds are fixed nothing is random: a run holds for ever, or it shows a flaw each time.
FIXED_ALPHA = 1e-6
# Where the seed is new every night: fail at once beyond the first; beyond the second only if ten times the
# data on another seed say so again.
NIGHTLY_ALPHA, NIGHTLY_SUSPICION = 1e-9, 1e-4


@dataclass(frozen=True)
class Statistic:
    """One figure: how probable one so high, and one so low, is of a faultless sample."""

    name: str
    value: float
    upper: float
    lower: float

    @property
    def p(self) -> float:
        """The smaller side, doubled."""
        return min(1.0, 2.0 * min(self.upper, self.lower))


def bonferroni(statistics: Sequence[Statistic]) -> float:
    """Return the p-value of the most extreme of many statistics, all of which were looked at."""
    return min(1.0, len(statistics) * min(statistic.p for statistic in statistics))


def z_statistic(name: str, z: float) -> Statistic:
    """Return the statistic of a standard normal figure."""
    return Statistic(name, z, float(special.ndtr(-z)), float(special.ndtr(z)))


def chi_square(name: str, found: np.ndarray, expected: np.ndarray, least: float = 10.0) -> Statistic:
    """Compare counts with what is expected, cells of less than `least` merged with their neighbours."""
    merged = _merged(found.astype(float), expected, least)
    value = float(((merged[0] - merged[1]) ** 2 / merged[1]).sum())
    freedom = len(merged[0]) - 1
    return Statistic(
        f"{name} on {len(merged[0])} cells",
        value,
        float(special.chdtrc(freedom, value)),
        float(special.chdtr(freedom, value)),
    )


def _merged(found: np.ndarray, expected: np.ndarray, least: float) -> np.ndarray:
    """Return found and expected counts of runs of neighbouring cells, each run expecting `least`."""
    if float(expected.min()) >= least:
        return np.stack([found, expected])
    run, of_cell, held = 0, np.empty(len(expected), np.int64), 0.0
    for cell, weight in enumerate(expected):
        of_cell[cell] = run
        held += float(weight)
        if held >= least:
            run, held = run + 1, 0.0
    of_cell[of_cell == run] = max(run - 1, 0)  # what is left at the end joins the last run
    return np.stack([np.bincount(of_cell, counts) for counts in (found, expected)])


def poisson(name: str, found: int, mean: float) -> Statistic:
    """Return the statistic of a count, by the exact Poisson law."""
    upper = 1.0 if found == 0 else float(special.pdtrc(found - 1, mean))
    return Statistic(f"{name}, {mean:.1f} expected", found, upper, float(special.pdtr(found, mean)))


def kolmogorov(name: str, counts: np.ndarray) -> Statistic:
    """Return Kolmogorov's and Smirnov's statistic of counts in equal cells, at the cells' edges."""
    n = int(counts.sum())
    edges = np.arange(1, len(counts)) / len(counts)
    distance = float(np.abs(np.cumsum(counts)[:-1] / n - edges).max())
    upper = float(special.kolmogorov(math.sqrt(n) * distance))
    return Statistic(f"{name} D", distance, upper, 1.0 - upper)


def anderson(name: str, counts: np.ndarray) -> Statistic:
    """Return Anderson's and Darling's statistic of counts in equal cells, summed over the cells' edges."""
    n = int(counts.sum())
    edges = np.arange(1, len(counts)) / len(counts)
    gap = np.cumsum(counts)[:-1] / n - edges
    value = float(n * (gap**2 / (edges * (1.0 - edges))).sum() / len(counts))
    upper = anderson_upper(value)
    return Statistic(f"{name} A2", value, upper, 1.0 - upper)


def anderson_upper(value: float) -> float:
    """Return the probability of a larger A2 (Marsaglia and Marsaglia, 2004; beyond 6, Zolotarev's limit)."""
    if value > 6.0:
        # The largest of the weights 1/(j (j + 1)) rules the tail; the others give the factor sqrt(3).
        return math.sqrt(3.0) * math.erfc(math.sqrt(value))
    if value < 2.0:
        series = (
            2.00012
            + (0.247105 - (0.0649821 - (0.0347962 - (0.011672 - 0.00168691 * value) * value) * value) * value)
            * value
        )
        return 1.0 - math.exp(-1.2337141 / value) / math.sqrt(value) * series
    series = (
        1.0776
        - (2.30695 - (0.43424 - (0.082433 - (0.008056 - 0.0003146 * value) * value) * value) * value) * value
    )
    return 1.0 - math.exp(-math.exp(series))


def is_faulty(statistics: Sequence[Statistic], alpha: float = FIXED_ALPHA) -> bool:
    """Whether the most extreme of a battery's statistics is beyond `alpha`, Bonferroni's way."""
    return bonferroni(statistics) < alpha


def uniformity(p_values: Sequence[float]) -> Statistic:
    """Return the second level: whether p-values of many tests are as even as they should be."""
    ordered = np.sort(np.asarray(p_values))
    n = len(ordered)
    place = np.arange(n)
    distance = float(max((ordered - place / n).max(), ((place + 1) / n - ordered).max()))
    upper = float(special.kolmogorov(math.sqrt(n) * distance))
    return Statistic(f"evenness of {n} p-values", distance, upper, 1.0 - upper)
