"""Rows of any length, of any strides and anywhere get the bits of the whole tensor."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fanfill as ff

LAWS = {
    "normal": ff.Normal(0.25, 0.02),
    "uniform": ff.Uniform(-0.25, 0.75),
    "truncated": ff.TruncatedNormal(std=0.5),
    "deep": ff.TruncatedNormal(bounds=(-5.5, 5.5)),
    "one-sided": ff.TruncatedNormal(bounds=(0.5, math.inf)),
    "far": ff.TruncatedNormal(bounds=(13.0, 14.0)),
    "log-uniform": ff.LogUniform(1e-3, 0.1),
    "arange": ff.Arange(1e-3, 400.0, 0.37),
    "constant": ff.Constant(0.3),
}
STORED = {"float64": "f8", "float32": "f4", "bfloat16": "u2", "float16": "f2", "float8_e5m2": "u1"}


def filled(out: np.ndarray, law: ff.Law, dtype: str, region: ff.Region | None = None) -> np.ndarray:
    return ff.fill_(out, law, seed=3, key="w", dtype=dtype, region=region)


@pytest.mark.parametrize("width", [1, 2, 3, 5, 31, 64, 100, 129, 700])
@pytest.mark.parametrize("dtype", STORED)
@pytest.mark.parametrize("law", LAWS)
def test_rows_of_a_matrix(law: str, dtype: str, width: int) -> None:
    shape = (4, 713) if law == "far" else (41, 713)
    whole = filled(np.zeros(shape, STORED[dtype]), LAWS[law], dtype)
    expected = whole[:, 7 : 7 + width]
    region = ff.Region.box(shape, (0, 7), (shape[0], width))
    cut = filled(np.zeros(expected.shape, STORED[dtype]), LAWS[law], dtype, region)
    np.testing.assert_array_equal(cut, expected)
    memory = np.zeros((shape[0], 2 * width + 9), STORED[dtype])
    filled(memory[:, 3 : 3 + width], LAWS[law], dtype, region)
    np.testing.assert_array_equal(memory[:, 3 : 3 + width], expected)
    assert not memory[:, :3].any()
    assert not memory[:, 3 + width :].any()
    turned = filled(np.zeros(expected.shape[::-1], STORED[dtype]).T, LAWS[law], dtype, region)
    np.testing.assert_array_equal(turned, expected)


@pytest.mark.parametrize(("first", "width"), [(64, 128), (7, 201)])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("law", ["normal", "uniform", "deep"])
def test_rows_of_a_matrix_beyond_the_cache(law: str, dtype: str, first: int, width: int) -> None:
    shape, columns = (1 << 15, 256), slice(first, first + width)
    whole = filled(np.zeros(shape, STORED[dtype]), LAWS[law], dtype)
    region = ff.Region.box(shape, (0, first), (shape[0], width))
    cut = filled(np.full(region.local_shape, 1, STORED[dtype]), LAWS[law], dtype, region)  # old memory
    np.testing.assert_array_equal(cut, whole[:, columns])
    gaps = np.full(shape, 1, STORED[dtype])
    filled(gaps[:, columns], LAWS[law], dtype, region)
    np.testing.assert_array_equal(gaps[:, columns], cut)
    gaps[:, columns] = 1
    assert (gaps == 1).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("law", ["normal", "deep", "one-sided"])
def test_rare_words_are_drawn_in_short_rows_too(law: str, dtype: str) -> None:
    shape = (1 << 10, 1 << 9)  # one word in 32,768 is rare
    whole = filled(np.zeros(shape, dtype), LAWS[law], dtype)
    for begin in range(0, shape[1], 8):
        region = ff.Region.box(shape, (0, begin), (shape[0], 1 if begin % 16 else 8))
        part = filled(np.zeros(region.local_shape, dtype), LAWS[law], dtype, region)
        np.testing.assert_array_equal(part, whole[:, begin : begin + part.shape[1]])
    np.testing.assert_array_equal(filled(np.zeros(shape, dtype, order="F"), LAWS[law], dtype), whole)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("power", [32, 33, 34, 40])
def test_short_rows_around_a_far_index(power: int, dtype: str) -> None:
    shape = (1 << 50, 4)
    first = (1 << power) // 4 - 90
    flat = ff.Region.flat(shape, 4 * first, 4 * (first + 180))
    whole = filled(np.zeros(720, dtype), LAWS["normal"], dtype, flat).reshape(180, 4)
    for begin, width in ((0, 1), (3, 1), (1, 2), (0, 3)):
        box = ff.Region.box(shape, (first, begin), (180, width))
        part = filled(np.zeros((180, width), dtype), LAWS["normal"], dtype, box)
        np.testing.assert_array_equal(part, whole[:, begin : begin + width])


@settings(max_examples=150)
@given(data=st.data())
def test_any_slice_of_any_view(data: st.DataObject) -> None:
    shape = tuple(data.draw(st.lists(st.integers(1, 40), min_size=1, max_size=4)))
    dtype = data.draw(st.sampled_from(["float32", "float64", "float16"]))
    law = LAWS[data.draw(st.sampled_from(["normal", "uniform", "one-sided", "constant"]))]
    whole = filled(np.zeros(shape, dtype), law, dtype)
    boxes = [sorted(data.draw(st.tuples(st.integers(0, n), st.integers(0, n)))) for n in shape]
    sizes = [stop - start for start, stop in boxes]
    region = ff.Region.box(shape, [start for start, _ in boxes], sizes)
    order = data.draw(st.permutations(range(len(shape))))
    steps = data.draw(st.lists(st.sampled_from([1, 2, -1, -3]), min_size=len(shape), max_size=len(shape)))
    memory = np.zeros([sizes[axis] * abs(steps[axis]) for axis in order], dtype)
    view = memory.transpose(np.argsort(order))[tuple(slice(None, None, step) for step in steps)]
    threads = data.draw(st.integers(1, 3))
    ff.fill_(view, law, seed=3, key="w", region=region, threads=threads)
    np.testing.assert_array_equal(view, whole[tuple(slice(start, stop) for start, stop in boxes)])
