"""Uniforms are the real number that a word stands for, rounded once: their last bits are even odds.

It must not know how the core computes them.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

import fanfill as ff
from oracle import core
from oracle.law import UNIFORM, Law
from oracle.rounding import largest_below, smallest_at_least

INTERVALS = [(0.0, 1.0), (1.0, 2.5), (-1.0, 2.0)]
CROOKED = [(-0.1, 0.3), (1e-3, 7.7), (-1e9, 3.0), (5.0, 5.0 + 2.0**-40), (-2e38, 3e38), (0.0, 1e-6)]
DTYPES = ["float32", "float64"]
WORD = {"float32": np.uint32, "float64": np.uint64}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("low", "high"), INTERVALS)
def test_the_last_bit_is_set_in_half_of_the_values_of_every_binade(
    low: float, high: float, dtype: str
) -> None:
    values = np.empty(1 << 21, dtype)
    ff.uniform_(values, low, high, seed=20, key="last bit")
    odd = values.view(WORD[dtype]) & 1 == 1
    # Where floats are as dense as words, the words decide what is odd.
    step = (high - low) * 2.0 ** -(31 if dtype == "float32" else 63)
    is_fine = np.spacing(np.abs(values)) >= 2 * step
    binades = np.copysign(np.frexp(values)[1] + 100.0, values)
    tested = 0
    for binade in np.unique(binades):
        inside = odd[(binades == binade) & is_fine]
        if len(inside) < 1000:
            continue
        z = (float(inside.mean()) - 0.5) * 2.0 * math.sqrt(len(inside))
        assert abs(z) < 5.0, f"{inside.mean():.4f} of {len(inside)} values in binade {binade}"
        tested += 1
    assert tested >= 2


def words_of(dtype: str, count: int) -> np.ndarray:
    """Words anywhere, and nearer and nearer to the ends and to the middle."""
    rng = np.random.default_rng(4)
    bits = 8 * np.dtype(dtype).itemsize
    words = rng.integers(0, 2**bits, count, WORD[dtype])
    near = words >> rng.integers(0, bits, count).astype(WORD[dtype])
    top = WORD[dtype](2 ** (bits - 1))
    return np.concatenate([words, near, ~near, near ^ top, ~near ^ top])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("low", "high"), [*INTERVALS, *CROOKED])
def test_values_are_rounded_once(low: float, high: float, dtype: str) -> None:
    words = words_of(dtype, 300)
    values = core.transform(core.ISAS[0], Law(UNIFORM, low=low, high=high), dtype, words, words).view(dtype)
    bits = 8 * words.itemsize
    half = Fraction(high / 2 - low / 2)
    signed = (words | WORD[dtype](1)).view(f"i{words.itemsize}").tolist()
    ends = smallest_at_least(dtype, low), largest_below(dtype, high)
    tested = 0
    for value, s in zip(values, signed, strict=True):
        if float(value) in ends:  # clamped or not
            continue
        exact = half * s / 2 ** (bits - 1) + Fraction(low / 2 + high / 2)
        error = abs(Fraction(float(value)) - exact)
        others = (np.nextafter(value, value.dtype.type(end)) for end in (-np.inf, np.inf))
        nearest = min(abs(Fraction(float(other)) - exact) for other in others)
        # float32 passes through float64; float64 itself is carried to 84 bits of half the width.
        slack = abs(exact) / 2**53 if dtype == "float32" else half / 2**83
        assert error <= nearest + 2 * slack, f"{s}: {float(value).hex()}"
        tested += 1
    assert tested > 100 or high - low < 2.0**-30
