"""ml_dtypes arrays: written without a copy, and what their odd NumPy dtypes must not be taken for."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

import fanfill as ff
from fanfill.dtype import as_dtype

pytestmark = pytest.mark.framework

NAMES = ["bfloat16", "float8_e4m3fn", "float8_e5m2"]


@pytest.mark.parametrize("name", NAMES)
def test_arrays_of_any_strides_without_a_copy(name: str) -> None:
    base = np.zeros((8, 9), getattr(ml_dtypes, name))
    out = base[::-2, 1:8:3].T
    assert ff.normal_(out, seed=7, key="w") is out
    expected = ff.normal(out.shape, seed=7, key="w", dtype=name)
    np.testing.assert_array_equal(out.copy().view(np.uint8), expected.copy().view(np.uint8))
    assert (base == 0).sum() >= base.size - out.size


@pytest.mark.parametrize("name", NAMES)
def test_values_are_the_float32_values_rounded_once(name: str) -> None:
    out = ff.normal(10_000, std=0.02, seed=7, key="w", dtype=name)
    wide = ff.normal(10_000, std=0.02, seed=7, key="w")
    np.testing.assert_array_equal(out, wide.astype(getattr(ml_dtypes, name)))


@pytest.mark.parametrize("name", NAMES)
def test_new_arrays_are_of_the_ml_dtypes_type_and_aligned(name: str) -> None:
    out = ff.he_normal((33, 7), seed=7, dtype=name)
    assert out.dtype == np.dtype(getattr(ml_dtypes, name))
    assert out.ctypes.data % 64 == 0


@pytest.mark.parametrize("name", NAMES)
def test_every_way_to_name_the_type(name: str) -> None:
    kind = getattr(ml_dtypes, name)
    for value in (name, kind, np.dtype(kind)):
        assert as_dtype(value).name == name


@pytest.mark.parametrize("name", NAMES)
def test_unsigned_bits_with_the_type_named_get_the_same_bits(name: str) -> None:
    kind = np.dtype(getattr(ml_dtypes, name))
    unsigned = np.zeros((4, 5), f"u{kind.itemsize}")
    ff.normal_(unsigned, seed=7, key="w", dtype=kind)
    np.testing.assert_array_equal(
        unsigned, ff.normal((4, 5), seed=7, key="w", dtype=name).view(unsigned.dtype)
    )


@pytest.mark.parametrize(
    "name", ["float8_e4m3", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu", "int4"]
)
def test_other_types_of_ml_dtypes_are_refused(name: str) -> None:
    out = np.zeros(4, getattr(ml_dtypes, name))
    with pytest.raises(TypeError, match=f"out has elements of {name}; fanfill writes"):
        ff.normal_(out, seed=7, key="w")
    assert (out == np.zeros(1, out.dtype)).all()


def test_read_only_array_is_refused() -> None:
    out = np.zeros(4, ml_dtypes.bfloat16)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="out is read-only"):
        ff.normal_(out, seed=7, key="w")
    assert (out == 0).all()


def test_byte_swapped_array_is_refused() -> None:
    dtype: Any = np.dtype(ml_dtypes.bfloat16).newbyteorder(">")
    out = np.zeros(4, dtype)
    with pytest.raises(TypeError, match="out has byte-swapped elements >V2; fill an array of bfloat16"):
        ff.normal_(out, seed=7, key="w")
    assert (out.view(np.uint16) == 0).all()
