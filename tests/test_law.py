"""The laws as values: what they refuse; frozen, equal by value, printable, picklable, JSON."""

from __future__ import annotations

import json
import math
import pickle

import numpy as np
import pytest

from fanfill import Arange, Constant, Law, LogUniform, Normal, TruncatedNormal, Uniform, fill_
from fanfill.dtype import as_dtype

LAWS = [
    Normal(0.5, 0.02),
    Uniform(-0.1, 0.3),
    TruncatedNormal(0.1, 0.02, (-3.0, 3.0), "sigma", True),
    TruncatedNormal(0.0, 1.0, (0.0, math.inf), "absolute"),
    TruncatedNormal(bounds=(-math.inf, 1.5)),
    Constant(1.0),
    LogUniform(1e-3, 0.1, 1e-4, True),
    Arange(1, 17, 0.5, log=True),
]


@pytest.mark.parametrize("law", LAWS)
def test_repr_evaluates_to_an_equal_law(law: Law) -> None:
    names = {kind.__name__: kind for kind in map(type, LAWS)}
    assert eval(repr(law), names) == law  # an infinite bound too: inf alone is no name of Python's


@pytest.mark.parametrize("law", LAWS)
def test_pickle_gives_an_equal_law(law: Law) -> None:
    assert pickle.loads(pickle.dumps(law)) == law


@pytest.mark.parametrize("law", LAWS)
def test_dictionary_survives_strict_json(law: Law) -> None:
    text = json.dumps(law.to_dict(), allow_nan=False)
    assert Law.from_dict(json.loads(text)) == law
    assert type(law).from_dict(json.loads(text)) == law


def test_dictionary_names_the_law_and_its_parameters() -> None:
    assert Normal(0, 1).to_dict() == {"law": "normal", "mean": 0.0, "std": 1.0}
    assert TruncatedNormal(bounds=(0, math.inf)).to_dict() == {
        "law": "truncated_normal",
        "mean": 0.0,
        "std": 1.0,
        "bounds": [0.0, None],
        "unit": "sigma",
        "correct_variance": False,
    }


def test_dictionary_of_another_law_is_refused() -> None:
    with pytest.raises(ValueError, match="'uniform' is not one of normal"):
        Normal.from_dict(Uniform().to_dict())


def test_dictionary_with_an_unknown_law_is_refused() -> None:
    with pytest.raises(
        ValueError,
        match="'cauchy' is not one of normal, uniform, truncated_normal, constant, arange, log_uniform",
    ):
        Law.from_dict({"law": "cauchy"})


def test_dictionary_with_an_unknown_parameter_is_refused() -> None:
    with pytest.raises(ValueError, match="normal has no parameter sigma; it has mean, std"):
        Law.from_dict({"law": "normal", "sigma": 1.0})


def test_dictionary_with_a_bad_value_is_refused_by_the_law() -> None:
    with pytest.raises(ValueError, match="std must not be negative"):
        Law.from_dict({"law": "normal", "std": -1.0})


@pytest.mark.parametrize(("kind", "lacking"), [("constant", "value"), ("log_uniform", "low, high")])
def test_dictionary_that_lacks_a_parameter_is_refused(kind: str, lacking: str) -> None:
    with pytest.raises(ValueError, match=f"^law: {kind} lacks {lacking}$"):
        Law.from_dict({"law": kind})


@pytest.mark.parametrize("entries", ["normal", 5, None, [1.0]])
def test_what_is_no_dictionary_is_refused(entries: object) -> None:
    with pytest.raises(TypeError, match=r"^law must be a mapping, as Law\.to_dict writes it, not "):
        Law.from_dict(entries)  # type: ignore[arg-type]


@pytest.mark.parametrize("law", LAWS)
def test_laws_are_frozen(law: Law) -> None:
    with pytest.raises(AttributeError):
        setattr(law, list(law.to_dict())[1], 1.0)


def test_equal_laws_have_equal_hashes_and_unequal_ones_differ() -> None:
    assert hash(Normal(0, 1)) == hash(Normal(0.0, 1.0))
    assert len({Normal(0, 1), Normal(0.0, 1.0), Normal(0, 2), Uniform(0, 1), Constant(0)}) == 4


@pytest.mark.parametrize(
    ("law", "other"),
    [
        (Constant(0.0), Constant(-0.0)),
        (Normal(0.0, 0.0), Normal(-0.0, 0.0)),
        (Uniform(0.0, 1.0), Uniform(-0.0, 1.0)),
        (TruncatedNormal(bounds=(0.0, 1.0)), TruncatedNormal(bounds=(-0.0, 1.0))),
    ],
)
def test_the_two_zeros_are_different_parameters(law: Law, other: Law) -> None:
    assert law != other
    assert len({law, other}) == 2
    assert type(law).from_dict(other.to_dict()) == other != law
    assert eval(repr(other), {type(law).__name__: type(law)}) == other != law


def test_laws_with_unequal_bits_are_unequal() -> None:
    drawn = [fill_(np.ones(1), Constant(zero), seed=0, key=0).tobytes() for zero in (0.0, -0.0)]
    assert drawn[0] != drawn[1]
    assert Constant(0.0) != Constant(-0.0)
    assert Constant(0.0) != 0.0


def test_numpy_scalars_become_floats() -> None:
    law = Normal(np.float32(0.5), np.int64(2))  # type: ignore[arg-type]
    assert (type(law.mean), type(law.std)) == (float, float)
    assert repr(law) == "Normal(mean=0.5, std=2.0)"


