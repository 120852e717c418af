"""Knows JAX's variance scaling and the initializers of Glorot, He and LeCun, which are cases of it.

It must not know how an array is made, nor how a fan and a scale give a law.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol, cast

from ..fan import Mode
from ..law import Constant, Law
from ..variance_scaling import Distribution, FanChoice
from .axis_fans import Axes, axis_fans, checked_axes
from .law_initializer import Initializer, concrete

__all__ = [
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "kaiming_normal",
    "kaiming_uniform",
    "lecun_normal",
    "lecun_uniform",
    "variance_scaling",
    "xavier_normal",
    "xavier_uniform",
]

_MODES = ("fan_in", "fan_out", "fan_avg", "fan_geo_avg")
_DISTRIBUTIONS = ("truncated_normal", "normal", "uniform")


@dataclass(frozen=True)
class ScalingInitializer(Initializer):
    """An initializer whose scale comes from the fans of the shape."""

    scale: float
    mode: Mode
    distribution: Distribution
    in_axis: int | tuple[int, ...]
    out_axis: int | tuple[int, ...]
    batch_axis: int | tuple[int, ...]

    def law(self, shape: tuple[int, ...]) -> Law:
        """Return the law of mean 0 and variance scale / fan."""
        fans = axis_fans(shape, self.in_axis, self.out_axis, self.batch_axis)
        if self.scale == 0.0:
            return Constant(0.0)
        fan = FanChoice(self.mode, "io", 1, False, (), None, *fans)
        law = fan.law(self.distribution, math.sqrt(self.scale), shape)
        return cast("Law", law)  # one, as there are no parts


def variance_scaling(
    scale: Any,
    mode: Mode,
    distribution: Distribution,
    in_axis: Axes = -2,
    out_axis: Axes = -1,
    batch_axis: Axes = (),
    dtype: Any = None,
) -> Initializer:
    r"""Build an initializer of mean 0 and standard deviation :math:`\sqrt{\mathrm{scale} / n}`.

    As ``jax.nn.initializers.variance_scaling`` does, for real dtypes.

    Parameters
    ----------
    scale : float
        Not negative.
    mode : {"fan_in", "fan_out", "fan_avg", "fan_geo_avg"}
        What n is: the fan of the in axes, of the out axes, their arithmetic or their geometric mean.
    distribution : {"truncated_normal", "normal", "uniform"}
        The normal cut at 2 sigma and then scaled to this standard deviation, the plain normal, or the
        uniform on :math:`\pm\sqrt{3\,\mathrm{scale} / n}`.
    in_axis, out_axis : int or sequence of int, optional
        Axes of the inputs and of the outputs; axes not named anywhere count for both fans.
    batch_axis : int or sequence of int, optional
        Axes along which independent weights are stacked.
    dtype : dtype, optional
        Default dtype of the arrays.

    Raises
    ------
    TypeError, ValueError
        If a parameter is of the wrong kind, traced or out of range. A call of the initializer raises
        IndexError for an axis that the shape does not have, ZeroDivisionError for one of extent 0, and
        ValueError for a shape of fewer than two axes with the default `in_axis`.

    Examples
    --------
    >>> import jax
    >>> from fanfill.jax.initializers import variance_scaling
    >>> init = variance_scaling(1.0, "fan_avg", "uniform", batch_axis=0)
    >>> init(jax.random.key(7), (8, 64, 32)).shape
    (8, 64, 32)
    """
    number = concrete(scale, "scale")
    if not 0.0 <= number < math.inf:
        raise ValueError(f"scale must be finite and not negative, not {number}")
    if mode not in _MODES:
        raise ValueError(f"mode must be one of {', '.join(_MODES)}, not {mode!r}")
    if distribution not in _DISTRIBUTIONS:
        raise ValueError(f"distribution must be one of {', '.join(_DISTRIBUTIONS)}, not {distribution!r}")
    axes = (
        checked_axes(given, name)
        for given, name in ((in_axis, "in_axis"), (out_axis, "out_axis"), (batch_axis, "batch_axis"))
    )
    return ScalingInitializer(dtype, number, mode, distribution, *axes)


class Builder(Protocol):
    """What `he_normal`, `glorot_uniform` and their like are."""

    def __call__(
        self, in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: Any = None
    ) -> Initializer:
        """Return an initializer."""


_DOC = r"""Build {title}'s initializer: mean 0, :math:`\mathrm{{std}} = \sqrt{{{scale} / n}}`, n {fan}.

    {law}

    Parameters
    ----------
    in_axis, out_axis, batch_axis, dtype : optional
        See `variance_scaling`, of which this is
        ``variance_scaling({scale}, "{mode}", "{distribution}", ...)``.

    References
    ----------
    {source}

    Examples
    --------
    >>> import jax
    >>> from fanfill.jax.initializers import {name}
    >>> {name}()(jax.random.key(7), (64, 32)).shape
    (64, 32)
    """
_GLOROT = (
    'X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks",\n'
    "    2010."
)
_HE = 'K. He, X. Zhang, S. Ren, J. Sun, "Delving Deep into Rectifiers", 2015.'
_LECUN = 'Y. LeCun, L. Bottou, G. B. Orr, K.-R. Müller, "Efficient BackProp", 1998.'
_SOURCES = {"Glorot": _GLOROT, "He": _HE, "LeCun": _LECUN}
_LAWS: dict[Distribution, str] = {
    "truncated_normal": "The law is the normal cut at 2 sigma, with its variance corrected for the cut.",
    "uniform": r"The law is the uniform on :math:`\pm\sqrt 3\,\mathrm{std}`.",
}
_FANS: dict[Mode, str] = {"fan_in": "being fan_in", "fan_avg": "being the mean of fan_in and fan_out"}


def _builder(title: str, scale: float, mode: Mode, distribution: Distribution) -> Builder:
    def build(
        in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: Any = None
    ) -> Initializer:
        return variance_scaling(scale, mode, distribution, in_axis, out_axis, batch_axis, dtype)

    name = f"{title.lower()}_{distribution.removeprefix('truncated_')}"
    build.__name__ = build.__qualname__ = name
    build.__doc__ = _DOC.format(
        title=title,
        scale=scale,
        fan=_FANS[mode],
        law=_LAWS[distribution],
        mode=mode,
        distribution=distribution,
        source=_SOURCES[title],
        name=name,
    )
    return build


glorot_uniform = xavier_uniform = _builder("Glorot", 1.0, "fan_avg", "uniform")
glorot_normal = xavier_normal = _builder("Glorot", 1.0, "fan_avg", "truncated_normal")
lecun_uniform = _builder("LeCun", 1.0, "fan_in", "uniform")
lecun_normal = _builder("LeCun", 1.0, "fan_in", "truncated_normal")
he_uniform = kaiming_uniform = _builder("He", 2.0, "fan_in", "uniform")
he_normal = kaiming_normal = _builder("He", 2.0, "fan_in", "truncated_normal")
