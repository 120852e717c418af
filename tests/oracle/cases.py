"""Knows the laws and the words that every dtype and instruction set is held to.

It must not know what values they give.
"""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .law import (
    ABSOLUTE,
    ARANGE,
    CONSTANT,
    IDENTITY,
    INVERSE_SOFTPLUS,
    LOG,
    LOG_UNIFORM,
    NORMAL,
    SIGMA,
    TRUNCATED_NORMAL,
    UNIFORM,
    Law,
    bounds_of,
    threshold,
)
from .rounding import FORMATS


def truncated(
    mean: float, std: float, low: float, high: float, unit: int = SIGMA, correct_variance: bool = False
) -> Law:
    return Law(TRUNCATED_NORMAL, mean, std, low, high, unit, correct_variance)


def log_uniform(low: float, high: float, through: int = IDENTITY, floor: float = 0.0) -> Law:
    return Law(LOG_UNIFORM, low=low, high=high, map=through, floor=floor)


def arange(start: float, step: float, period: int, through: int = IDENTITY) -> Law:
    return Law(ARANGE, low=start, map=through, step=step, period=period)


LAWS = {
    "constant": Law(CONSTANT, 0.1),
    "constant_negative_zero": Law(CONSTANT, -0.0),
    "constant_large": Law(CONSTANT, -1e30),
    "uniform": Law(UNIFORM, low=0.0, high=1.0),
    "uniform_shifted": Law(UNIFORM, low=-0.25, high=0.75),
    "uniform_symmetric": Law(UNIFORM, low=-0.037, high=0.037),
    "uniform_below_zero": Law(UNIFORM, low=-1.0, high=0.0),
    "uniform_coarse": Law(UNIFORM, low=1.0, high=1.3),
    "uniform_wide": Law(UNIFORM, low=-3e4, high=7e4),
    "uniform_tiny": Law(UNIFORM, low=0.0, high=1e-6),
    "uniform_crossing": Law(UNIFORM, low=-1.0, high=2.0),
    "uniform_narrow": Law(UNIFORM, low=1.0, high=1.0 + 2.0**-45),
    "uniform_largest": Law(UNIFORM, low=-2e38, high=3e38),
    "uniform_symmetric_few_bits": Law(UNIFORM, low=-1.5, high=1.5),
    "normal": Law(NORMAL, 0.0, 1.0),
    "normal_he": Law(NORMAL, 0.0, 0.02),
    "normal_shifted": Law(NORMAL, 0.5, 0.7),
    "normal_far_mean": Law(NORMAL, -1000.0, 0.001),
    "normal_tiny": Law(NORMAL, 0.0, 3e-9),
    "normal_smallest": Law(NORMAL, 0.0, 2.0**-95),
    "normal_saturating": Law(NORMAL, 100.0, 30000.0),
    "normal_degenerate": Law(NORMAL, -0.3, 0.0),
    "symmetric": truncated(0.0, 0.02, -2.0, 2.0),
    "symmetric_corrected": truncated(0.0, 0.05, -2.0, 2.0, correct_variance=True),
    "symmetric_corrected_narrow": truncated(0.1, 0.3, -0.5, 0.5, correct_variance=True),
    "symmetric_absolute": truncated(0.0, 0.02, -0.05, 0.05, ABSOLUTE),
    "symmetric_shifted": truncated(0.5, 0.25, 0.0, 1.0, ABSOLUTE),
    "symmetric_deep": truncated(0.0, 1.0, -5.0, 5.0),
    "symmetric_barely_deep": truncated(0.0, 1.0, -4.17, 4.17),
    "symmetric_barely_not_deep": truncated(0.0, 1.0, -4.16, 4.16),
    "symmetric_beyond_reach": truncated(0.0, 1.0, -20.0, 20.0),
    "symmetric_unbounded": truncated(0.1, 0.7, -inf, inf),
    "symmetric_very_narrow": truncated(0.0, 1.0, -1e-3, 1e-3),
    "asymmetric": truncated(0.1, 0.7, -2.0, 2.0, ABSOLUTE),
    "asymmetric_sigma": truncated(0.0, 0.02, -1.0, 3.0),
    "asymmetric_unbounded_above": truncated(0.0, 1.0, -1.5, inf),
    "asymmetric_unbounded_below": truncated(0.2, 0.5, -inf, 0.3),
    "asymmetric_deep": truncated(0.0, 1.0, -6.0, 5.0),
    "asymmetric_sliver": truncated(0.0, 1.0, -1e-9, 2.0),
    "asymmetric_invisible_side": truncated(0.0, 1.0, -1e-13, 2.0),
    "half_normal": truncated(0.0, 1.0, 0.0, inf),
    "half_normal_negative": truncated(0.0, 0.02, -inf, 0.0),
    "half_bounded": truncated(0.0, 1.0, 0.0, 3.0),
    "one_sided": truncated(0.0, 1.0, 0.5, inf),
    "one_sided_negative": truncated(0.0, 1.0, -inf, -1.25),
    "one_sided_2_sigma": truncated(0.0, 1.0, 2.0, inf),
    "narrow": truncated(0.0, 1.0, 0.5, 0.625),
    "narrow_positive": truncated(0.0, 1.0, 1.0, 3.0),
    "narrow_negative": truncated(0.0, 2.0, -3.0, -1.0),
    "narrow_far_mean": truncated(100.0, 1.0, -0.5, 1.0),
    "very_narrow": truncated(0.0, 1.0, 1.0, 1.0000305),
    "far": truncated(0.0, 1.0, 10.0, 11.0),
    "far_negative": truncated(0.0, 1.0, -11.0, -10.0),
    "far_unbounded": truncated(0.0, 1.0, 10.0, inf),
    "far_12": truncated(0.0, 1.0, 12.0, 13.0),
    "beyond_12": truncated(0.0, 1.0, 12.5, inf),
    "very_far": truncated(0.0, 1.0, 20.0, 21.0),
    "very_far_negative": truncated(0.5, 0.02, -30.0, -20.0),
    "very_far_unbounded": truncated(0.0, 1.0, 20.0, inf),
    "farthest": truncated(0.0, 1.0, 36.5, 39.0),
    "far_absolute": truncated(0.0, 0.1, 2.5, 3.0, ABSOLUTE),
    "log_uniform": log_uniform(1e-3, 0.1),
    "log_uniform_floor": log_uniform(1e-5, 0.1, floor=1e-3),
    "log_uniform_wide": log_uniform(2.0**-1022, 3e38),
    "log_uniform_narrow": log_uniform(1.0, 1.25),
    "log_uniform_of_softplus": log_uniform(1e-3, 0.1, INVERSE_SOFTPLUS, floor=1e-4),
    "log_uniform_of_softplus_large": log_uniform(0.5, 300.0, INVERSE_SOFTPLUS),
    "log_uniform_of_log": log_uniform(1e-8, 1e8, LOG),
    "arange": arange(1.0, 1.0, 16),
    "arange_falling": arange(0.75, -0.1, 1000),
    "arange_saturating": arange(-3e5, 1e4, 61),
    "arange_log": arange(1.0, 1.0, 16, LOG),
    "arange_log_long": arange(1e-3, 0.37, 5003, LOG),
    "arange_log_root_2": arange(1.4142135623730947, 2.0**-52, 5, LOG),  # where the logarithm's mantissa ends
    "arange_of_softplus": arange(1e-3, 0.31, 500, INVERSE_SOFTPLUS),
}


