"""The table of element types: who names them how, and what is not one of them."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from fanfill.dtype import DTYPES, as_dtype


def test_codes_are_the_positions_in_the_table() -> None:
    assert [dtype.code for dtype in DTYPES] == list(range(6))


def test_the_table() -> None:
    assert {dtype.name: (dtype.itemsize, dtype.safetensors_name) for dtype in DTYPES} == {
        "float64": (8, "F64"),
        "float32": (4, "F32"),
        "bfloat16": (2, "BF16"),
        "float16": (2, "F16"),
        "float8_e4m3fn": (1, "F8_E4M3"),
        "float8_e5m2": (1, "F8_E5M2"),
    }


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.name)
def test_a_name_gives_its_entry(dtype: object) -> None:
    assert as_dtype(dtype.name) is dtype  # type: ignore[attr-defined]
    assert as_dtype(dtype) is dtype


@pytest.mark.parametrize("value", [np.float16, np.dtype("f2"), np.dtype("=f2")])
def test_numpy_types_give_their_entry(value: object) -> None:
    assert as_dtype(value).name == "float16"


@pytest.mark.parametrize("dtype", [each for each in DTYPES if each.in_numpy], ids=lambda dtype: dtype.name)
def test_numpy_has_its_own_types_without_ml_dtypes(dtype: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    assert dtype.numpy_dtype().itemsize == dtype.itemsize  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "value",
    ["float", "float8_e4m3", "int32", "f4", None, int, 32, np.int8, np.dtype(">f4"), np.dtype([("a", "f4")])],
)
def test_what_names_no_element_type_is_refused_with_those_that_do(value: object) -> None:
    with pytest.raises(
        TypeError, match=r"dtype: .* is not an element type .* use one of float64, float32, bf"
    ):
        as_dtype(value)


def test_bfloat16_arrays_without_ml_dtypes_are_refused_with_the_ways_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    with pytest.raises(ImportError, match=r"pip install ml_dtypes.*torch tensor.*uint16 array"):
        as_dtype("bfloat16").numpy_dtype()
