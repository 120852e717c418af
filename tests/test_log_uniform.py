"""The log-uniform law: its accuracy, its distribution, its floor, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest

import fanfill as ff
from fanfill import _core
from fanfill.dtype import as_dtype
from oracle import cases, core
from oracle.law import IDENTITY, INVERSE_SOFTPLUS, LOG_UNIFORM, Law

DRAWN = 200_000
MAMBA = ff.LogUniform(0.001, 0.1, floor=1e-4, inverse_softplus=True)


def drawn(law: ff.Law, dtype: str = "float64") -> np.ndarray[Any, Any]:
    return ff.fill_(np.empty(DRAWN, dtype), law, seed=7, key="dt_proj.bias").astype(np.float64)


def exact(law: Law, word: int) -> mpmath.mpf:
    """The value of a 64-bit word in mpmath's arithmetic, with the rounding of s alone."""
    s = int(np.array([word | 1], np.uint64).view(np.int64)[0])
    ends = [mpmath.log(mpmath.mpf(v), 2) for v in (law.low, law.high)]
    x = mpmath.mpf(2) ** ((ends[0] + ends[1]) / 2 + (ends[1] - ends[0]) / 2 * mpmath.mpf(float(s)) / 2**63)
    x = min(max(x, law.low, law.floor), law.high)
    return mpmath.log(mpmath.expm1(x)) if law.map == INVERSE_SOFTPLUS else x


@pytest.mark.parametrize(("low", "high"), [(1e-3, 0.1), (1e-300, 1e300), (1.0, 1.0 + 1e-9), (0.3, 40.0)])
@pytest.mark.parametrize("through", [IDENTITY, INVERSE_SOFTPLUS])
def test_accuracy(low: float, high: float, through: int) -> None:
    # Relative; of the inverse softplus, whose zero is at ln 2, absolute below 1.
    law = cases.log_uniform(low, high, through)
    words = np.random.default_rng(1).integers(0, 2**64, 300, np.uint64)
    values = core.transform(core.ISAS[0], law, "float64", words, words).view(np.float64)
    with mpmath.workdps(60):
        references = [exact(law, int(word)) for word in words]
        scale = 1.0 if through == INVERSE_SOFTPLUS else 0.0
        errors = [
            float(abs(mpmath.mpf(float(v)) - r) / max(abs(r), scale))
            for v, r in zip(values, references, strict=True)
        ]
    assert max(errors) < (4e-16 if through == INVERSE_SOFTPLUS else 2.3e-16)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("law", [ff.LogUniform(1e-3, 0.1), ff.LogUniform(1e-30, 1e30), MAMBA], ids=str)
def test_the_logarithm_is_uniform(law: ff.LogUniform, dtype: str) -> None:
    values = drawn(law, dtype)
    x = np.log1p(np.exp(values)) if law.inverse_softplus else values
    u = np.sort(np.log(x / law.low) / math.log(law.high / law.low))
    places = np.arange(1, DRAWN + 1) / DRAWN
    distance = max(np.abs(u - places).max(), np.abs(u - places + 1 / DRAWN).max())
    assert distance * math.sqrt(DRAWN) < 1.95  # Kolmogorov: 99.9 % of honest samples


def test_the_floor_takes_what_would_be_less() -> None:
    values = drawn(ff.LogUniform(1e-5, 0.1, floor=1e-3))
    assert values.min() == 1e-3
    share = np.mean(values == 1e-3)
    assert abs(share - 0.5) < 4 * 0.5 / math.sqrt(DRAWN)  # 1e-3 is half way from 1e-5 to 0.1
    without = drawn(ff.LogUniform(1e-5, 0.1))
    np.testing.assert_array_equal(values, np.maximum(without, 1e-3))


def test_a_floor_below_the_interval_changes_nothing() -> None:
    np.testing.assert_array_equal(drawn(MAMBA), drawn(ff.LogUniform(0.001, 0.1, inverse_softplus=True)))


def test_softplus_of_the_inverse_is_the_plain_law() -> None:
    plain, inverse = drawn(ff.LogUniform(0.001, 5.0)), drawn(ff.LogUniform(0.001, 5.0, inverse_softplus=True))
    np.testing.assert_allclose(np.log1p(np.exp(inverse)), plain, rtol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_bounds_hold_in_every_dtype_where_they_are_no_values_of_it(dtype: str) -> None:
    law = ff.LogUniform(0.1, 0.1001)
    values = drawn(law, dtype)
    assert values.min() >= 0.1
    assert values.max() <= 0.1001


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ((0.0, 1.0), "low must be above 0 and below high"),
        ((-1.0, 1.0), "low must be above 0 and below high"),
        ((1.0, 1.0), "low must be above 0 and below high"),
        ((2.0, 1.0), "low must be above 0 and below high"),
        ((1e-310, 1.0), "low must be at least 2"),
        ((math.nan, 1.0), "low is NaN"),
        ((0.1, math.inf), "high must be finite"),
        ((0.1, 1.0, 1.0), r"floor must be in \[0, high\)"),
        ((0.1, 1.0, -0.1), r"floor must be in \[0, high\)"),
        ((0.1, 1.0, math.inf), "floor must be finite"),
    ],
)
def test_what_is_no_log_uniform_law_is_refused(parameters: tuple[float, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ff.LogUniform(*parameters)


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(TypeError, match="low must be a real number"):
        ff.LogUniform("0.1", 1.0)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="inverse_softplus must be a bool"):
        ff.LogUniform(0.1, 1.0, inverse_softplus=1)  # type: ignore[arg-type]


def test_check_blames_the_bound_that_the_dtype_cannot_hold() -> None:
    ff.LogUniform(1.0, 1e39).check(as_dtype("float64"))
    with pytest.raises(ValueError, match=r"^high: .* beyond the finite range"):
        ff.LogUniform(1.0, 1e39).check(as_dtype("float32"))
    with pytest.raises(ValueError, match=r"^low, high: .* no value of the dtype"):
        ff.LogUniform(1.0001, 1.0002).check(as_dtype("bfloat16"))


@pytest.mark.parametrize(
    ("law", "status"),
    [
        (Law(LOG_UNIFORM, low=0.0, high=1.0), _core.NOT_POSITIVE),
        (Law(LOG_UNIFORM, low=-1.0, high=1.0), _core.NOT_POSITIVE),
        (Law(LOG_UNIFORM, low=1e-310, high=1.0), _core.TOO_NARROW),
        (Law(LOG_UNIFORM, low=1.0, high=1.0), _core.EMPTY_INTERVAL),
        (Law(LOG_UNIFORM, low=2.0, high=1.0), _core.EMPTY_INTERVAL),
        (Law(LOG_UNIFORM, low=0.1, high=1.0, floor=1.0), _core.EMPTY_INTERVAL),
        (Law(LOG_UNIFORM, low=0.1, high=math.inf), _core.NOT_FINITE),
        (Law(LOG_UNIFORM, low=0.1, high=1.0, floor=math.nan), _core.NOT_FINITE),
        (Law(LOG_UNIFORM, low=0.1, high=1e39), _core.BAD_MEAN),
    ],
)
def test_the_core_refuses_by_itself(law: Law, status: int) -> None:
    assert core.refusal(law, "float32") == _core.message(status)


def test_facts() -> None:
    status, _, _, low, high = _core.law_facts(MAMBA._core_tuple())
    assert status == _core.OK
    assert (low, high) == pytest.approx((math.log(math.expm1(1e-3)), math.log(math.expm1(0.1))), rel=1e-15)
