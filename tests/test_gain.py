"""The gains: torch's table, and what is not in it."""

from __future__ import annotations

import math
import re

import pytest

import fanfill as ff


@pytest.mark.parametrize(
    ("nonlinearity", "expected"),
    [
        ("linear", 1.0),
        ("identity", 1.0),
        ("conv1d", 1.0),
        ("conv2d", 1.0),
        ("conv3d", 1.0),
        ("conv_transpose1d", 1.0),
        ("conv_transpose2d", 1.0),
        ("conv_transpose3d", 1.0),
        ("sigmoid", 1.0),
        ("tanh", 1.6666666666666667),
        ("relu", 1.4142135623730951),
        ("leaky_relu", 1.4141428569978354),
        ("selu", 0.75),
    ],
)
def test_the_table(nonlinearity: str, expected: float) -> None:
    assert ff.gain(nonlinearity) == expected


def test_the_slope_of_leaky_relu() -> None:
    assert ff.gain("leaky_relu", 0) == math.sqrt(2.0)
    assert ff.gain("leaky_relu", 1.0) == 1.0
    assert ff.gain("leaky_relu", math.sqrt(5.0)) == pytest.approx(1 / math.sqrt(3.0))


@pytest.mark.parametrize("name", ["gelu", "silu", "ReLU", ""])
def test_a_nonlinearity_without_a_gain_is_refused_with_the_way_out(name: str) -> None:
    with pytest.raises(ValueError, match=r"nonlinearity: .* has no gain in the table .*; give gain= itself"):
        ff.gain(name)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("RELU", "or did you mean 'relu'?"), ("LeakyReLU", "or did you mean 'leaky_relu'?")]
    + [(name, "such as 2**0.5, that of relu") for name in ("swish", "SiLU", "GELU", "zz")],
)
def test_a_misspelt_nonlinearity_gets_the_closest_and_another_a_gain_to_give(name: str, hint: str) -> None:
    with pytest.raises(ValueError, match=f"give gain= itself, {re.escape(hint)}$"):
        ff.gain(name)


def test_a_nonlinearity_that_is_no_string_is_refused() -> None:
    with pytest.raises(TypeError, match="nonlinearity must be a str"):
        ff.gain(None)  # type: ignore[arg-type]


def test_a_parameter_for_a_nonlinearity_without_one_is_refused() -> None:
    with pytest.raises(ValueError, match="param is the slope of leaky_relu; 'relu' has no parameter"):
        ff.gain("relu", 0.1)


@pytest.mark.parametrize("param", [True, "0.1"])
def test_a_parameter_that_is_no_number_is_refused(param: object) -> None:
    with pytest.raises(TypeError, match="param must be a real number"):
        ff.gain("leaky_relu", param)  # type: ignore[arg-type]


@pytest.mark.parametrize("param", [math.nan, math.inf])
def test_a_parameter_that_is_not_finite_is_refused(param: float) -> None:
    with pytest.raises(ValueError, match="param"):
        ff.gain("leaky_relu", param)
