"""Knows Keras' variance scaling and the initializers of Glorot, He and LeCun, which are cases of it.

It must not know how a tensor is made, nor how a fan and a scale give a law.
"""

from __future__ import annotations

import math
from typing import Any, cast

import keras

from ..fan import Fans, fan_of_mode, fans
from ..law import Law
from ..number import as_int
from ..variance_scaling import Distribution, FanChoice
from .law_initializer import LawInitializer

__all__ = [
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "LecunNormal",
    "LecunUniform",
    "VarianceScaling",
]

# Keras' names of the distributions and ours.
_DISTRIBUTIONS: dict[str, Distribution] = {
    "truncated_normal": "truncated_normal",
    "untruncated_normal": "normal",
    "uniform": "uniform",
}


class ScalingInitializer(LawInitializer):
    """The law of all classes of this file, from what Keras' ``VarianceScaling`` holds."""

    scale: Any
    mode: Any
    distribution: str
    input_axes: Any = None  # unless Keras' class sets them, which not every release does
    output_axes: Any = None

    def law(self, shape: tuple[int, ...]) -> Law:
        """Return the law of mean 0 and variance scale / max(1, fan)."""
        fan = max(1.0, fan_of_mode(self._fans(shape), self.mode))
        choice = FanChoice("fan_in", "io", 1, False, (), None, fan, fan)
        law = choice.law(_DISTRIBUTIONS[self.distribution], math.sqrt(self.scale), shape)
        return cast("Law", law)  # one, as there are no parts

    def _fans(self, shape: tuple[int, ...]) -> Fans:
        if self.input_axes is None or self.output_axes is None:
            return fans(shape, layout="io")
        return Fans(
            _extent(shape, self.input_axes, "input_axes"), _extent(shape, self.output_axes, "output_axes")
        )


def _extent(shape: tuple[int, ...], axes: Any, name: str) -> int:
    if not isinstance(axes, (tuple, list)):
        raise TypeError(f"{name} must be a list of ints, not {axes!r}")
    checked = [as_int(axis, name) for axis in axes]
    for axis in checked:
        if not -len(shape) <= axis < len(shape):
            raise IndexError(f"{name}: there is no axis {axis} in shape {shape}")
    return math.prod(shape[axis] for axis in checked)


@keras.saving.register_keras_serializable(package="fanfill")
class VarianceScaling(ScalingInitializer, keras.initializers.VarianceScaling):
    r"""Values of mean 0 and standard deviation :math:`\sqrt{\mathrm{scale} / n}`, n being a fan.

    What ``keras.initializers.VarianceScaling`` means, in all its modes and distributions.

    Parameters
    ----------
    scale : float, default 1.0
        Positive.
    mode : {"fan_in", "fan_out", "fan_avg"}, default "fan_in"
        What n is; at least 1.
    distribution : {"truncated_normal", "untruncated_normal", "uniform"}, default "truncated_normal"
        The normal cut at 2 sigma and then scaled to this standard deviation (also called "normal"), the plain
        normal, or the uniform on :math:`\pm\sqrt{3\,\mathrm{scale} / n}`.
    seed : int or keras.random.SeedGenerator, optional
        An int or None gives the same values in every call, a SeedGenerator others in each.
    input_axes, output_axes : sequence of int, optional
        Axes whose product is fan_in, and fan_out; only both together. By default (\*kernel, in, out).

    Raises
    ------
    ValueError
        If an argument is not one of those, as Keras says. A call raises IndexError for an axis that the shape
        does not have.

    Examples
    --------
    >>> import fanfill.keras
    >>> tuple(fanfill.keras.VarianceScaling(2.0, "fan_out", "uniform", seed=7)((3, 3, 8, 16)).shape)
    (3, 3, 8, 16)
    """


