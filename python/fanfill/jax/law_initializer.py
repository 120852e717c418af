"""Knows JAX's initializers that take a law's parameters as they are: normal, truncated normal, uniform.

It must not know fans, nor how an array is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax

from ..law import Constant, Law, Normal, TruncatedNormal, Uniform
from ..region import as_shape
from .drawn import drawn
from .element import element_of
from .key import key_words

__all__ = ["Initializer", "concrete", "normal", "truncated_normal", "uniform"]


@dataclass(frozen=True)
class Initializer:
    """What the builders return: a frozen value, hashable and picklable, that a layer may hold.

    Attributes
    ----------
    dtype : dtype or None
        Of the arrays, where a call names none; None is JAX's default float.
    """

    dtype: Any

    def law(self, shape: tuple[int, ...]) -> Law:
        """Return the law of an array of this global shape."""
        raise NotImplementedError

    def __call__(self, key: Any, shape: Any, dtype: Any = None, out_sharding: Any = None) -> jax.Array:
        """Return a new array.

        Parameters
        ----------
        key : jax.Array
            A typed or raw JAX key; see `fanfill.jax.seed_and_stream`.
        shape : sequence of int
            The global shape.
        dtype : dtype, optional
            By default that of the builder.
        out_sharding : NamedSharding or PartitionSpec, optional
            The sharding; outside of ``jit`` each block of it is filled alone.

        Raises
        ------
        TypeError
            If the key is no JAX key, the shape not of concrete integers, or the dtype unknown to JAX.
        ValueError
            If there are several keys, the dtype is no float that fanfill draws or cannot hold the law, or the
            sharding does not fit the shape.
        """
        words = key_words(key)
        extents = as_shape(shape)
        element = element_of(self.dtype if dtype is None else dtype)
        return drawn(words, self.law(extents), extents, element, out_sharding)


@dataclass(frozen=True)
class LawInitializer(Initializer):
    """An initializer whose law is the same for every shape."""

    same_law: Law

    def law(self, shape: tuple[int, ...]) -> Law:
        """Return the law."""
        del shape
        return self.same_law


def concrete(value: Any, name: str) -> float:
    """Return a parameter as a float; a number, or an array of one that is not being traced."""
    if isinstance(value, jax.core.Tracer):
        raise TypeError(
            f"{name} is being traced and must be a concrete number; make it a static argument of jit"
        )
    if isinstance(value, (str, bytes)):
        raise TypeError(f"{name} must be a number, not {value!r}")
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be a number, not {value!r}") from error


def uniform(scale: Any = 1e-2, dtype: Any = None) -> Initializer:
    """Build an initializer of uniform values in [0, scale), as ``jax.nn.initializers.uniform`` does.

    Parameters
    ----------
    scale : float, optional
        Upper end, not negative; the interval is one-sided.
    dtype : dtype, optional
        Default dtype of the arrays.

    Raises
    ------
    TypeError, ValueError
        If `scale` is no number, traced, negative or not finite.

    Examples
    --------
    >>> import jax
    >>> from fanfill.jax.initializers import uniform
    >>> uniform(0.5)(jax.random.key(7), (2, 3)).shape
    (2, 3)
    """
    high = concrete(scale, "scale")
    if not 0.0 <= high < float("inf"):
        raise ValueError(f"scale must be finite and not negative, not {high}")
    return LawInitializer(dtype, Uniform(0.0, high) if high else Constant(0.0))


def normal(stddev: Any = 1e-2, dtype: Any = None) -> Initializer:
    """Build an initializer of normal values of mean 0, as ``jax.nn.initializers.normal`` does.

    Parameters
    ----------
    stddev : float, optional
        Standard deviation, not negative.
    dtype : dtype, optional
        Default dtype of the arrays.

    Raises
    ------
    TypeError, ValueError
        If `stddev` is no number, traced, negative or not finite.

    Examples
    --------
    >>> import jax
    >>> from fanfill.jax.initializers import normal
    >>> normal(0.02)(jax.random.key(7), (2, 3)).dtype
    dtype('float32')
    """
    return LawInitializer(dtype, Normal(0.0, _deviation(stddev)))


def truncated_normal(
    stddev: Any = 1e-2, dtype: Any = None, lower: Any = -2.0, upper: Any = 2.0
) -> Initializer:
    """Build an initializer of truncated normal values, as ``jax.nn.initializers.truncated_normal`` does.

    The values lie in [lower * stddev, upper * stddev]. Their variance is not corrected for the cut.

    Parameters
    ----------
    stddev : float, optional
        Standard deviation before truncation, not negative.
    dtype : dtype, optional
        Default dtype of the arrays.
    lower, upper : float, optional
        Bounds in multiples of `stddev`; one or both may be infinite.

    Raises
    ------
    TypeError, ValueError
        If a parameter is no number or traced, `stddev` is negative or not finite, or the bounds do not
        ascend.

    Examples
    --------
    >>> import jax
    >>> from fanfill.jax.initializers import truncated_normal
    >>> bool(abs(truncated_normal(0.02)(jax.random.key(7), (2, 3))).max() <= 0.04)
    True
    """
    bounds = concrete(lower, "lower"), concrete(upper, "upper")
    if not bounds[0] < bounds[1]:
        raise ValueError(f"lower must be below upper, not lower={bounds[0]}, upper={bounds[1]}")
    return LawInitializer(dtype, TruncatedNormal(0.0, _deviation(stddev), bounds))


def _deviation(stddev: Any) -> float:
    value = concrete(stddev, "stddev")
    if not 0.0 <= value < float("inf"):
        raise ValueError(f"stddev must be finite and not negative, not {value}")
    return value
