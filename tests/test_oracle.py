"""The oracle itself: each of its parts against something that shares no line with it."""

from __future__ import annotations

import math
from fractions import Fraction
from statistics import NormalDist

import numpy as np
import pytest

from oracle import probability
from oracle.fma import fma
from oracle.philox import philox
from oracle.quantile import far_quantile, quantile
from oracle.rounding import FORMATS, NARROW, decode, encode, largest_at_most, largest_below, smallest_at_least


def hard_terms(dtype: type, count: int) -> list[np.ndarray]:
    """Factors and addends of all relative sizes, many of which cancel or tie."""
    rng = np.random.default_rng(1)
    bits = np.finfo(dtype).nmant
    a, b = (rng.standard_normal(count).astype(dtype) for _ in range(2))
    c = (a * b * -np.ldexp(1.0, rng.integers(-2 * bits, 2 * bits, count))).astype(dtype)
    c[::4] = -(a * b)[::4]
    short = rng.integers(1, 2**8, (2, count)) * 1.0  # short factors make exact ties
    a[1::4], b[1::4] = (part[1::4].astype(dtype) for part in short)
    c[1::4] = np.ldexp(rng.integers(1, 2**8, count) * 1.0, bits)[1::4]
    return [a, b, c]


def exact_fma(a: float, b: float, c: float) -> Fraction:
    return Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c))


def test_fma_of_float64_is_rounded_once() -> None:
    terms = hard_terms(np.float64, 8000)
    expected = [float(exact_fma(*row)) for row in zip(*terms, strict=True)]
    assert fma(*terms).tolist() == expected
    assert (fma(*terms) != terms[0] * terms[1] + terms[2]).mean() > 0.1


@pytest.mark.parametrize("scale", [2.0**-530, 2.0**440])
def test_fma_of_float64_near_the_ends_of_the_range(scale: float) -> None:
    a, b, c = hard_terms(np.float64, 400)
    a, b, c = a * scale, b * scale, c * scale * scale
    assert fma(a, b, c).tolist() == [float(exact_fma(*row)) for row in zip(a, b, c, strict=True)]


@pytest.mark.parametrize("scale", [1.0, 2.0**-70])
def test_fma_of_float32_is_rounded_once(scale: float) -> None:
    terms = [
        term * np.float32(power)
        for term, power in zip(hard_terms(np.float32, 8000), (scale, scale, scale**2), strict=True)
    ]
    for found, *row in zip(fma(*terms), *terms, strict=True):
        exact = exact_fma(*row)
        error = abs(Fraction(float(found)) - exact)
        up, down = (np.nextafter(found, np.float32(end)) for end in (np.inf, -np.inf))
        others = [abs(Fraction(float(other)) - exact) for other in (up, down)]
        assert error <= min(others)
        assert error < min(others) or found.view(np.uint32) % 2 == 0


def test_fma_keeps_the_sign_of_zero() -> None:
    for real in (np.float64, np.float32):
        zero = fma(real(-0.0), real(1.0), real(-0.0))
        assert np.signbit(zero).all()


def test_philox_has_the_rounds_it_is_asked_for() -> None:
    # Random123, tests/kat_vectors: philox4x32 7, all zeros.
    zero = [np.zeros(1, np.uint64)] * 4
    assert [int(word[0]) for word in philox(zero, (0, 0), rounds=7)] == [
        0x5F6FB709, 0x0D893F64, 0x4F121F81, 0x4F730A48,
    ]  # fmt: skip


@pytest.mark.parametrize("z", [1e-9, 0.1, 0.5, 1.0, 2.0, 3.0, 5.0, 6.5, 9.0, 12.0, 20.0, 37.0])
def test_masses_against_the_c_library(z: float) -> None:
    assert float(probability.inside(z)) == pytest.approx(math.erf(z / math.sqrt(2)), rel=1e-14)
    assert float(probability.outside(z)) == pytest.approx(math.erfc(z / math.sqrt(2)), rel=1e-11)
    assert probability.inside(z) + probability.outside(z) == pytest.approx(1)


@pytest.mark.parametrize("c", [0.5, 1.0, 2.0, 3.0, 5.0, 7.0])
def test_the_standard_deviation_of_a_truncated_normal(c: float) -> None:
    variance = 1 - 2 * c * NormalDist().pdf(c) / (2 * NormalDist().cdf(c) - 1)
    assert probability.truncated_std(c) == pytest.approx(math.sqrt(variance), rel=1e-13)


def test_the_standard_deviation_between_extreme_bounds() -> None:
    assert probability.truncated_std(1e-200) == pytest.approx(1e-200 / math.sqrt(3), rel=1e-15)
    assert probability.truncated_std(37.0) == probability.truncated_std(40.0) == 1.0


@pytest.mark.parametrize(("real", "scale", "error"), [(np.float32, 31, 2e-6), (np.float64, 63, 1e-9)])
def test_quantiles_against_the_standard_librarys(real: type, scale: int, error: float) -> None:
    p = 2.0 ** -np.random.default_rng(1).uniform(0.05, 60, 2000)
    z = quantile((p * 2.0**scale).astype(real), scale).astype(np.float64) * (1 - p)
    expected = [-NormalDist().inv_cdf(one / 2) for one in p]
    np.testing.assert_allclose(z, expected, rtol=error)


@pytest.mark.parametrize("near", [12.5, 20.0, 30.0, 36.5])
def test_far_quantiles_invert_the_mass(near: float) -> None:
    share = np.array([1.0, 0.9, 0.5, 0.1, 1e-3, 1e-9])
    for z, expected in zip(far_quantile(near, share), share, strict=True):
        found = probability.ratio(probability.outside(float(z)), probability.outside(near))
        assert found == pytest.approx(expected, rel=1e-12)


def test_rounding_to_float16_is_numpys() -> None:
    codes = np.arange(2**32 // 997, dtype=np.uint64) * np.uint64(997)
    values = codes.astype(np.uint32).view(np.float32)
    values = values[np.abs(values) < 65520]
    np.testing.assert_array_equal(encode(values, "float16"), values.astype(np.float16).view(np.uint16))


def test_rounding_to_bfloat16_is_the_well_known_addition() -> None:
    values = np.random.default_rng(1).integers(0, 0x7F7F8000, 10**6).astype(np.uint32)
    expected = (values + np.uint32(0x7FFF) + (values >> np.uint32(16) & np.uint32(1))) >> np.uint32(16)
    np.testing.assert_array_equal(encode(values.view(np.float32), "bfloat16"), expected)


def test_the_largest_values() -> None:
    limits = {name: form.limit for name, form in FORMATS.items()}
    assert limits == {
        "float64": np.finfo(np.float64).max, "float32": float(np.finfo(np.float32).max),
        "bfloat16": float.fromhex("0x1.FEp127"), "float16": 65504.0,
        "float8_e4m3fn": 448.0, "float8_e5m2": 57344.0,
    }  # fmt: skip


@pytest.mark.parametrize("dtype", NARROW)
def test_values_next_to_a_bound(dtype: str) -> None:
    form = FORMATS[dtype]
    codes = np.arange(form.finite, dtype=form.unsigned)
    values = np.unique(np.concatenate([decode(codes, dtype), -decode(codes, dtype)]))
    for bound in (*np.random.default_rng(1).standard_normal(50), 0.0, 0.1, 1.0, -1.0, 1e-9, -1e-9, 1e9):
        within = values[values <= bound]
        assert largest_at_most(dtype, bound) == within.max()
        assert largest_below(dtype, bound) == values[values < bound].max()
        if bound <= form.limit:
            assert smallest_at_least(dtype, bound) == values[values >= bound].min()