@pytest.mark.parametrize("value", [True, "1", None, np.ones(1), 1j])
def test_what_is_no_real_number_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="mean must be a real number"):
        Normal(mean=value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_parameters_that_are_not_finite_are_refused(value: float) -> None:
    for name, make in {
        "mean": lambda: Normal(mean=value),
        "std": lambda: Normal(std=value),
        "low": lambda: Uniform(low=value),
        "high": lambda: Uniform(high=value),
        "value": lambda: Constant(value),
    }.items():
        with pytest.raises(ValueError, match=f"^{name} "):
            make()


def test_a_number_beyond_float64_is_refused() -> None:
    with pytest.raises(ValueError, match="std is beyond the range"):
        Normal(std=10**400)


def test_negative_std_is_refused() -> None:
    with pytest.raises(ValueError, match=r"std must not be negative, not -0\.02"):
        Normal(std=-0.02)
    with pytest.raises(ValueError, match="std must not be negative"):
        TruncatedNormal(std=-0.02)


def test_zero_std_is_a_law() -> None:
    assert Normal(1.0, 0.0).std == 0.0


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (2.0, 1.0)])
def test_uniform_with_low_not_below_high_is_refused(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="low must be below high"):
        Uniform(low, high)


@pytest.mark.parametrize("bounds", [(1.0, 1.0), (2.0, -2.0)])
def test_bounds_that_do_not_ascend_are_refused(bounds: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="bounds must ascend"):
        TruncatedNormal(bounds=bounds)


@pytest.mark.parametrize("bounds", [2.0, (1.0,), (1.0, 2.0, 3.0), None])
def test_bounds_that_are_no_pair_are_refused(bounds: object) -> None:
    with pytest.raises(TypeError, match="bounds must be a pair"):
        TruncatedNormal(bounds=bounds)  # type: ignore[arg-type]


def test_nan_in_the_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match=r"bounds\[1\] is NaN"):
        TruncatedNormal(bounds=(0.0, math.nan))


@pytest.mark.parametrize("unit", ["std", None, ["sigma"]])
def test_unknown_unit_is_refused(unit: object) -> None:
    with pytest.raises(ValueError, match="unit must be 'sigma' or 'absolute'"):
        TruncatedNormal(unit=unit)  # type: ignore[arg-type]


def test_correct_variance_must_be_a_bool() -> None:
    with pytest.raises(TypeError, match="correct_variance must be a bool"):
        TruncatedNormal(correct_variance=1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("bounds", "unit"),
    [((-2.0, 3.0), "sigma"), ((-2.0, 2.0), "absolute"), ((-math.inf, math.inf), "sigma")],
)
def test_correct_variance_needs_finite_symmetric_sigma_bounds(bounds: tuple[float, float], unit: str) -> None:
    with pytest.raises(
        ValueError, match="correct_variance is defined for finite symmetric sigma bounds only"
    ):
        TruncatedNormal(bounds=bounds, unit=unit, correct_variance=True)  # type: ignore[arg-type]


def test_check_names_std_when_it_leaves_the_arithmetic_of_the_dtype() -> None:
    Normal(std=1e38).check(as_dtype("float64"))
    with pytest.raises(ValueError, match=r"^std: .*std=1e\+38\) as float32"):
        Normal(std=1e38).check(as_dtype("float32"))


def test_check_says_how_large_and_how_small_a_std_may_be() -> None:
    for std in (1e60, 1e-60):
        with pytest.raises(ValueError, match=r"^std: the standard deviation .* ten of them .* 2\^-31 of it"):
            Normal(std=std).check(as_dtype("float32"))


@pytest.mark.parametrize("law", [Normal(mean=1e39), Uniform(0.0, 1e39), Constant(1e39)])
def test_check_blames_no_mean_of_a_law_without_one(law: Law) -> None:
    with pytest.raises(ValueError, match=r": a mean, value or bound is beyond the finite range"):
        law.check(as_dtype("float32"))


def test_check_names_the_interval_when_the_dtype_has_no_value_in_it() -> None:
    law = Uniform(1.0001, 1.0002)
    law.check(as_dtype("float32"))
    with pytest.raises(ValueError, match=r"^low, high: "):
        law.check(as_dtype("bfloat16"))


def test_check_names_the_bounds_when_they_are_too_far_out() -> None:
    TruncatedNormal(bounds=(30.0, 31.0)).check(as_dtype("float32"))
    with pytest.raises(ValueError, match=r"^bounds: "):
        TruncatedNormal(bounds=(40.0, 41.0)).check(as_dtype("float32"))


def test_check_names_the_interval_when_it_is_too_narrow_for_the_arithmetic() -> None:
    Uniform(0.0, 1e-42).check(as_dtype("float64"))
    with pytest.raises(ValueError, match=r"^low, high: "):
        Uniform(0.0, 1e-42).check(as_dtype("float32"))


def test_check_names_what_lies_beyond_float32() -> None:
    with pytest.raises(ValueError, match=r"^low, high: "):
        Uniform(0.0, 1e39).check(as_dtype("float32"))
    with pytest.raises(ValueError, match=r"^mean: "):
        Normal(mean=1e39).check(as_dtype("bfloat16"))
    with pytest.raises(ValueError, match=r"^value: "):
        Constant(1e39).check(as_dtype("float32"))
