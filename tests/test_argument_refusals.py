"""Arguments that cannot be meant: each with its own message, the way out in it, and nothing written."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fanfill as ff

SHAPE = (6, 4)


def refused(
    function: Callable[..., Any],
    error: type[Exception],
    match: str,
    *arguments: Any,
    dtype: str = "float32",
    **options: Any,
) -> None:
    """Check that the call is refused, and leaves plain and strided memory as they were."""
    plain, strided = np.full(SHAPE, 9.0, dtype), np.full((6, 8), 9.0, dtype)
    for out in (plain, strided[:, ::2]):
        with pytest.raises(error, match=match):
            function(out, *arguments, **({"seed": 7, "key": "w"} | options))
    assert (plain == 9.0).all()
    assert (strided == 9.0).all()


@pytest.mark.parametrize("std", [math.nan, np.float32("nan")])
def test_nan_std_is_refused(std: float) -> None:
    refused(ff.normal_, ValueError, "std is NaN; give a number", std=std)
    refused(ff.truncated_normal_, ValueError, "std is NaN; give a number", std=std)


@pytest.mark.parametrize("std", [-1.0, -5e-324, -1])
def test_negative_std_is_refused(std: float) -> None:
    refused(ff.normal_, ValueError, "std must not be negative, not -", std=std)
    refused(ff.truncated_normal_, ValueError, "std must not be negative, not -", std=std)


@pytest.mark.parametrize("std", [math.inf, -math.inf])
def test_infinite_std_is_refused(std: float) -> None:
    refused(ff.normal_, ValueError, "std must be finite, not -?inf", std=std)


@pytest.mark.parametrize("mean", [math.nan, math.inf])
def test_mean_that_is_not_finite_is_refused(mean: float) -> None:
    refused(ff.normal_, ValueError, "mean (is NaN; give a number|must be finite, not inf)", mean=mean)


def test_std_that_the_dtype_cannot_hold_is_refused() -> None:
    refused(ff.normal_, ValueError, r"^std: .*\(Normal\(mean=0.0, std=1e\+38\) as float32\)", std=1e38)


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (1.0, 0.0), (0, -1)])
def test_uniform_whose_low_is_not_below_its_high_is_refused(low: float, high: float) -> None:
    refused(ff.uniform_, ValueError, "low must be below high, not low=", low, high)


@pytest.mark.parametrize("bounds", [(1.0, 1.0), (2.0, -2.0), (math.inf, -math.inf)])
def test_bounds_that_do_not_ascend_are_refused(bounds: tuple[float, float]) -> None:
    refused(ff.truncated_normal_, ValueError, "bounds must ascend, not ", bounds=bounds)


def test_uniform_interval_without_a_value_of_the_dtype_is_refused() -> None:
    match = r"^low, high: .*\(Uniform\(low=1.0001, high=1.0002\) as float16\)"
    refused(ff.uniform_, ValueError, match, 1.0001, 1.0002, dtype="float16")


def test_truncated_interval_without_a_value_of_the_dtype_is_refused() -> None:
    match = r"^bounds: .*bounds=\(1.0001, 1.0002\).* as float16\)"
    refused(
        ff.truncated_normal_,
        ValueError,
        match,
        bounds=(1.0001, 1.0002),
        unit="absolute",
        dtype="float16",
    )


def test_bounds_beyond_the_reach_are_refused() -> None:
    refused(ff.truncated_normal_, ValueError, r"^bounds: .*37", bounds=(38.0, 39.0))


def test_corrected_variance_of_lopsided_bounds_is_refused() -> None:
    match = "correct_variance is defined for finite symmetric sigma bounds only.*leave it off and scale std"
    refused(ff.truncated_normal_, ValueError, match, bounds=(-1.0, 2.0), correct_variance=True)


@pytest.mark.parametrize("name", ["fan_in", "fan_out"])
@pytest.mark.parametrize("fan", [0, 0.0, -3])
def test_zero_fans_are_refused(name: str, fan: float) -> None:
    refused(ff.he_normal_, ValueError, f"{name} must be positive and finite, not", **{name: fan})
    refused(ff.variance_scaling_, ValueError, f"{name} must be positive and finite, not", **{name: fan})


@pytest.mark.parametrize("seed", [True, False, np.True_])
def test_boolean_seed_is_refused(seed: Any) -> None:
    match = r"seed must be an int or a numpy.random.SeedSequence, not bool.*fanfill.fresh_seed\(\) draws one"
    refused(ff.normal_, TypeError, match, seed=seed)


@pytest.mark.parametrize("seed", [None, 1.0, "7", np.random.default_rng(0)])
def test_seed_of_another_kind_is_refused(seed: Any) -> None:
    refused(ff.normal_, TypeError, r"seed must be an int .*fanfill.fresh_seed\(\) draws one", seed=seed)


@pytest.mark.parametrize("seed", [-1, 2**64, np.int64(-1)])
def test_seed_out_of_range_is_refused(seed: int) -> None:
    match = r"seed must be in \[0, 2\*\*64\), not .*; numpy.random.SeedSequence takes larger ones"
    refused(ff.normal_, ValueError, match, seed=seed)


@pytest.mark.parametrize("key", [True, False, np.True_])
def test_boolean_key_is_refused(key: Any) -> None:
    refused(ff.normal_, TypeError, "key must be an int or a str, not bool", key=key)


@pytest.mark.parametrize("key", [None, 1.0, b"w", ("w", 1)])
def test_key_of_another_kind_is_refused(key: Any) -> None:
    refused(ff.normal_, TypeError, "key must be an int or a str, not ", key=key)


@pytest.mark.parametrize("key", [-1, 2**64, np.int64(-1)])
def test_key_out_of_range_is_refused(key: int) -> None:
    match = r"key must be in \[0, 2\*\*64\), not .*; give a str to have it hashed"
    refused(ff.normal_, ValueError, match, key=key)


def test_key_without_a_utf8_form_is_refused() -> None:
    refused(ff.normal_, ValueError, "key: '.udc80' has no UTF-8 form", key="\udc80")


@pytest.mark.parametrize("threads", [0, -1])
def test_threads_below_one_are_refused(threads: int) -> None:
    refused(ff.normal_, ValueError, "threads must be at least 1, not", threads=threads)


@pytest.mark.parametrize("threads", [True, 1.5, "2"])
def test_threads_that_are_no_integer_are_refused(threads: Any) -> None:
    refused(ff.normal_, TypeError, "threads must be an integer, not", threads=threads)


def test_a_region_of_another_shape_is_refused() -> None:
    region = ff.Region.box((12, 4), (0, 0), (5, 4))
    match = r"region holds a part of shape \(5, 4\), and out has shape \(6, 4\); make them equal"
    refused(ff.normal_, ValueError, match, region=region)


@pytest.mark.parametrize("region", [(0, 6), slice(0, 6), "all"])
def test_what_is_no_region_is_refused(region: Any) -> None:
    refused(ff.normal_, TypeError, "region must be a Region, not", region=region)
