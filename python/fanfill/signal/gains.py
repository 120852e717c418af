"""Knows which gain keeps the second moment of a signal through an activation, forward and backward.

It must not know names of activations but through `activation`, nor fans or memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..law import Law, Normal
from .activation import Activation, Floats, activation
from .differences import Differences, mean_square_slope
from .expectation import expectation

__all__ = ["Gains", "as_activation", "gains"]

_EXACT, _ROUGH = 1e-13, 1e-8


class Gains(NamedTuple):
    r"""The gains of an activation.

    Attributes
    ----------
    forward : float
        :math:`1 / \sqrt{E[f(z)^2]}`: with std = forward / sqrt(fan_in), pre-activations keep their variance
        from layer to layer.
    backward : float
        :math:`1 / \sqrt{E[f'(z)^2]}`: with std = backward / sqrt(fan_out), gradients do.
    """

    forward: float
    backward: float


def gains(
    f: str | Callable[[Any], Any],
    param: float | None = None,
    *,
    derivative: Callable[[Any], Any] | None = None,
    law: Law | None = None,
) -> Gains:
    r"""Return the gains of an activation, forward and backward, by integration.

    A layer :math:`y = W f(x)` with independent weights of mean 0 and variance :math:`g^2 / n`, n its fan in,
    has :math:`\mathrm{Var}(y) = g^2 E[f(x)^2]`. Its gradients going back are multiplied by f', so the
    variance of dx is that of dy times :math:`g^2 E[f'(x)^2] \, m / n`, with m the fan out. The gains make
    the factors :math:`g^2 E[f(x)^2]` and :math:`g^2 E[f'(x)^2]` 1 for pre-activations x of `law`.

    For a gated activation, f(a) b with a and b independent (SwiGLU, GeGLU), the forward moment is
    :math:`E[f(a)^2] E[b^2]`, and the backward one the mean over the two halves,
    :math:`(E[f'(a)^2] E[b^2] + E[f(a)^2]) / 2`.

    Parameters
    ----------
    f : str or callable
        A function from a float64 array to one of its shape, or a name: ``linear`` (``identity``), ``relu``,
        ``leaky_relu``, ``prelu``, ``relu_squared``, ``tanh``, ``sigmoid``, ``erf``, ``elu``, ``selu``,
        ``gelu``, ``gelu_tanh``, ``silu`` (``swish``), ``softplus``, ``mish``, and the gated ``swiglu``,
        ``geglu`` and ``reglu``.
    param : float, optional
        For names that have one: the negative slope of ``leaky_relu`` and ``prelu``, the alpha of ``elu``.
    derivative : callable, optional
        f' of a callable f; by default central differences, good for about 8 digits of the backward gain, and
        about 5 where f has corners. A function that jumps needs one.
    law : Normal, Uniform or TruncatedNormal, optional
        Of the pre-activations; the standard normal by default.

    Returns
    -------
    Gains

    Raises
    ------
    TypeError
        If `f` neither is a name nor takes and returns arrays of float64.
    ValueError
        If `f` gives NaN, has a second moment that is zero or infinite, jumps and has no `derivative`, or is
        not a known name.

    References
    ----------
    K. He, X. Zhang, S. Ren, J. Sun, "Delving Deep into Rectifiers", 2015. S. S. Schoenholz, J. Gilmer,
    S. Ganguli, J. Sohl-Dickstein, "Deep Information Propagation", 2017.

    Examples
    --------
    >>> import fanfill as ff
    >>> [round(each**2, 12) for each in ff.gains("relu")]
    [2.0, 2.0]
    >>> round(ff.gains("tanh").forward, 4)  # torch's table says 5/3
    1.5925
    >>> w = ff.he_normal((256, 512), gain=ff.gains("gelu").forward, seed=0, key="w")
    """
    found = as_activation(f, param, derivative)
    law = Normal() if law is None else law
    is_rough = callable(f) and derivative is None  # differences have rounding errors of 1e-10
    forward = expectation(lambda z: found.function(z) ** 2, law, found.name, tolerance=_EXACT)
    name = f"the derivative of {found.name}"
    backward = mean_square_slope(found.derivative, law, name, _ROUGH if is_rough else _EXACT)
    for moment, which in ((forward, found.name), (backward, name)):
        if moment <= 0.0:
            raise ValueError(f"{which} is zero wherever {law!r} is; it has no gain")
    if found.is_gated:
        second = expectation(np.square, law, "z")
        forward, backward = forward * second, 0.5 * (backward * second + forward)
    return Gains(1.0 / math.sqrt(forward), 1.0 / math.sqrt(backward))


def as_activation(f: Any, param: float | None = None, derivative: Any = None) -> Activation:
    """Return the activation that a name, or a function with its derivative, says."""
    if isinstance(f, str):
        if derivative is not None:
            raise ValueError(f"derivative: that of {f!r} is known; give one only with a function")
        return activation(f, param)
    if not callable(f):
        raise TypeError(f"f must be the name of an activation or a function, not {type(f).__name__}")
    if param is not None:
        raise ValueError("param goes with a name; a function has its parameters inside")
    if derivative is not None and not callable(derivative):
        raise TypeError(f"derivative must be a function, not {type(derivative).__name__}")
    name, own = getattr(f, "__name__", type(f).__name__), _on_a_copy(f)
    return Activation(name, own, Differences(own) if derivative is None else _on_a_copy(derivative))


def _on_a_copy(f: Any) -> Callable[[Floats], Floats]:
    """Return f for arrays that are still needed: many functions have a form that writes into its argument."""
    return lambda z: f(z.copy())
