"""Knows Keras' initializers that take a law's parameters as they are: normal, truncated normal, uniform.

It must not know fans, nor how a tensor is made.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from .. import law as laws
from ..fill import fill_
from ..law import Law
from ..region import as_shape
from .drawn_tensor import drawn_tensor, element_of, sharded_tensor

__all__ = ["LawInitializer", "RandomNormal", "RandomUniform", "TruncatedNormal", "concrete"]


class LawInitializer:
    """What goes before Keras' own class among the bases of ours, and draws where that class would.

    Attributes
    ----------
    seed : int or keras.random.SeedGenerator
        Set by Keras' class.
    """

    seed: Any

    def law(self, shape: tuple[int, ...]) -> Law:
        """Return the law of a tensor of this shape."""
        raise NotImplementedError

    def __call__(self, shape: Any, dtype: Any = None, layout: Any = None) -> Any:
        """Return a new tensor of the backend.

        Parameters
        ----------
        shape : sequence of int
        dtype : str, optional
            bfloat16, float16, float32, float64, float8_e4m3fn or float8_e5m2; ``keras.config.floatx()`` by
            default.
        layout : keras.distribution.TensorLayout or jax.sharding.NamedSharding, optional
            With JAX: how to distribute the tensor. Each shard is filled by itself. Keras passes it where a
            distribution is set.

        Raises
        ------
        TypeError
            If the shape is not of integers, or a parameter no number.
        ValueError
            If the dtype is no float that fanfill draws or cannot hold the law, a parameter or the seed is
            out of range, or there is a layout that does not fit the shape or the backend.
        """
        extents = as_shape(shape)
        element = element_of(dtype)
        law = self.law(extents)
        law.check(element)

        if layout is not None:
            return sharded_tensor(self.seed, law, extents, element, layout)

        def draw(out: np.ndarray[Any, Any], seed: int, stream: int) -> None:
            fill_(out, law, seed=seed, key=stream)

        return drawn_tensor(self.seed, draw, extents, element)


def concrete(value: Any, name: str) -> float:
    """Return a parameter as a float; a number, or a scalar tensor."""
    if isinstance(value, (str, bytes)):
        raise TypeError(f"{name} must be a number, not {value!r}")
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError) as error:  # torch's error of a tensor of many is the last
        raise TypeError(f"{name} must be a number or a scalar tensor, not {value!r}") from error


def deviation(stddev: Any) -> float:
    """Return a standard deviation as a float."""
    value = concrete(stddev, "stddev")
    if not 0.0 <= value < float("inf"):
        raise ValueError(f"stddev must be finite and not negative, not {value}")
    return value


@keras.saving.register_keras_serializable(package="fanfill")
class RandomNormal(LawInitializer, keras.initializers.RandomNormal):
    """Normal values, as ``keras.initializers.RandomNormal`` means them.

    Parameters
    ----------
    mean : float, default 0.0
    stddev : float, default 0.05
        Standard deviation, not negative.
    seed : int or keras.random.SeedGenerator, optional
        An int or None gives the same values in every call, a SeedGenerator others in each.

    Examples
    --------
    >>> import fanfill.keras
    >>> tuple(fanfill.keras.RandomNormal(stddev=0.02, seed=7)((2, 3)).shape)
    (2, 3)
    """

    def law(self, shape: tuple[int, ...]) -> Law:
        """Return the normal law of this mean and standard deviation."""
        del shape
        return laws.Normal(concrete(self.mean, "mean"), deviation(self.stddev))


@keras.saving.register_keras_serializable(package="fanfill")
class TruncatedNormal(LawInitializer, keras.initializers.TruncatedNormal):
    """Normal values cut at two standard deviations, as ``keras.initializers.TruncatedNormal`` means them.

    Their variance is not corrected for the cut: their standard deviation is 0.8796 `stddev`.

    Parameters
    ----------
    mean : float, default 0.0
    stddev : float, default 0.05
        Standard deviation before truncation, not negative.
    seed : int or keras.random.SeedGenerator, optional
        As for `RandomNormal`.

    Examples
    --------
    >>> import fanfill.keras
    >>> bool(abs(fanfill.keras.TruncatedNormal(stddev=0.02, seed=7)((2, 3))).max() <= 0.04)
    True
    """

    def law(self, shape: tuple[int, ...]) -> Law:
        """Return the normal law of this mean and standard deviation, cut at 2 sigma."""
        del shape
        return laws.TruncatedNormal(concrete(self.mean, "mean"), deviation(self.stddev))


@keras.saving.register_keras_serializable(package="fanfill")
class RandomUniform(LawInitializer, keras.initializers.RandomUniform):
    """Uniform values in [minval, maxval), as ``keras.initializers.RandomUniform`` means them.

    Parameters
    ----------
    minval, maxval : float, default -0.05 and 0.05
        Ends of the interval; equal ends give that value everywhere.
    seed : int or keras.random.SeedGenerator, optional
        As for `RandomNormal`.

    Examples
    --------
    >>> import fanfill.keras
    >>> tuple(fanfill.keras.RandomUniform(-0.1, 0.1, seed=7)((2, 3)).shape)
    (2, 3)
    """

    def law(self, shape: tuple[int, ...]) -> Law:
        """Return the uniform law of these ends."""
        del shape
        low, high = concrete(self.minval, "minval"), concrete(self.maxval, "maxval")
        if low > high:
            raise ValueError(f"minval must not be above maxval, not minval={low}, maxval={high}")
        return laws.Constant(low) if low == high else laws.Uniform(low, high)
