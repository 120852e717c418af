"""The law of evenly spaced values: which they are, wherever they are written, and what is refused."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fanfill as ff
from fanfill import _core
from fanfill.dtype import as_dtype
from oracle import core
from oracle.law import ARANGE, LOG, Law

A_LOG = ff.Arange(1, 17, log=True)


def filled(law: ff.Law, shape: tuple[int, ...], dtype: str = "float64", **options: Any) -> Any:
    return ff.fill_(np.full(shape, np.nan, dtype), law, seed=7, key="A_log", **options)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_every_row_is_numpys_arange(dtype: str) -> None:
    found = filled(ff.Arange(1, 17), (5, 16), dtype)
    np.testing.assert_array_equal(found, np.tile(np.arange(1, 17, dtype=dtype), (5, 1)))


def test_the_logarithms_are_rounded_once_in_float32() -> None:
    expected = [float(np.float32(float(mpmath.log(n)))) for n in range(1, 17)]
    assert filled(A_LOG, (2, 16), "float32").tolist() == [expected, expected]


def test_the_logarithms_of_float64_are_within_an_ulp() -> None:
    found = filled(ff.Arange(1, 5001, log=True), (5000,))
    with mpmath.workdps(40):
        errors = [abs(mpmath.mpf(float(v)) - mpmath.log(n)) for n, v in enumerate(found, 1)]
    assert all(error <= np.spacing(v) for error, v in zip(errors, found, strict=True))
    assert found[0] == 0.0


@given(
    start=st.integers(-(2**20), 2**20),
    step=st.sampled_from([1.0, -1.0, 0.1, -0.37, 3.0, 1e-3]),
    count=st.integers(1, 700),
)
def test_each_value_is_rounded_once(start: int, step: float, count: int) -> None:
    law = ff.Arange(start, start + step * (count - 0.5), step)
    assert law.period == count
    found = filled(law, (2 * count,))
    expected = [float(Fraction(start) + i * Fraction(step)) for i in range(count)]
    assert found.tolist() == expected * 2


def test_neither_seed_nor_key_matters() -> None:
    a, b = (ff.fill_(np.empty(40), A_LOG, seed=seed, key=key) for seed, key in ((1, "a"), (2, "b")))
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("offsets", [(0, 0), (3, 0), (0, 5), (7, 11)])
def test_a_shard_has_the_values_of_the_whole(offsets: tuple[int, int]) -> None:
    whole = filled(A_LOG, (12, 16))
    shard = filled(A_LOG, (4, 5), region=ff.Region.box((12, 16), offsets, (4, 5)))
    np.testing.assert_array_equal(shard, whole[offsets[0] : offsets[0] + 4, offsets[1] : offsets[1] + 5])


def test_a_plan_keeps_it_and_shards_it() -> None:
    plan = ff.Plan([ff.ParamSpec("mixer.A_log", (8, 16), A_LOG, dtype="float32")], seed=0)
    assert ff.Plan.from_json(plan.to_json()) == plan
    shard = plan.array("mixer.A_log", region=ff.Region.box((8, 16), (2, 4), (3, 8)))
    np.testing.assert_array_equal(shard, plan.array("mixer.A_log")[2:5, 4:12])
    assert "log of arange 1 17 1" in plan.table()


def test_a_part_of_a_fused_tensor_can_have_it() -> None:
    spec = ff.ParamSpec("w", (6, 4), (A_LOG, ff.Constant(2.0)), parts=(2, 4))
    values = ff.Plan([spec], seed=0).array("w")
    np.testing.assert_array_equal(values[:2].ravel(), filled(A_LOG, (8,), "float32"))
    assert (values[2:] == 2.0).all()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ((1, 1), "at least one value"),
        ((2, 1), "at least one value"),
        ((1, 2, -1), "at least one value"),
        ((1, 2, 0), "at least one value"),
        ((-1e308, 1e308, 1e-300), "at most 2\\^53 values"),
        ((0, 1, 1e-17), "at most 2\\^53 values"),
        ((0, math.inf), "stop must be finite"),
        ((math.nan, 1), "start is NaN"),
    ],
)
def test_what_is_no_range_is_refused(parameters: tuple[float, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ff.Arange(*parameters)


@pytest.mark.parametrize("parameters", [(0, 5), (-3, 5), (3, -1, -1), (1e-310, 1.0, 1.0)])
def test_logarithms_of_what_is_not_positive_are_refused(parameters: tuple[float, ...]) -> None:
    ff.Arange(*parameters)
    with pytest.raises(ValueError, match="log needs values that are positive"):
        ff.Arange(*parameters, log=True)


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(TypeError, match="start must be a real number"):
        ff.Arange("1", 17)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="log must be a bool"):
        ff.Arange(1, 17, log="yes")  # type: ignore[arg-type]


def test_check_blames_start_and_stop() -> None:
    ff.Arange(0, 1e39, 1e38).check(as_dtype("float64"))
    with pytest.raises(ValueError, match=r"^start, stop: .* beyond the finite range"):
        ff.Arange(0, 1e39, 1e38).check(as_dtype("float32"))


@pytest.mark.parametrize(
    ("law", "status"),
    [
        (Law(ARANGE, low=math.inf, step=1.0, period=4), _core.NOT_FINITE),
        (Law(ARANGE, low=0.0, step=math.nan, period=4), _core.NOT_FINITE),
        (Law(ARANGE, low=0.0, step=1.0, period=0), _core.BAD_ARGUMENT),
        (Law(ARANGE, low=0.0, step=1.0, period=2**53 + 1), _core.BAD_ARGUMENT),
        (Law(ARANGE, low=0.0, step=1e308, period=4), _core.BAD_MEAN),
        (Law(ARANGE, low=0.0, step=1.0, period=4, map=LOG), _core.NOT_POSITIVE),
        (Law(ARANGE, low=3.0, step=-1.0, period=4, map=LOG), _core.NOT_POSITIVE),
        (Law(ARANGE, low=5e-324, step=1.0, period=4, map=LOG), _core.TOO_NARROW),
    ],
)
def test_the_core_refuses_by_itself(law: Law, status: int) -> None:
    assert core.refusal(law, "float64") == _core.message(status)


@pytest.mark.parametrize("size", [0, 8, 10, 12])
def test_the_core_takes_laws_of_seven_or_eleven_members(size: int) -> None:
    members = (ARANGE, 0.0, 0.0, 1.0, 0.0, 0, False, 0, 0.0, 1.0, 4, 0)
    with pytest.raises(TypeError, match="a law is a tuple"):
        _core.check_law(members[:size], 1)  # type: ignore[arg-type]


def test_facts() -> None:
    status, _, _, low, high = _core.law_facts(ff.Arange(4, 0, -1, log=True)._core_tuple())
    assert (status, low, high) == (_core.OK, 0.0, pytest.approx(math.log(4), rel=1e-15))
