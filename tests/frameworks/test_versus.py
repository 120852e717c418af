"""The side-by-side tests on small samples: fanfill passes them all, and faults that others had are seen.

It must not know what a test counts; `nox -s versus` takes large samples.
"""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pytest

from versus.figure import figures
from versus.library import LIBRARIES, Library

pytestmark = pytest.mark.framework

COUNT = 2**20


def library(name: str) -> Library:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what frameworks say of themselves as they are imported
        return LIBRARIES[name]()


def wrong(found: Library) -> set[str]:
    return {name for name, figure in figures(found, COUNT).items() if not figure["ok"]}


def test_fanfill_passes_all() -> None:
    assert len(figures(library("fanfill"), COUNT)) == 22
    assert wrong(library("fanfill")) == set()


@pytest.mark.parametrize("name", ["torch", "jax", "keras", "numpy"])
def test_every_figure_of_a_library_can_be_had(name: str) -> None:
    found = figures(library(name), 2**14)
    narrow = {figure for figure in found if figure.endswith("bfloat16")}
    assert "tails normal float32" in found
    assert len(narrow) == (0 if name == "numpy" else 7)


def test_a_normal_cut_in_its_tails_is_seen() -> None:
    sound = library("fanfill")

    def cut(dtype: str, count: int, seed: int) -> np.ndarray:
        drawn = sound.normal("float32", 4 * count, seed)
        near = drawn[np.abs(drawn) < 3.5][:count]
        return near if dtype == "float32" else _rounded(near, dtype)

    assert {f"tails normal {dtype}" for dtype in sound.dtypes} <= wrong(
        dataclasses.replace(sound, normal=cut)
    )


def test_uniforms_that_reach_their_upper_end_are_seen() -> None:
    sound = library("fanfill")

    def closed(dtype: str, count: int, seed: int) -> np.ndarray:
        drawn = sound.uniform("float32", count, seed)
        drawn[:10] = 1.0
        return drawn if dtype == "float32" else _rounded(drawn, dtype)

    faulty = wrong(dataclasses.replace(sound, uniform=closed))
    assert {f"bounds uniform {dtype}" for dtype in sound.dtypes} <= faulty
    assert "buckets uniform bfloat16" in faulty


def test_values_that_depend_on_the_length_are_seen() -> None:
    sound = library("fanfill")

    def shifted(dtype: str, count: int, seed: int) -> np.ndarray:
        return sound.normal(dtype, count, seed + count % 2)

    assert wrong(dataclasses.replace(sound, normal=shifted)) == {"invariance normal"}


def _rounded(values: np.ndarray, dtype: str) -> np.ndarray:
    if dtype == "float16":
        return values.astype(np.float16).view(np.uint16)
    bits = values.view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