@keras.saving.register_keras_serializable(package="fanfill")
class GlorotUniform(ScalingInitializer, keras.initializers.GlorotUniform):
    r"""Uniform values on :math:`\pm\sqrt{6 / (\mathrm{fan\_in} + \mathrm{fan\_out})}`.

    Parameters
    ----------
    seed, input_axes, output_axes : optional
        See `VarianceScaling`, of which this is ``VarianceScaling(1.0, "fan_avg", "uniform")``.

    References
    ----------
    X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.

    Examples
    --------
    >>> import fanfill.keras
    >>> tuple(fanfill.keras.GlorotUniform(seed=7)((64, 32)).shape)
    (64, 32)
    """


@keras.saving.register_keras_serializable(package="fanfill")
class GlorotNormal(ScalingInitializer, keras.initializers.GlorotNormal):
    r"""Normal values of std :math:`\sqrt{2 / (\mathrm{fan\_in} + \mathrm{fan\_out})}` after a cut at 2 sigma.

    Parameters
    ----------
    seed, input_axes, output_axes : optional
        See `VarianceScaling`, of which this is ``VarianceScaling(1.0, "fan_avg", "truncated_normal")``.

    References
    ----------
    X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.

    Examples
    --------
    >>> import fanfill.keras
    >>> tuple(fanfill.keras.GlorotNormal(seed=7)((64, 32)).shape)
    (64, 32)
    """


@keras.saving.register_keras_serializable(package="fanfill")
class LecunUniform(ScalingInitializer, keras.initializers.LecunUniform):
    r"""Uniform values on :math:`\pm\sqrt{3 / \mathrm{fan\_in}}`.

    Parameters
    ----------
    seed, input_axes, output_axes : optional
        See `VarianceScaling`, of which this is ``VarianceScaling(1.0, "fan_in", "uniform")``.

    References
    ----------
    Y. LeCun, L. Bottou, G. B. Orr, K.-R. Müller, "Efficient BackProp", 1998.

    Examples
    --------
    >>> import fanfill.keras
    >>> tuple(fanfill.keras.LecunUniform(seed=7)((64, 32)).shape)
    (64, 32)
    """


@keras.saving.register_keras_serializable(package="fanfill")
class LecunNormal(ScalingInitializer, keras.initializers.LecunNormal):
    r"""Normal values of std :math:`\sqrt{1 / \mathrm{fan\_in}}` after a cut at 2 sigma.

    Parameters
    ----------
    seed, input_axes, output_axes : optional
        See `VarianceScaling`, of which this is ``VarianceScaling(1.0, "fan_in", "truncated_normal")``.

    References
    ----------
    Y. LeCun, L. Bottou, G. B. Orr, K.-R. Müller, "Efficient BackProp", 1998.

    Examples
    --------
    >>> import fanfill.keras
    >>> tuple(fanfill.keras.LecunNormal(seed=7)((64, 32)).shape)
    (64, 32)
    """


@keras.saving.register_keras_serializable(package="fanfill")
class HeUniform(ScalingInitializer, keras.initializers.HeUniform):
    r"""Uniform values on :math:`\pm\sqrt{6 / \mathrm{fan\_in}}`.

    Parameters
    ----------
    seed, input_axes, output_axes : optional
        See `VarianceScaling`, of which this is ``VarianceScaling(2.0, "fan_in", "uniform")``.

    References
    ----------
    K. He, X. Zhang, S. Ren, J. Sun, "Delving Deep into Rectifiers", 2015.

    Examples
    --------
    >>> import fanfill.keras
    >>> tuple(fanfill.keras.HeUniform(seed=7)((64, 32)).shape)
    (64, 32)
    """


@keras.saving.register_keras_serializable(package="fanfill")
class HeNormal(ScalingInitializer, keras.initializers.HeNormal):
    r"""Normal values of std :math:`\sqrt{2 / \mathrm{fan\_in}}` after a cut at 2 sigma.

    Parameters
    ----------
    seed, input_axes, output_axes : optional
        See `VarianceScaling`, of which this is ``VarianceScaling(2.0, "fan_in", "truncated_normal")``.

    References
    ----------
    K. He, X. Zhang, S. Ren, J. Sun, "Delving Deep into Rectifiers", 2015.

    Examples
    --------
    >>> import fanfill.keras
    >>> tuple(fanfill.keras.HeNormal(seed=7)((64, 32)).shape)
    (64, 32)
    """
