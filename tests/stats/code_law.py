"""The probability of every code of a narrow dtype under a law, rounded to float32 and then again.

It must not know words or kernels, only the formats and the laws' distribution functions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from exhaustive.code_probability import FORMATS, Format


@dataclass(frozen=True)
class SampledLaw:
    """A law as the counter spells it, with P(X <= x) and P(X > x) and what its values stay within."""

    spelling: str
    below: Callable[[np.ndarray], np.ndarray]
    above: Callable[[np.ndarray], np.ndarray]
    low: float = -np.inf
    high: float = np.inf


def normal(std: float) -> SampledLaw:
    """Return the normal law of mean 0."""
    return SampledLaw(f"normal:0:{std}", lambda x: special.ndtr(x / std), lambda x: special.ndtr(-x / std))


def uniform(low: float, high: float) -> SampledLaw:
    """Return the uniform law on [low, high); of ±a both ends are left out."""
    width = high - low
    return SampledLaw(
        f"uniform:{low}:{high}",
        lambda x: np.clip((x - low) / width, 0.0, 1.0),
        lambda x: np.clip((high - x) / width, 0.0, 1.0),
        low,
        np.nextafter(high, low),
    )


def truncated(std: float, sigmas: float) -> SampledLaw:
    """Return the normal law of mean 0 within ±`sigmas`."""
    inside = special.erf(sigmas / np.sqrt(2.0))
    bound = std * sigmas

    def below(x: np.ndarray) -> np.ndarray:
        return np.clip((special.ndtr(x / std) - special.ndtr(-sigmas)) / inside, 0.0, 1.0)

    return SampledLaw(f"truncated:0:{std}:{-sigmas}:{sigmas}", below, lambda x: below(-x), -bound, bound)


def _codes_in_order(form: Format, law: SampledLaw) -> tuple[np.ndarray, np.ndarray]:
    # Negative codes from the largest magnitude to -0, then +0 upwards, those that the law may give.
    values = form.magnitudes()
    codes = np.concatenate([np.arange(form.largest + 1)[::-1] + form.sign_bit, np.arange(form.largest + 1)])
    ordered = np.concatenate([-values[::-1], values])
    kept = (ordered >= law.low) & (ordered <= law.high)
    if law.low >= 0.0:
        kept &= codes < form.sign_bit
    return codes[kept], ordered[kept]


def _edges(codes: np.ndarray, values: np.ndarray) -> np.ndarray:
    # A float32 in the middle goes to the even code, so the edge in real numbers is half a float32 step beyond
    # it, on the side of the odd one.
    middle = ((values[:-1] + values[1:]) / 2).astype(np.float32)
    is_lower_even = codes[:-1] % 2 == 0
    beyond = np.where(is_lower_even, np.float32(np.inf), np.float32(-np.inf))
    edges = (np.nextafter(middle, beyond).astype(float) + middle.astype(float)) / 2
    edges[middle == 0.0] = 0.0  # between -0 and +0 the sign decides
    return np.asarray(edges)


def code_probabilities(law: SampledLaw, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the codes that a law may give, in the order of their values, and the probability of each."""
    codes, values = _codes_in_order(FORMATS[dtype], law)
    edges = _edges(codes, values)
    below, above = law.below(edges), law.above(edges)
    # Differences on the side where both numbers are small.
    from_below = np.diff(np.concatenate([[0.0], below, [1.0]]))
    from_above = -np.diff(np.concatenate([[1.0], above, [0.0]]))
    return codes, np.where(values < 0.0, from_below, from_above)
