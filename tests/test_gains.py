"""Gains by integration: closed forms, every named activation against mpmath, and what is refused.

It must not know how the integrals are done.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

import fanfill as ff
from fanfill.signal.activation import ACTIVATIONS, activation
from fanfill.signal.expectation import expectation


def normal_mean(function: Callable[[Any], Any]) -> float:
    """E[function(z)] by mpmath, with panel borders where the functions below have corners."""
    with mpmath.workdps(30):
        return float(
            mpmath.quad(
                lambda z: function(z) * mpmath.npdf(z), [-mpmath.inf, -8, -2, -0.5, 0, 2, 8, mpmath.inf]
            )
        )


def by_mpmath(name: str) -> Callable[[Any], Any]:
    m = mpmath
    selu = m.mpf("1.0507009873554804934193349852946"), m.mpf("1.6732632423543772848170429916717")
    return {
        "relu": lambda z: max(z, 0),
        "leaky_relu": lambda z: z if z > 0 else z * m.mpf(0.01),
        "prelu": lambda z: z if z > 0 else z / 4,
        "elu": lambda z: z if z > 0 else m.expm1(z),
        "selu": lambda z: selu[0] * (z if z > 0 else selu[1] * m.expm1(z)),
        "linear": lambda z: z,
        "identity": lambda z: z,
        "relu_squared": lambda z: max(z, 0) ** 2,
        "tanh": m.tanh,
        "sigmoid": lambda z: 1 / (1 + m.exp(-z)),
        "erf": m.erf,
        "gelu": lambda z: z * m.ncdf(z),
        "gelu_tanh": lambda z: z / 2 * (1 + m.tanh(m.sqrt(2 / m.pi) * (z + m.mpf(0.044715) * z**3))),
        "silu": lambda z: z / (1 + m.exp(-z)),
        "swish": lambda z: z / (1 + m.exp(-z)),
        "softplus": lambda z: m.log1p(m.exp(z)),
        "mish": lambda z: z * m.tanh(m.log1p(m.exp(z))),
        "swiglu": lambda z: z / (1 + m.exp(-z)),
        "geglu": lambda z: z * m.ncdf(z),
        "reglu": lambda z: max(z, 0),
    }[name]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_name_against_mpmath(name: str) -> None:
    f = by_mpmath(name)
    at = np.array([-30.0, -3.0, -0.7, -1e-3, 1e-3, 0.4, 2.0, 25.0])
    function, slope = activation(name).function(at), activation(name).derivative(at)
    np.testing.assert_allclose(function, [float(f(mpmath.mpf(z))) for z in at], rtol=1e-13, atol=1e-15)
    with mpmath.workdps(30):
        expected = [float(mpmath.diff(f, mpmath.mpf(z))) for z in at]
    np.testing.assert_allclose(slope, expected, rtol=1e-12, atol=1e-15)

    forward = normal_mean(lambda z: f(z) ** 2)
    backward = normal_mean(
        lambda z: mpmath.mpf(float(activation(name).derivative(np.array([float(z)]))[0])) ** 2
    )
    if activation(name).is_gated:
        backward = (backward + forward) / 2
    found = ff.gains(name)
    assert found.forward == pytest.approx(forward**-0.5, rel=1e-11)
    assert found.backward == pytest.approx(backward**-0.5, rel=1e-11)


@pytest.mark.parametrize("slope", [0.0, 0.01, 0.25, 1.0, math.sqrt(5.0)])
def test_closed_forms_of_rectifiers(slope: float) -> None:
    expected = math.sqrt(2.0 / (1.0 + slope * slope))
    for name in ("leaky_relu", "prelu"):
        assert ff.gains(name, slope) == pytest.approx((expected, expected), rel=1e-12)
    assert ff.gains("leaky_relu", slope).forward == pytest.approx(ff.gain("leaky_relu", slope), rel=1e-12)


def test_the_reference_lists_every_name() -> None:
    assert ff.gains.__doc__ is not None
    assert all(f"``{name}``" in ff.gains.__doc__ for name in ACTIVATIONS)


def test_closed_forms() -> None:
    assert ff.gains("linear") == pytest.approx((1.0, 1.0), rel=1e-13)
    assert ff.gains("relu") == pytest.approx((math.sqrt(2.0),) * 2, rel=1e-13)
    # Williams, "Computing with infinite networks", 1997.
    erf = (2.0 / math.pi * math.asin(2.0 / 3.0)) ** -0.5, (4.0 / (math.pi * math.sqrt(5.0))) ** -0.5
    assert ff.gains("erf") == pytest.approx(erf, rel=1e-12)
    # The fixed point of self-normalising networks: mean 0 and variance 1 go to mean 0 and variance 1.
    assert ff.gains("selu").forward == pytest.approx(1.0, rel=1e-12)
    assert expectation(activation("selu").function, ff.Normal()) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(("name", "by_experiment"), [("tanh", 5 / 3), ("selu", 0.75), ("sigmoid", 1.0)])
def test_where_torchs_table_says_otherwise(name: str, by_experiment: float) -> None:
    assert ff.gain(name) == by_experiment
    assert abs(ff.gains(name).forward / by_experiment - 1.0) > 0.04


def test_a_function_of_ones_own() -> None:
    assert ff.gains(np.tanh) == pytest.approx(ff.gains("tanh"), rel=1e-8)
    own = ff.gains(lambda z: np.maximum(z, 0.0))
    assert own.forward == pytest.approx(math.sqrt(2.0), rel=1e-12)
    assert own.backward == pytest.approx(math.sqrt(2.0), rel=1e-5)
    exact = ff.gains(lambda z: np.maximum(z, 0.0), derivative=lambda z: np.where(z > 0, 1.0, 0.0))
    assert exact == pytest.approx(ff.gains("relu"), rel=1e-12)


def test_a_function_may_write_into_what_it_is_given() -> None:
    def in_place(z: Any) -> Any:
        z *= 2.0
        return z

    assert ff.gains(in_place) == pytest.approx((0.5, 0.5), rel=1e-8)
    kept = ff.gains(lambda z: np.maximum(z, 0.0, out=z))
    assert kept == pytest.approx((math.sqrt(2.0),) * 2, rel=1e-4)
    assert ff.gains(lambda z: z > 0.0, derivative=np.ones_like) == pytest.approx((math.sqrt(2.0), 1.0))


@pytest.mark.parametrize("std", [1e-3, 1e-6, 1e-12])
def test_differences_see_a_corner_however_small_what_comes_is(std: float) -> None:
    found = ff.gains(lambda z: np.maximum(z, 0.0), law=ff.Normal(0.0, std))
    assert found.forward == pytest.approx(math.sqrt(2.0) / std, rel=1e-9)
    assert found.backward == pytest.approx(math.sqrt(2.0), rel=1e-4)
    # Where a function isn't 0 at 0, a step as small as that would drown in rounding.
    sigmoid = ff.gains(lambda z: 1.0 / (1.0 + np.exp(-z)), law=ff.Normal(0.0, std))
    assert sigmoid.backward == pytest.approx(4.0, rel=1e-5)


def test_other_laws_of_pre_activations() -> None:
    assert ff.gains("relu", law=ff.Normal(0.0, 3.0)).forward == pytest.approx(math.sqrt(2.0) / 3.0)
    assert ff.gains("relu", law=ff.Uniform(-1.0, 1.0)).forward == pytest.approx(math.sqrt(6.0))
    cut = ff.TruncatedNormal(bounds=(-2.0, 2.0), unit="sigma")
    assert ff.gains("linear", law=cut).forward == pytest.approx(1.0 / 0.87962566103423978, rel=1e-12)
    shifted = normal_mean(lambda z: max(z + 0.5, 0) ** 2)
    assert ff.gains("relu", law=ff.Normal(0.5)).forward == pytest.approx(shifted**-0.5, rel=1e-9)
    assert ff.gains("tanh", law=ff.Normal(0.7, 0.0)).forward == pytest.approx(1.0 / math.tanh(0.7))


def test_jumps_wherever_they_are() -> None:
    for jump in np.random.default_rng(0).uniform(-4.0, 4.0, 100):
        found = expectation(lambda z, at=jump: np.where(z > at, 1.0, 0.0), ff.Normal())
        assert found == pytest.approx(0.5 * math.erfc(jump / math.sqrt(2.0)), abs=1e-12)


def test_a_gain_goes_into_every_fan_scaled_function() -> None:
    gain = ff.gains("gelu").forward
    found = ff.he_normal((64, 128), gain=gain, seed=0, key="w")
    np.testing.assert_array_equal(found, ff.normal((64, 128), std=gain / math.sqrt(128), seed=0, key="w"))


@pytest.mark.parametrize(
    ("arguments", "keywords", "error", "text"),
    [
        (("relo",), {}, ValueError, "did you mean 'relu'"),
        (("relu", 0.1), {}, ValueError, "param: 'relu' has none"),
        (("relu",), {"derivative": np.sign}, ValueError, "derivative: that of 'relu' is known"),
        ((np.tanh, 0.1), {}, ValueError, "param goes with a name"),
        ((3,), {}, TypeError, "f must be the name of an activation or a function"),
        ((math.tanh,), {}, TypeError, "tanh must take a NumPy array"),
        ((lambda z: 1.0,), {}, TypeError, r"must return an array of the shape"),
        ((lambda z: z[:1],), {}, TypeError, r"must return an array of the shape"),
        ((np.log,), {}, ValueError, "log is NaN at z = -"),
        ((np.zeros_like,), {}, ValueError, "zeros_like is zero wherever"),
        ((lambda z: np.exp(z * z / 4),), {}, ValueError, "diverges"),
        ((lambda z: np.exp(z**2),), {}, ValueError, "diverges"),
        ((lambda z: 1.0 / z,), {}, ValueError, "diverges"),
        ((lambda z: z + 0j,), {}, TypeError, "must return real numbers, not complex128"),
        ((lambda z: np.tanh(z.astype(np.float32)),), {}, TypeError, "rounds to float32; compute in float64"),
        ((np.sign,), {}, ValueError, "the derivative of sign .* jumps or is too steep .* give derivative="),
        ((lambda z: (z > 0.0).astype(int),), {}, ValueError, "jumps or is too steep"),
        ((lambda z: np.abs(z) ** 0.5,), {}, ValueError, "jumps or is too steep"),
        ((np.tanh,), {"derivative": 3}, TypeError, "derivative must be a function, not int"),
        (("elu", math.inf), {}, ValueError, "param must be finite"),
        (("relu",), {"law": ff.Constant(1.0)}, TypeError, "law must be a Normal, Uniform or TruncatedNormal"),
    ],
)
def test_refused(arguments: Any, keywords: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        ff.gains(*arguments, **keywords)
