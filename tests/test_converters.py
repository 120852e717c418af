"""Rounding float32 to the narrow dtypes: every instruction set against a table of all values."""

from __future__ import annotations

import numpy as np
import pytest

from oracle import core
from oracle.rounding import FORMATS, NARROW, decode, encode, magnitudes


def critical_values(dtype: str) -> np.ndarray:
    """Every value, every middle between two, and the float32 on either side of each, with both signs."""
    table = magnitudes(dtype)
    middles = (table[1:] + table[:-1]) / 2
    beyond = 2 * table[-1] - table[-2]  # where the next value would be
    edges = np.concatenate([table, middles, [(table[-1] + beyond) / 2, beyond]])
    edges = edges[edges <= np.finfo(np.float32).max].astype(np.float32)  # exact: all have fewer digits
    up, down = np.nextafter(edges, np.float32(np.inf)), np.nextafter(edges, np.float32(0))
    edges = np.concatenate([edges, up[np.isfinite(up)], down])
    return np.concatenate([edges, -edges])


def finite_patterns(rng: np.random.Generator, count: int) -> np.ndarray:
    values = rng.integers(0, 2**32, count, np.uint32).view(np.float32)
    return values[np.isfinite(values)]


@pytest.mark.parametrize("isa", core.ISAS)
@pytest.mark.parametrize("dtype", NARROW)
def test_nearest_even_at_every_value_and_middle(dtype: str, isa: str) -> None:
    values = critical_values(dtype)
    np.testing.assert_array_equal(core.round_to(isa, dtype, values), encode(values, dtype))


@pytest.mark.parametrize("isa", core.ISAS)
@pytest.mark.parametrize("dtype", NARROW)
def test_nearest_even_on_random_bits(dtype: str, isa: str) -> None:
    values = finite_patterns(np.random.default_rng(1), 200_000)
    np.testing.assert_array_equal(core.round_to(isa, dtype, values), encode(values, dtype))


@pytest.mark.parametrize("isa", core.ISAS)
@pytest.mark.parametrize("dtype", NARROW)
def test_nearest_even_for_every_length(dtype: str, isa: str) -> None:
    values = np.random.default_rng(2).standard_normal(132, np.float32)
    for count in range(132):
        np.testing.assert_array_equal(
            core.round_to(isa, dtype, values[:count]), encode(values[:count], dtype)
        )


@pytest.mark.parametrize("isa", core.ISAS)
@pytest.mark.parametrize("dtype", NARROW)
def test_every_code_survives(dtype: str, isa: str) -> None:
    codes = np.arange(FORMATS[dtype].finite, dtype=FORMATS[dtype].unsigned)
    codes = np.concatenate([codes, codes | FORMATS[dtype].unsigned(1 << (FORMATS[dtype].bits - 1))])
    np.testing.assert_array_equal(core.round_to(isa, dtype, decode(codes, dtype).astype(np.float32)), codes)


@pytest.mark.parametrize("isa", core.ISAS)
@pytest.mark.parametrize("dtype", NARROW)
def test_what_is_beyond_the_largest_value_becomes_it(dtype: str, isa: str) -> None:
    limit = FORMATS[dtype].limit
    beyond = np.array([np.finfo(np.float32).max, np.inf], np.float32)
    values = decode(core.round_to(isa, dtype, np.concatenate([beyond, -beyond])), dtype)
    assert values.tolist() == [limit, limit, -limit, -limit]
