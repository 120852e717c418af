"""Knows what theory says of a random network: second moments and correlations from layer to layer.

It must not know drawn weights or data, but for the second moment and the correlation that come in.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..fan import Fans
from ..law import Normal
from .activation import Activation, Floats
from .differences import mean_square_slope
from .expectation import expectation

__all__ = ["FixedPoint", "MeanField"]

# Where functions of two correlated normals are averaged: beyond 6.5 sigmas are 1e-10 of the mass, and over a
# smooth function the trapezoidal rule on such a grid is exact to rounding, over a corner to about 1e-4.
_GRID = np.linspace(-6.5, 6.5, 261)
_MASS = np.exp(-0.5 * _GRID**2) / np.exp(-0.5 * _GRID**2).sum()
_TINY, _HUGE = 1e-7, 1e12  # what counts as nothing, and as without end
_FLAT = 1e-9  # a second moment that changes by less per layer stays where it is


class FixedPoint(NamedTuple):
    """Where the last layer, repeated without end, takes a network.

    Attributes
    ----------
    pre_activation : float
        The second moment of pre-activations; 0 where it vanishes, infinity where it explodes.
    correlation : float
        That of the pre-activations of two inputs; below 1 only in the chaotic phase.
    chi : float
        The slope of the correlation map at 1, and what multiplies a gradient's second moment per layer: below
        1 gradients vanish and inputs become alike (order), above 1 both grow (chaos).
    """

    pre_activation: float
    correlation: float
    chi: float


class MeanField:
    r"""The recursion of second moments through layers that are wide.

    With weights of mean 0 and variance :math:`\sigma_l^2`, biases of variance :math:`\sigma_b^2`, and z
    standard normal, the pre-activations' second moment is

    .. math:: q_1 = \sigma_1^2 n_1 E[x^2] + \sigma_b^2, \quad
        q_{l+1} = \sigma_{l+1}^2 n_{l+1} E[f(\sqrt{q_l} z)^2] + \sigma_b^2

    with n the fan in, and that of gradients going back, with m the fan out,

    .. math:: g_l = g_{l+1} \sigma_{l+1}^2 m_{l+1} E[f'(\sqrt{q_l} z)^2].

    Of a gated activation, f(a) b with a and b independent, :math:`q E[f^2]` stands for the first mean, and
    :math:`(q E[f'^2] + E[f^2]) / 2` for the second: half of the pre-activations are an a, half a b.

    Parameters
    ----------
    activation : Activation
        Behind each layer.
    variances : sequence of float
        Of each layer's weights.
    fans : sequence of Fans
        Of each layer.
    bias_variance : float
        Of every layer's biases.

    References
    ----------
    B. Poole, S. Lahiri, M. Raghu, J. Sohl-Dickstein, S. Ganguli, "Exponential expressivity in deep neural
    networks through transient chaos", 2016. S. S. Schoenholz, J. Gilmer, S. Ganguli, J. Sohl-Dickstein, "Deep
    Information Propagation", 2017.
    """

    def __init__(
        self, activation: Activation, variances: Sequence[float], fans: Sequence[Fans], bias_variance: float
    ) -> None:
        self.activation = activation
        self.bias_variance = bias_variance
        self.forward_factors = [v * both.fan_in for v, both in zip(variances, fans, strict=True)]
        halves = 2 if activation.is_gated else 1
        self.backward_factors = [v * both.fan_out / halves for v, both in zip(variances, fans, strict=True)]
        self.moments = functools.lru_cache(maxsize=4096)(self._moments)

    def _moments(self, q: float) -> tuple[float, float, float]:
        """Return E[f], E[f^2] and E[f'^2] over pre-activations of this second moment.

        Of a gated activation those of f(a) b: its slopes' squares are added over a and b.
        """
        law, f = Normal(0.0, math.sqrt(q)), self.activation
        tolerance = 1e-9  # a plot's and a test's; derivatives by differences have no more
        mean = expectation(f.function, law, f.name, tolerance=tolerance)
        square = expectation(lambda z: f.function(z) ** 2, law, f.name, tolerance=tolerance)
        slope = mean_square_slope(f.derivative, law, f"the derivative of {f.name}", tolerance)
        return (0.0, q * square, q * slope + square) if f.is_gated else (mean, square, slope)

    def pre_activations(self, input_square: float) -> Floats:
        """Return q of each layer, for inputs of this mean square.

        Raises
        ------
        TypeError, ValueError
            If the activation's moments are NaN or infinite; the message names the layer.
        """
        found, square = [], input_square
        for at, factor in enumerate(self.forward_factors):
            q = factor * square + self.bias_variance
            if not math.isfinite(q):
                raise ValueError(f"layers[{at}]: the predicted variance of its pre-activations overflows")
            found.append(q)
            try:
                square = self.moments(_key(q))[1]
            except (TypeError, ValueError) as error:
                raise type(error)(f"layers[{at}]: {error}") from error
        return np.array(found)

    def gradients(self, q: Floats) -> Floats:
        """Return g of each layer, that of the last being 1."""
        found = [1.0]
        for at in range(len(q) - 1, 0, -1):
            found.append(found[-1] * self.backward_factors[at] * self.moments(_key(q[at - 1]))[2])
        return np.array(found[::-1])

    def chi(self, q: Floats) -> Floats:
        r"""Return :math:`\chi_l = \sigma_l^2 n_l E[f'(\sqrt{q_l} z)^2]` of each layer."""
        slopes = [self.moments(_key(each))[2] for each in q]
        return np.array(self.forward_factors) * slopes

    def correlations(self, q: Floats, input_square: float, input_correlation: float) -> Floats:
        """Return the correlation of the pre-activations of two inputs, layer by layer."""
        b = self.bias_variance
        found = [(self.forward_factors[0] * input_square * input_correlation + b) / q[0]]
        for at in range(1, len(q)):
            second = self.moments(_key(q[at - 1]))[1]
            found.append(self._correlated(q[at - 1], found[-1], self.forward_factors[at] * second, q[at]))
        return np.array(found)

    def correlation_map(self, correlation: Floats, q: float) -> Floats:
        """Return what the last layer makes of correlations, for pre-activations of second moment q."""
        second = self.moments(_key(q))[1]
        scaled = self.forward_factors[-1] * second
        after = scaled + self.bias_variance
        return np.array([self._correlated(q, float(c), scaled, after) for c in correlation])

    def _correlated(self, q: float, correlation: float, scaled: float, after: float) -> float:
        """Return the next correlation; `scaled` is what a correlation of 1 would give without biases."""
        share = 1.0 if correlation >= 1.0 else self._overlap(_key(q), _key(correlation))
        return min(1.0, (scaled * share + self.bias_variance) / after) if after > 0.0 else 1.0

    def _overlap(self, q: float, correlation: float) -> float:
        r"""Return E[f(u) f(v)] / E[f(u)^2] for normal u and v of second moment q and this correlation.

        Of a gated activation f(u) is multiplied by a gate's other half, whose share is the correlation.

        u and v share a part: :math:`u, v = \sqrt q (\pm\sqrt{|c|} w + \sqrt{1 - |c|} z_{1, 2})`. Given w they
        are independent, so the mean of the product is that of G(w) G(±w), with G(w) = E[f | w].
        """
        f, size = self.activation.function, abs(correlation)
        gate = correlation if self.activation.is_gated else 1.0  # E[b b'] / E[b^2]
        spread = math.sqrt(max(0.0, 1.0 - size)) * _GRID
        with np.errstate(all="ignore"):
            given = f(math.sqrt(q) * (math.sqrt(size) * _GRID[:, None] + spread)) @ _MASS
            whole = float(_MASS @ f(math.sqrt(q) * _GRID) ** 2)
        other = given if correlation >= 0.0 else given[::-1]
        return gate * float(_MASS @ (given * other)) / whole if whole > 0.0 else 1.0

    def fixed_point(self, q: float) -> FixedPoint:
        """Return where the last layer, repeated, takes pre-activations that have second moment q now."""
        q = self._fixed_second_moment(q)
        if math.isinf(q):
            return FixedPoint(q, math.nan, math.nan)
        chi = self.forward_factors[-1] * self.moments(max(q, _TINY))[2]  # f' may jump at 0 itself
        if chi <= 1.0 + 1e-6 or q == 0.0:
            return FixedPoint(q, 1.0, chi)
        low, high = 0.0, 1.0 - 1e-6  # the map lies above the diagonal at 0, and below it next to 1
        for _ in range(40):
            middle = 0.5 * (low + high)
            if self.correlation_map(np.array([middle]), q)[0] > middle:
                low = middle
            else:
                high = middle
        return FixedPoint(q, 0.5 * (low + high), chi)

    def _fixed_second_moment(self, q: float) -> float:
        """Return the nearest second moment that stays, in the direction in which q moves."""

        def growth(at: float) -> float:
            after = self.forward_factors[-1] * self.moments(at)[1] + self.bias_variance
            return math.log(after / at) if after > 0.0 else -math.inf

        try:
            rate = growth(q)
            if abs(rate) < _FLAT:
                return q
            step, last = (2.0 if rate > 0.0 else 0.5), q
            while (growth(q) > 0.0) == (rate > 0.0):
                last, q = q, q * step
                if q < _TINY:
                    return 0.0
                if q > _HUGE:
                    return math.inf
        except ValueError:  # the moments diverge on the way
            return math.inf
        for _ in range(60):
            middle = math.sqrt(q * last)
            if (growth(middle) > 0.0) == (rate > 0.0):
                last = middle
            else:
                q = middle
        return q


def _key(value: Any) -> float:
    """Return a value to 12 digits, so that what rounding tells apart is computed once."""
    return float(f"{value:.12g}")
