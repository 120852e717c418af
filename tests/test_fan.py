"""Fans: the table of layers, explicit fans, and shapes with few or empty axes."""

from __future__ import annotations

import numpy as np
import pytest

import fanfill as ff
from fanfill.fan import fan_of_mode

# What each layer stores, and the inputs of one output unit and the outputs of one input unit.
LAYERS = {
    "dense": ((5, 3), {}, (3, 5)),
    "dense io": ((3, 5), {"layout": "io"}, (3, 5)),
    "conv": ((64, 32, 3, 5), {}, (32 * 15, 64 * 15)),
    "conv io": ((3, 5, 32, 64), {"layout": "io"}, (32 * 15, 64 * 15)),
    "grouped conv": ((64, 8, 3, 3), {"groups": 4}, (8 * 9, 16 * 9)),
    "grouped conv io": ((3, 3, 8, 64), {"layout": "io", "groups": 4}, (8 * 9, 16 * 9)),
    "depthwise": ((64, 1, 3, 3), {"groups": 32}, (9, 2 * 9)),
    "depthwise io": ((3, 3, 1, 64), {"layout": "io", "groups": 32}, (9, 2 * 9)),
    "transposed conv": ((32, 64, 3, 3), {"transposed": True}, (32 * 9, 64 * 9)),
    "transposed conv io": ((3, 3, 64, 32), {"layout": "io", "transposed": True}, (32 * 9, 64 * 9)),
    "grouped transposed conv": ((32, 16, 3, 3), {"transposed": True, "groups": 4}, (8 * 9, 16 * 9)),
    "stacked experts": ((8, 5, 3), {"batch_axes": (0,)}, (3, 5)),
    "stacked experts io": ((8, 3, 5), {"layout": "io", "batch_axes": (0,)}, (3, 5)),
    "experts last": ((5, 3, 8), {"batch_axes": (-1,)}, (3, 5)),
    "scanned experts": ((2, 8, 5, 3), {"batch_axes": (0, 1)}, (3, 5)),
    "scalar": ((), {}, (1, 1)),
    "vector": ((7,), {}, (7, 7)),
    "vector io": ((7,), {"layout": "io"}, (7, 7)),
    "stacked vectors": ((4, 7), {"batch_axes": (0,)}, (7, 7)),
    "only batch": ((4,), {"batch_axes": (0,)}, (1, 1)),
    "one output": ((1, 9), {}, (9, 1)),
    "one input": ((9, 1), {}, (1, 9)),
    "no output": ((0, 9), {}, (9, 0)),
    "no input": ((9, 0), {}, (0, 9)),
    "empty vector": ((0,), {}, (0, 0)),
    "empty kernel": ((9, 8, 0), {}, (0, 0)),
    "int for a shape": (7, {}, (7, 7)),
}


@pytest.mark.parametrize(("shape", "options", "expected"), LAYERS.values(), ids=LAYERS)
def test_layer(shape: tuple[int, ...], options: dict[str, object], expected: tuple[int, int]) -> None:
    assert ff.fans(shape, **options) == expected  # type: ignore[call-overload]


def test_fans_are_named_and_exact() -> None:
    both = ff.fans((2**31, 2**30))
    assert (both.fan_in, both.fan_out) == (2**30, 2**31)


def test_parts_of_equal_size_have_each_their_own_fans() -> None:
    assert ff.fans((12, 4), parts=3) == ((4, 4), (4, 4), (4, 4))
    assert ff.fans((4, 12), layout="io", parts=2) == ((4, 6), (4, 6))


def test_parts_of_unequal_size_have_each_their_own_fans() -> None:
    assert ff.fans((12, 4), parts=(8, 2, 2)) == ((4, 8), (4, 2), (4, 2))


def test_parts_of_a_grouped_weight() -> None:
    assert ff.fans((12, 4, 3), parts=(8, 4), groups=2) == ((12, 12), (12, 6))


def test_explicit_fans_win() -> None:
    assert ff.fans((5, 3), fan_in=7) == (7, 5)
    assert ff.fans((5, 3), fan_out=2.5) == (3, 2.5)
    assert ff.fans((9,), fan_in=1, fan_out=2) == (1, 2)
    assert ff.fans((6, 3), parts=2, fan_out=6) == ((3, 6), (3, 6))


