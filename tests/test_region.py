"""Regions: what memory holds of a tensor, and that it gets the bits of these places."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest

import fanfill as ff

SHAPE = (6, 10)
REGIONS = {
    "box": ff.Region.box(SHAPE, (2, 3), (3, 4)),
    "strided shard": ff.Region(SHAPE, [[(0, 2), (4, 6)], [(0, 10)]]),
    "runs in both": ff.Region(SHAPE, [[(1, 2), (3, 6)], [(0, 1), (2, 5), (9, 10)]]),
    "flat": ff.Region.flat(SHAPE, 7, 33),
    "nothing": ff.Region(SHAPE, [[], [(0, 10)]]),
    "all": ff.Region.box(SHAPE, (0, 0), SHAPE),
}


def picked(whole: np.ndarray, region: ff.Region) -> np.ndarray:
    """Return the places of a region from the whole tensor, by NumPy's own indexing."""
    if region._is_flat:
        start, stop = region.runs[0][0]
        return whole.ravel()[start:stop]
    indices = [[i for start, stop in runs for i in range(start, stop)] for runs in region.runs]
    return whole[np.ix_(*indices)] if all(indices) else np.empty(region.local_shape, whole.dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("region", REGIONS.values(), ids=REGIONS)
def test_a_region_gets_the_bits_of_these_places(region: ff.Region, dtype: str) -> None:
    whole = ff.normal(SHAPE, seed=3, key="w", dtype=dtype)
    part = ff.normal_(np.zeros(region.local_shape, dtype), seed=3, key="w", region=region)
    np.testing.assert_array_equal(part, picked(whole, region))


@pytest.mark.parametrize("region", REGIONS.values(), ids=REGIONS)
def test_the_memory_of_a_region_may_have_any_strides(region: ff.Region) -> None:
    whole = ff.normal(SHAPE, seed=3, key="w")
    memory = np.zeros((*region.local_shape[::-1], 2), np.float32)[..., 0].T
    part = ff.normal_(memory[::-1], seed=3, key="w", region=region)
    np.testing.assert_array_equal(part, picked(whole, region))


@pytest.mark.parametrize("region", REGIONS.values(), ids=REGIONS)
def test_pickle_and_repr_give_an_equal_region(region: ff.Region) -> None:
    assert pickle.loads(pickle.dumps(region)) == region
    assert eval(repr(region), {"Region": ff.Region}) == region
    assert hash(eval(repr(region), {"Region": ff.Region})) == hash(region)


def test_shapes_and_sizes() -> None:
    region = REGIONS["runs in both"]
    assert (region.shape, region.local_shape, region.size) == (SHAPE, (4, 5), 20)
    assert (REGIONS["flat"].shape, REGIONS["flat"].local_shape, REGIONS["flat"].size) == (SHAPE, (26,), 26)


def test_regions_of_different_places_differ() -> None:
    assert len(set(REGIONS.values())) == len(REGIONS)
    assert REGIONS["box"] != "box"


def test_adjacent_runs_are_one_and_empty_ones_none() -> None:
    assert ff.Region((9,), [[(0, 2), (2, 2), (2, 5), (7, 7)]]) == ff.Region((9,), [[(0, 5)]])


def test_a_flat_region_of_one_dimension_is_a_box() -> None:
    assert ff.Region.flat((9,), 2, 5) == ff.Region.box((9,), (2,), (3,))


def test_a_flat_region_of_a_scalar() -> None:
    assert ff.Region.flat((), 0, 1).local_shape == (1,)
    assert ff.Region((), []).local_shape == ()


def test_an_empty_flat_region() -> None:
    region = ff.Region.flat(SHAPE, 7, 7)
    assert region.local_shape == (0,)
    assert pickle.loads(pickle.dumps(region)) == region


def test_a_region_of_a_tensor_of_2_to_40_elements() -> None:
    start = 2**40 - 5
    region = ff.Region.box((2**20, 2**20), (2**20 - 1, 2**20 - 5), (1, 5))
    box = ff.normal((2**20, 2**20), seed=3, region=region)
    flat = ff.normal((2**20, 2**20), seed=3, region=ff.Region.flat((2**20, 2**20), start, 2**40))
    np.testing.assert_array_equal(box[0], flat)


def test_regions_are_frozen() -> None:
    with pytest.raises(AttributeError, match="a Region is frozen"):
        REGIONS["box"].size = 3
    with pytest.raises(AttributeError, match="a Region is frozen"):
        del REGIONS["box"].size


@pytest.mark.parametrize("runs", [[[(0, 6)]], [[(0, 6)], [(0, 10)], []]])
def test_the_wrong_number_of_dimensions_is_refused(runs: list[list[tuple[int, int]]]) -> None:
    with pytest.raises(ValueError, match="runs must have one sequence for each of the 2 dimensions"):
        ff.Region(SHAPE, runs)


@pytest.mark.parametrize("run", [(0, 7), (-1, 2), (3, 2)])
def test_a_run_outside_its_extent_is_refused(run: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"runs\[0\]: .* is not within the extent 6"):
        ff.Region(SHAPE, [[run], [(0, 10)]])


@pytest.mark.parametrize("runs", [[(3, 5), (0, 2)], [(0, 3), (2, 5)], [(0, 3), (0, 3)]])
def test_runs_out_of_order_or_overlapping_are_refused(runs: list[tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match=r"runs\[1\] must ascend without overlap"):
        ff.Region(SHAPE, [[(0, 6)], runs])


@pytest.mark.parametrize(
    ("runs", "match"),
    [
        (5, r"^runs must have one sequence of \(start, stop\) for each dimension, not 5$"),
        (None, "^runs must have one sequence"),
        ("ab", "^runs must have one sequence"),
        ([5, [(0, 10)]], r"^runs\[0\] must be a sequence of pairs \(start, stop\), not 5$"),
        ([[(0, 6)], None], r"^runs\[1\] must be a sequence of pairs"),
    ],
)
def test_runs_that_are_no_sequences_are_refused(runs: object, match: str) -> None:
    with pytest.raises(TypeError, match=match):
        ff.Region(SHAPE, runs)  # type: ignore[arg-type]


@pytest.mark.parametrize("run", [5, (1,), (1, 2, 3)])
def test_a_run_that_is_no_pair_is_refused(run: object) -> None:
    with pytest.raises(TypeError, match=r"runs\[0\] must hold pairs"):
        ff.Region((6,), [[run]])  # type: ignore[list-item]


@pytest.mark.parametrize("run", [(0.0, 2), (False, 2), ("0", 2)])
def test_an_index_that_is_no_integer_is_refused(run: object) -> None:
    with pytest.raises(TypeError, match=r"start in runs\[0\] must be an integer"):
        ff.Region((6,), [[run]])  # type: ignore[list-item]


def test_a_box_outside_the_shape_is_refused_by_the_names_of_its_arguments() -> None:
    with pytest.raises(ValueError, match=r"^offsets\[1\] \+ sizes\[1\] = 12 exceeds shape\[1\] = 10$"):
        ff.Region.box(SHAPE, (0, 8), (6, 4))
    with pytest.raises(ValueError, match=r"^offsets\[0\] must not be negative, not -1$"):
        ff.Region.box(SHAPE, (-1, 0), (6, 4))
    with pytest.raises(ValueError, match=r"^sizes\[1\] must not be negative, not -4$"):
        ff.Region.box(SHAPE, (0, 8), (6, -4))
    with pytest.raises(TypeError, match=r"^sizes\[1\] must be an integer"):
        ff.Region.box(SHAPE, (0, 8), (6, 4.0))  # type: ignore[arg-type]


def test_a_box_of_other_rank_is_refused() -> None:
    with pytest.raises(ValueError, match="offsets must have one number for each of the 2 dimensions"):
        ff.Region.box(SHAPE, (0,), (6, 4))
    with pytest.raises(ValueError, match="sizes must have one number for each of the 2 dimensions"):
        ff.Region.box(SHAPE, (0, 0), (6, 4, 1))


@pytest.mark.parametrize(
    ("start", "stop", "message"),
    [
        (0, 61, "stop must not exceed the 60 elements of shape (6, 10), not 61"),
        (5, 2, "start must not be above stop, not start=5, stop=2"),
        (-1, 2, "start must not be negative, not -1"),
    ],
)
def test_a_flat_range_outside_the_tensor_is_refused(start: int, stop: int, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        ff.Region.flat(SHAPE, start, stop)


def test_a_tensor_beyond_the_contract_is_refused() -> None:
    assert ff.Region.flat((2**31, 2**31), 0, 1).size == 1
    with pytest.raises(OverflowError, match=r"shape has more than 2\*\*62 elements"):
        ff.Region.flat((2**31, 2**31, 2), 0, 1)


def test_memory_of_another_shape_is_refused() -> None:
    out = np.full((3, 3), 5.0)
    with pytest.raises(
        ValueError, match=r"region holds a part of shape \(3, 4\), and out has shape \(3, 3\)"
    ):
        ff.normal_(out, seed=0, key=0, region=REGIONS["box"])
    assert (out == 5.0).all()


def test_what_is_no_region_is_refused() -> None:
    with pytest.raises(TypeError, match="region must be a Region, not tuple"):
        ff.normal_(np.zeros((3, 4)), seed=0, key=0, region=((0, 3), (0, 4)))  # type: ignore[arg-type]