# Out there these dtypes have no value in the interval.
REFUSED = {
    (name, dtype) for name in ("narrow_far_mean", "farthest") for dtype in ("float8_e4m3fn", "float8_e5m2")
}


def edge_words(law: Law, bits: int) -> NDArray[Any]:
    """The words about zero, the ends, the joins of pieces, the tail's switch and the sides' threshold."""
    total, top = 2**bits, 2 ** (bits - 1)
    centres = [0, top, top - 64, top + 64, -1]
    for e in range(bits):
        for n in (2**e, 3 * 2**e // 2):  # n = 2^31 - |s| begins an octave or its second piece; either sign
            centres += [top - n, n - top]
    # Sides count in order of b = w ^ 2^31: from the ends and from the threshold.
    t = 0
    if law.kind == TRUNCATED_NORMAL:
        alpha, beta, *_ = bounds_of(law)
        t = threshold(alpha, beta, bits)
    for index in (0, 2**16, 2**17):
        centres += [b % total ^ top for b in (index, total - 1 - index, t - 1 - index, t + index)]
    # Neighbours in order of b are the word's own, but for the one step at zero.
    numbers = {(centre % total ^ top) + step for centre in centres for step in range(-2, 3)}
    return np.array(sorted(b % total ^ top for b in numbers), np.uint64 if bits == 64 else np.uint32)


def tail_words(rng: np.random.Generator, count: int) -> NDArray[np.uint32]:
    """Random tail words, every second one extreme."""
    tails = rng.integers(0, 2**32, count, np.uint32)
    tails[::2] = rng.choice(np.array([0, 1, 2**31, 2**32 - 1], np.uint32), len(tails[::2]))
    return tails


def words_and_tails(law: Law, dtype: str, count: int, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """The edge words, and twice `count` random ones, half of them near edges; with tail words."""
    word = FORMATS[dtype].word
    bits = 64 if word is np.uint64 else 32
    rng = np.random.default_rng(seed)
    anywhere = rng.integers(0, 2**bits, count, word)
    # Shifts spread |s|, n, j and mu over all octaves: about 0, about the ends, about the threshold.
    spread = anywhere >> rng.integers(0, bits, count).astype(word)
    edges = edge_words(law, bits)
    numbers = np.concatenate([edges, edges, anywhere, rng.choice(edges, count) + spread])
    return numbers, tail_words(rng, len(numbers)).astype(word)
