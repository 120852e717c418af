"""Knows the initializers that are named after a law and take its parameters as they are.

It must not know fans, nor how a law is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np

from .dtype import DTypeLike
from .fill import fill_, fill_plain
from .law import Normal, TruncatedNormal, Uniform, Unit, normal_tuple, uniform_tuple
from .memory import aligned_empty
from .region import Region, as_shape
from .stream import Key, Seed

__all__ = ["normal", "normal_", "truncated_normal", "truncated_normal_", "uniform", "uniform_"]

T = TypeVar("T")
Array: TypeAlias = "np.ndarray[Any, Any]"
Shape: TypeAlias = "int | Sequence[int]"


def empty_for(shape: Shape, dtype: DTypeLike, region: Region | None) -> Array:
    """Return the new array of a shape-returning form: the global tensor, or the part that a region holds."""
    if region is None:
        return aligned_empty(shape, dtype)
    if not isinstance(region, Region):
        raise TypeError(f"region must be a Region, not {type(region).__name__}")
    if as_shape(shape) != region.shape:
        raise ValueError(f"shape {as_shape(shape)} must be the global shape of the region, {region.shape}")
    return aligned_empty(region.local_shape, dtype)


def normal_(
    out: T,
    mean: float = 0.0,
    std: float = 1.0,
    *,
    seed: Seed,
    key: Key,
    region: Region | None = None,
    dtype: DTypeLike | None = None,
    threads: int | None = None,
) -> T:
    """Fill `out` with the normal law: `fill_` with ``Normal(mean, std)``.

    Parameters
    ----------
    out : array, tensor or buffer
        See `fill_`.
    mean, std : float, optional
        See `Normal`.
    seed, key, region, dtype, threads
        See `fill_`.

    Returns
    -------
    array, tensor or buffer
        `out` itself.

    Raises
    ------
    TypeError, ValueError, KeyboardInterrupt
        As for `Normal` and `fill_`. On an error `out` is unchanged.

    Examples
    --------
    >>> import numpy as np, fanfill as ff
    >>> weight = ff.normal_(np.empty((2, 3), np.float32), std=0.02, seed=7, key="weight")
    """
    # Of floats the core checks all that the law would, so the law need not be made: that takes as long as
    # to fill a bias.
    is_usual = region is None and dtype is None and type(mean) is float and type(std) is float
    if is_usual and fill_plain(out, normal_tuple(mean, std), key, seed, threads):
        return out
    return fill_(out, Normal(mean, std), seed=seed, key=key, region=region, dtype=dtype, threads=threads)


def uniform_(
    out: T,
    low: float = 0.0,
    high: float = 1.0,
    *,
    seed: Seed,
    key: Key,
    region: Region | None = None,
    dtype: DTypeLike | None = None,
    threads: int | None = None,
) -> T:
    """Fill `out` with the uniform law on [low, high): `fill_` with ``Uniform(low, high)``.

    Parameters
    ----------
    out : array, tensor or buffer
        See `fill_`.
    low, high : float, optional
        See `Uniform`.
    seed, key, region, dtype, threads
        See `fill_`.

    Returns
    -------
    array, tensor or buffer
        `out` itself.

    Raises
    ------
    TypeError, ValueError, KeyboardInterrupt
        As for `Uniform` and `fill_`. On an error `out` is unchanged.

    Examples
    --------
    >>> import numpy as np, fanfill as ff
    >>> weight = ff.uniform_(np.empty((2, 3), np.float32), -0.1, 0.1, seed=7, key="weight")
    """
    is_usual = region is None and dtype is None and type(low) is float and type(high) is float
    if is_usual and fill_plain(out, uniform_tuple(low, high), key, seed, threads):
        return out
    return fill_(out, Uniform(low, high), seed=seed, key=key, region=region, dtype=dtype, threads=threads)


def truncated_normal_(
    out: T,
    mean: float = 0.0,
    std: float = 1.0,
    bounds: tuple[float, float] = (-2.0, 2.0),
    unit: Unit = "sigma",
    correct_variance: bool = False,
    *,
    seed: Seed,
    key: Key,
    region: Region | None = None,
    dtype: DTypeLike | None = None,
    threads: int | None = None,
) -> T:
    """Fill `out` with the truncated normal law: `fill_` with `TruncatedNormal` of the same parameters.

    Bounds are in sigmas by default, as in JAX; torch's ``trunc_normal_`` means ``unit="absolute"``.

    Parameters
    ----------
    out : array, tensor or buffer
        See `fill_`.
    mean, std, bounds, unit, correct_variance : optional
        See `TruncatedNormal`.
    seed, key, region, dtype, threads
        See `fill_`.

    Returns
    -------
    array, tensor or buffer
        `out` itself.

    Raises
    ------
    TypeError, ValueError, KeyboardInterrupt
        As for `TruncatedNormal` and `fill_`. On an error `out` is unchanged.

    Examples
    --------
    >>> import numpy as np, fanfill as ff
    >>> weight = ff.truncated_normal_(np.empty((2, 3)), std=0.02, bounds=(-3, 3), seed=7, key="weight")
    """
    law = TruncatedNormal(mean, std, bounds, unit, correct_variance)
    return fill_(out, law, seed=seed, key=key, region=region, dtype=dtype, threads=threads)


def normal(
    shape: Shape,
    mean: float = 0.0,
    std: float = 1.0,
    *,
    dtype: DTypeLike = "float32",
    seed: Seed,
    key: Key = 0,
    region: Region | None = None,
    threads: int | None = None,
) -> Array:
    """Return a new 64-byte aligned array that `normal_` has filled.

    Parameters
    ----------
    shape : int or sequence of int
        The global shape.
    mean, std : float, optional
        See `Normal`.
    dtype : str or dtype, optional
        The element type of the new array.
    seed
        See `fill_`.
    key : int or str, optional
        See `fill_`. Arrays of one seed and one key, 0 if none is given, begin with the same numbers.
    region : Region, optional
        Return that part alone of the tensor whose global shape is `shape`.
    threads
        See `fill_`.

    Returns
    -------
    numpy.ndarray
        New, contiguous, aligned to 64 bytes.

    Raises
    ------
    TypeError, ValueError, OverflowError, MemoryError, KeyboardInterrupt
        As for `Normal`, `empty` and `fill_`, or if `shape` isn't that of the region.

    Examples
    --------
    >>> import fanfill as ff
    >>> ff.normal((2, 3), std=0.02, seed=7).dtype
    dtype('float32')
    """
    law = Normal(mean, std)
    return fill_(empty_for(shape, dtype, region), law, seed=seed, key=key, region=region, threads=threads)


def uniform(
    shape: Shape,
    low: float = 0.0,
    high: float = 1.0,
    *,
    dtype: DTypeLike = "float32",
    seed: Seed,
    key: Key = 0,
    region: Region | None = None,
    threads: int | None = None,
) -> Array:
    """Return a new 64-byte aligned array that `uniform_` has filled.

    Parameters
    ----------
    shape : int or sequence of int
        The global shape.
    low, high : float, optional
        See `Uniform`.
    dtype : str or dtype, optional
        The element type of the new array.
    seed
        See `fill_`.
    key : int or str, optional
        See `fill_`. Arrays of one seed and one key, 0 if none is given, begin with the same numbers.
    region : Region, optional
        Return that part alone of the tensor whose global shape is `shape`.
    threads
        See `fill_`.

    Returns
    -------
    numpy.ndarray
        New, contiguous, aligned to 64 bytes.

    Raises
    ------
    TypeError, ValueError, OverflowError, MemoryError, KeyboardInterrupt
        As for `Uniform`, `empty` and `fill_`, or if `shape` isn't that of the region.

    Examples
    --------
    >>> import fanfill as ff
    >>> ff.uniform((2, 3), -0.1, 0.1, seed=7).shape
    (2, 3)
    """
    law = Uniform(low, high)
    return fill_(empty_for(shape, dtype, region), law, seed=seed, key=key, region=region, threads=threads)


def truncated_normal(
    shape: Shape,
    mean: float = 0.0,
    std: float = 1.0,
    bounds: tuple[float, float] = (-2.0, 2.0),
    unit: Unit = "sigma",
    correct_variance: bool = False,
    *,
    dtype: DTypeLike = "float32",
    seed: Seed,
    key: Key = 0,
    region: Region | None = None,
    threads: int | None = None,
) -> Array:
    """Return a new 64-byte aligned array that `truncated_normal_` has filled.

    Parameters
    ----------
    shape : int or sequence of int
        The global shape.
    mean, std, bounds, unit, correct_variance : optional
        See `TruncatedNormal`.
    dtype : str or dtype, optional
        The element type of the new array.
    seed
        See `fill_`.
    key : int or str, optional
        See `fill_`. Arrays of one seed and one key, 0 if none is given, begin with the same numbers.
    region : Region, optional
        Return that part alone of the tensor whose global shape is `shape`.
    threads
        See `fill_`.

    Returns
    -------
    numpy.ndarray
        New, contiguous, aligned to 64 bytes.

    Raises
    ------
    TypeError, ValueError, OverflowError, MemoryError, KeyboardInterrupt
        As for `TruncatedNormal`, `empty` and `fill_`, or if `shape` isn't that of the region.

    Examples
    --------
    >>> import fanfill as ff
    >>> bool(abs(ff.truncated_normal((2, 3), std=0.02, seed=7)).max() <= 0.04)
    True
    """
    law = TruncatedNormal(mean, std, bounds, unit, correct_variance)
    return fill_(empty_for(shape, dtype, region), law, seed=seed, key=key, region=region, threads=threads)