@pytest.mark.parametrize("fan", [0, -1, 0.0, float("inf"), float("nan")])
@pytest.mark.parametrize("name", ["fan_in", "fan_out"])
def test_explicit_fans_that_are_not_positive_are_refused(name: str, fan: float) -> None:
    with pytest.raises(ValueError, match=f"^{name} "):
        ff.fans((5, 3), **{name: fan})  # type: ignore[call-overload]


@pytest.mark.parametrize("fan", [True, "3"])
def test_explicit_fans_that_are_no_numbers_are_refused(fan: object) -> None:
    with pytest.raises(TypeError, match="fan_in must be a real number"):
        ff.fans((5, 3), fan_in=fan)  # type: ignore[call-overload]


def test_unknown_layout_is_refused() -> None:
    with pytest.raises(ValueError, match=r"layout must be 'oi' .* or 'io'"):
        ff.fans((5, 3), layout="torch")  # type: ignore[call-overload]


@pytest.mark.parametrize("groups", [0, -1])
def test_groups_below_one_are_refused(groups: int) -> None:
    with pytest.raises(ValueError, match="groups must be at least 1"):
        ff.fans((6, 3), groups=groups)


def test_groups_that_do_not_divide_the_outputs_are_refused() -> None:
    with pytest.raises(ValueError, match="groups: 4 does not divide the 6 of the out axis"):
        ff.fans((6, 3), groups=4)


def test_groups_that_do_not_divide_the_inputs_of_a_transposed_weight_are_refused() -> None:
    with pytest.raises(ValueError, match="groups: 4 does not divide the 6 of the in axis"):
        ff.fans((6, 3), groups=4, transposed=True)


@pytest.mark.parametrize("options", [{"groups": 2}, {"transposed": True}, {"parts": 2}])
@pytest.mark.parametrize("shape", [(), (6,)])
def test_options_of_matrices_are_refused_for_vectors(shape: tuple[int, ...], options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="groups, transposed and parts need an in and an out axis"):
        ff.fans(shape, **options)  # type: ignore[call-overload]


@pytest.mark.parametrize("axes", [(2,), (-3,)])
def test_batch_axes_that_do_not_exist_are_refused(axes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="batch_axes: there is no axis"):
        ff.fans((5, 3), batch_axes=axes)


def test_a_batch_axis_named_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="batch_axes names axis 1 twice"):
        ff.fans((5, 3, 2), batch_axes=(1, -2))


@pytest.mark.parametrize("axes", [None, "0", {0}, (0.0,), True])
def test_batch_axes_that_are_no_sequence_of_ints_are_refused(axes: object) -> None:
    with pytest.raises(TypeError, match=r"^batch_axes must be an int or a sequence of ints, not "):
        ff.fans((5, 3), batch_axes=axes)  # type: ignore[call-overload]


def test_numpy_axes_and_sizes_are_ints() -> None:
    assert ff.fans((8, 5, 3), batch_axes=np.array([0])) == (3, 5)  # type: ignore[call-overload]
    assert ff.fans((8, 5, 3), batch_axes=0) == (3, 5)  # type: ignore[call-overload]
    assert ff.fans((6, 3), parts=np.array([4, 2])) == ((3, 4), (3, 2))  # type: ignore[call-overload]


@pytest.mark.parametrize("parts", [(4, 4), (), (8, -2), 5])
def test_parts_that_do_not_make_up_the_out_axis_are_refused(parts: object) -> None:
    with pytest.raises(ValueError, match="parts"):
        ff.fans((6, 3), parts=parts)  # type: ignore[call-overload]


@pytest.mark.parametrize("shape", ["ab", (2.0, 3), (True, 3), None])
def test_a_shape_that_is_no_sequence_of_ints_is_refused(shape: object) -> None:
    with pytest.raises(TypeError, match="shape"):
        ff.fans(shape)  # type: ignore[call-overload]


def test_a_negative_extent_is_refused() -> None:
    with pytest.raises(ValueError, match="shape must not have a negative extent"):
        ff.fans((5, -3))


def test_numpy_extents_are_ints() -> None:
    assert ff.fans(np.array([5, 3])) == (3, 5)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("mode", "expected"), [("fan_in", 4), ("fan_out", 9), ("fan_avg", 6.5), ("fan_geo_avg", 6.0)]
)
def test_modes(mode: str, expected: float) -> None:
    assert fan_of_mode(ff.fans((9, 4)), mode) == expected


def test_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="mode must be 'fan_in', 'fan_out', 'fan_avg' or 'fan_geo_avg'"):
        fan_of_mode(ff.fans((9, 4)), "fan")
