"""Indices beyond 32 bits: by addressing, every element out there has the oracle's value."""

from __future__ import annotations

import math

import numpy as np
import pytest

import fanfill as ff
from oracle import cases
from oracle.law import NORMAL, UNIFORM, Law, fill
from oracle.rounding import FORMATS

# 2^31 and 2^32: index arithmetic; 2^33 and 2^34: the block's low word overflows, first for float64.
CENTRES = {f"2^{e}": 2**e for e in (31, 32, 33, 34, 40, 61)}
LAWS = {
    "normal": (ff.Normal(0.0, 0.02), Law(NORMAL, 0.0, 0.02)),
    "uniform": (ff.Uniform(-0.25, 0.75), Law(UNIFORM, low=-0.25, high=0.75)),
    "truncated": (ff.TruncatedNormal(0.0, 0.02, (-2.0, 2.0)), cases.LAWS["symmetric"]),
    "one_sided": (ff.TruncatedNormal(0.0, 1.0, (0.5, math.inf)), cases.LAWS["one_sided"]),
    "log_uniform": (ff.LogUniform(1e-3, 0.1), cases.LAWS["log_uniform"]),
    "arange": (ff.Arange(1e-3, 1e-3 + 0.37 * 5002.5, 0.37, log=True), cases.LAWS["arange_log_long"]),
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("centre", CENTRES)
def test_elements_around_a_far_index(centre: str, dtype: str, law: str) -> None:
    start, stop = CENTRES[centre] - 64, CENTRES[centre] + 64
    out = np.zeros(stop - start, FORMATS[dtype].unsigned if dtype != "float64" else np.float64)
    region = ff.Region.flat((2**62,), start, stop)
    drawn, contract = LAWS[law]
    ff.fill_(out, drawn, seed=7, key=8, region=region, dtype=dtype)
    expected = fill(contract, dtype, 7, 8, np.arange(start, stop, dtype=np.uint64))
    np.testing.assert_array_equal(out.view(expected.dtype), expected)


def test_the_last_elements_of_the_largest_tensor() -> None:
    start, stop = 2**62 - 40, 2**62
    region = ff.Region.flat((2**31, 2**31), start, stop)
    for dtype in ("float64", "float32"):
        out = ff.normal_(np.zeros(40, dtype), seed=7, key=8, region=region)
        expected = fill(Law(NORMAL, 0.0, 1.0), dtype, 7, 8, np.arange(start, stop, dtype=np.uint64))
        np.testing.assert_array_equal(out.view(expected.dtype), expected)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_a_box_far_out_in_many_dimensions(dtype: str) -> None:
    shape, offsets, sizes = (2**20, 3, 2**19, 5), (2**20 - 2, 1, 2**18, 2), (2, 2, 3, 3)
    out = ff.normal_(np.zeros(sizes, dtype), seed=1, key=2, region=ff.Region.box(shape, offsets, sizes))
    places = np.ix_(*(np.arange(o, o + n) for o, n in zip(offsets, sizes, strict=True)))
    expected = fill(Law(NORMAL, 0.0, 1.0), dtype, 1, 2, np.ravel_multi_index(places, shape).ravel())
    np.testing.assert_array_equal(out.ravel().view(expected.dtype), expected)
