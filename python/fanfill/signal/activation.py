"""Knows the activations that have a name: each as a function of NumPy arrays, with its derivative.

It must not know gains, laws or frameworks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..catalog import closest_name
from ..number import as_finite

__all__ = ["ACTIVATIONS", "Activation", "activation"]

Floats: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"
Function: TypeAlias = "Callable[[Floats], Floats]"

# Klambauer, Unterthiner, Mayr, Hochreiter, "Self-Normalizing Neural Networks", 2017: the scale and alpha at
# which mean 0 and variance 1 are a fixed point.
_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
_LEAKY_SLOPE = 0.01


class Activation(NamedTuple):
    """An activation: its name, itself, its derivative, and whether a second pre-activation multiplies it.

    Attributes
    ----------
    name : str
    function, derivative : callable
        From a float64 array to one of the same shape.
    is_gated : bool
        As in SwiGLU and GeGLU, function(a) * b.
    """

    name: str
    function: Function
    derivative: Function
    is_gated: bool = False


def _erf(z: Floats) -> Floats:
    values: Floats = np.vectorize(math.erf, otypes=[np.float64])(z)
    return values


def _cdf(z: Floats) -> Floats:
    return 0.5 * (1.0 + _erf(z / math.sqrt(2.0)))


def _density(z: Floats) -> Floats:
    values: Floats = np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    return values


def _sigmoid(z: Floats) -> Floats:
    small = np.exp(-np.abs(z))
    return np.where(z >= 0.0, 1.0, small) / (1.0 + small)


def _sigmoid_slope(z: Floats) -> Floats:
    return _sigmoid(z) * _sigmoid(-z)


def _softplus(z: Floats) -> Floats:
    return np.maximum(z, 0.0) + np.log1p(np.exp(-np.abs(z)))


def _gelu_slope(z: Floats) -> Floats:
    return _cdf(z) + z * _density(z)


def _silu_slope(z: Floats) -> Floats:
    return _sigmoid(z) + z * _sigmoid_slope(z)


def _tanh_slope(z: Floats) -> Floats:
    return 1.0 - np.tanh(z) ** 2


# GELU by the hyperbolic tangent (Hendrycks and Gimpel, 2016).
_GELU_A, _GELU_B = math.sqrt(2.0 / math.pi), 0.044715


def _gelu_tanh(z: Floats) -> Floats:
    return 0.5 * z * (1.0 + np.tanh(_GELU_A * (z + _GELU_B * z**3)))


def _gelu_tanh_slope(z: Floats) -> Floats:
    t = np.tanh(_GELU_A * (z + _GELU_B * z**3))
    return 0.5 * (1.0 + t) + 0.5 * z * (1.0 - t * t) * _GELU_A * (1.0 + 3.0 * _GELU_B * z * z)


def _mish_slope(z: Floats) -> Floats:
    t = np.tanh(_softplus(z))
    return t + z * (1.0 - t * t) * _sigmoid(z)


def _elu(scale: float, alpha: float) -> tuple[Function, Function]:
    return (
        lambda z: scale * np.where(z > 0.0, z, alpha * np.expm1(np.minimum(z, 0.0))),
        lambda z: scale * np.where(z > 0.0, 1.0, alpha * np.exp(np.minimum(z, 0.0))),
    )


def _leaky(slope: float) -> tuple[Function, Function]:
    return lambda z: np.where(z > 0.0, z, slope * z), lambda z: np.where(z > 0.0, 1.0, slope)


def _relu_squared(z: Floats) -> Floats:
    values: Floats = np.maximum(z, 0.0) ** 2
    return values


_SILU: tuple[Function, Function] = (lambda z: z * _sigmoid(z), _silu_slope)
_GELU: tuple[Function, Function] = (lambda z: z * _cdf(z), _gelu_slope)
_LINEAR: tuple[Function, Function] = (lambda z: z, np.ones_like)
_PAIRS: dict[str, tuple[Function, Function]] = {
    "linear": _LINEAR,
    "identity": _LINEAR,
    "relu": _leaky(0.0),
    "relu_squared": (_relu_squared, lambda z: 2.0 * np.maximum(z, 0.0)),
    "tanh": (np.tanh, _tanh_slope),
    "sigmoid": (_sigmoid, _sigmoid_slope),
    "erf": (_erf, lambda z: 2.0 / math.sqrt(math.pi) * np.exp(-z * z)),
    "gelu": _GELU,
    "gelu_tanh": (_gelu_tanh, _gelu_tanh_slope),
    "silu": _SILU,
    "swish": _SILU,
    "softplus": (_softplus, _sigmoid),
    "mish": (lambda z: z * np.tanh(_softplus(z)), _mish_slope),
    "selu": _elu(_SELU_SCALE, _SELU_ALPHA),
}
_GATED = {"swiglu": _SILU, "geglu": _GELU, "reglu": _leaky(0.0)}
# Those with a parameter: what it is, and its value where none is given.
_FAMILIES: dict[str, tuple[Callable[[float], tuple[Function, Function]], str, float]] = {
    "leaky_relu": (_leaky, "the negative slope", _LEAKY_SLOPE),
    "prelu": (_leaky, "the negative slope", 0.25),
    "elu": (lambda alpha: _elu(1.0, alpha), "alpha", 1.0),
}
ACTIVATIONS = tuple(sorted([*_PAIRS, *_GATED, *_FAMILIES]))


def activation(name: str, param: float | None = None) -> Activation:
    """Return the activation of a name.

    Parameters
    ----------
    name : str
        One of `ACTIVATIONS`.
    param : float, optional
        The negative slope of ``leaky_relu`` (0.01) and ``prelu`` (0.25), the alpha of ``elu`` (1).

    Returns
    -------
    Activation

    Raises
    ------
    ValueError
        If there is none of that name, or it takes no parameter.

    Examples
    --------
    >>> import numpy as np
    >>> from fanfill.signal.activation import activation
    >>> activation("relu").function(np.array([-1.0, 2.0])).tolist()
    [-0.0, 2.0]
    """
    if name in _FAMILIES:
        make, _, default = _FAMILIES[name]
        return Activation(name, *make(default if param is None else as_finite(param, "param")))
    if param is not None and name in ACTIVATIONS:
        raise ValueError(f"param: {name!r} has none; those that have: {', '.join(_FAMILIES)}")
    if name in _PAIRS:
        return Activation(name, *_PAIRS[name])
    if name in _GATED:
        return Activation(name, *_GATED[name], is_gated=True)
    closest = closest_name(name, list(ACTIVATIONS))
    hint = f"; did you mean {closest!r}?" if closest else "; a function of a NumPy array will do too"
    raise ValueError(f"activation: there is no {name!r} among {', '.join(ACTIVATIONS)}{hint}")
