"""Knows variance scaling: how a fan of the global shape and a gain give a law.

It must not know nonlinearities, nor how a law is drawn.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar

from .dtype import DTypeLike
from .fan import Fans, Layout, Mode, Parts, fan_of_mode, fans, part_axis, part_sizes
from .fill import fill_memory, fill_plain
from .fused_law import FusedLaw
from .initializer import Array, Shape, empty_for
from .law import Constant, Law, Normal, TruncatedNormal, Uniform
from .memory import Memory, memory_of, plain_shape
from .number import as_real
from .region import Region, as_shape
from .stream import Key, Seed

T = TypeVar("T")
Distribution: TypeAlias = Literal["normal", "truncated_normal", "uniform"]


def variance_scaling_(
    out: T,
    scale: float = 1.0,
    mode: Mode = "fan_in",
    law: Distribution = "normal",
    *,
    layout: Layout = "oi",
    groups: int = 1,
    transposed: bool = False,
    batch_axes: Sequence[int] = (),
    parts: Parts | None = None,
    fan_in: float | None = None,
    fan_out: float | None = None,
    seed: Seed,
    key: Key,
    region: Region | None = None,
    dtype: DTypeLike | None = None,
    threads: int | None = None,
) -> T:
    r"""Fill `out` with mean 0 and standard deviation :math:`\sqrt{\mathrm{scale} / n}`, n being a fan.

    Parameters
    ----------
    out : array, tensor or buffer
        See `fill_`.
    scale : float, optional
        Positive.
    mode : {"fan_in", "fan_out", "fan_avg", "fan_geo_avg"}, optional
        Which fan: in, out, their arithmetic or their geometric mean.
    law : {"normal", "truncated_normal", "uniform"}, optional
        The plain normal, the normal cut at 2 sigma and corrected to this variance (what Keras and JAX mean by
        "truncated_normal"), or the uniform of this variance.
    layout, groups, transposed, batch_axes, parts, fan_in, fan_out : optional
        See `fans`. They read the region's global shape where a region is given. With `parts`, each part is
        drawn at the scale of its own fans, from the stream of the one fused tensor.
    seed, key, region, dtype, threads
        See `fill_`.

    Returns
    -------
    array, tensor or buffer
        `out` itself.

    Raises
    ------
    TypeError, ValueError, KeyboardInterrupt
        As for `fans` and `fill_`, or if `scale` is not positive. On an error `out` is unchanged.

    Examples
    --------
    >>> import numpy as np, fanfill as ff
    >>> weight = ff.variance_scaling_(np.empty((64, 32)), 2.0, "fan_avg", "uniform", seed=7, key="weight")
    """
    choice = mode, layout, groups, transposed, batch_axes, parts, fan_in, fan_out
    fill_scaled(out, law, _root(scale), choice, seed, key, region, dtype, threads)
    return out


def variance_scaling(
    shape: Shape,
    scale: float = 1.0,
    mode: Mode = "fan_in",
    law: Distribution = "normal",
    *,
    dtype: DTypeLike = "float32",
    layout: Layout = "oi",
    groups: int = 1,
    transposed: bool = False,
    batch_axes: Sequence[int] = (),
    parts: Parts | None = None,
    fan_in: float | None = None,
    fan_out: float | None = None,
    seed: Seed,
    key: Key = 0,
    region: Region | None = None,
    threads: int | None = None,
) -> Array:
    """Return a new 64-byte aligned array that `variance_scaling_` has filled.

    Parameters
    ----------
    shape : int or sequence of int
        The global shape.
    scale, mode, law, layout, groups, transposed, batch_axes, parts, fan_in, fan_out : optional
        See `variance_scaling_`.
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
        As for `variance_scaling_`, `empty` and `fill_`, or if `shape` isn't that of the region.

    Examples
    --------
    >>> import fanfill as ff
    >>> ff.variance_scaling((64, 32), 2.0, "fan_avg", "uniform", seed=7).shape
    (64, 32)
    """
    fan = FanChoice(mode, layout, groups, transposed, batch_axes, parts, fan_in, fan_out)
    scaled = fan.law(law, _root(scale), as_shape(shape))
    out = empty_for(shape, dtype, region)
    fill_memory(memory_of(out), scaled, seed, key, region, threads)
    return out


# The fields of a `FanChoice` before it is known whether it will be needed.
Choice: TypeAlias = tuple[
    Mode, Layout, int, bool, "Sequence[int]", "Parts | None", "float | None", "float | None"
]


class FanChoice(NamedTuple):
    """Which fan of a shape an initializer takes."""

    mode: Mode
    layout: Layout
    groups: int
    transposed: bool
    batch_axes: Sequence[int]
    parts: Parts | None
    fan_in: float | None
    fan_out: float | None

    def law(self, distribution: str, gain: float, shape: tuple[int, ...]) -> Law | FusedLaw:
        """Return the law of mean 0 and std gain / sqrt(fan) for a tensor of this global shape.

        Where it has parts and their scales differ, that is one law for each part.
        """
        found = fans(
            shape,
            layout=self.layout,
            groups=self.groups,
            transposed=self.transposed,
            batch_axes=self.batch_axes,
            parts=self.parts,
            fan_in=self.fan_in,
            fan_out=self.fan_out,
        )
        if isinstance(found, Fans):
            return _law(distribution, gain, fan_of_mode(found, self.mode))
        laws = tuple(_law(distribution, gain, fan_of_mode(both, self.mode)) for both in found)
        if len(set(laws)) == 1:
            return laws[0]
        axis = part_axis(shape, self.layout, self.transposed, self.batch_axes)
        return FusedLaw(laws, axis, tuple(part_sizes(shape[axis], self.parts)))


def fill_scaled(
    out: Any,
    distribution: str,
    gain: float,
    choice: Choice,
    seed: Seed,
    key: Key,
    region: Region | None,
    dtype: DTypeLike | None,
    threads: int | None,
) -> None:
    """Fill the argument `out` with the law of mean 0 and std gain / sqrt(fan), the fan chosen by `choice`."""
    if region is None and dtype is None:
        usual = _plain_law(out, distribution, gain, choice)
        if usual is not None and fill_plain(out, usual, key, seed, threads):
            return
    memory = memory_of(out, "out", dtype)
    law = FanChoice._make(choice).law(distribution, gain, global_shape(memory, region))
    fill_memory(memory, law, seed, key, region, threads)


def _plain_law(out: Any, distribution: str, gain: float, choice: Choice) -> Law | None:
    """Return the law if all is as it mostly is; what is wrong with an argument, the long road finds out."""
    mode, layout, groups, transposed, batch_axes, parts, fan_in, fan_out = choice
    if (
        type(groups) is int
        and groups == 1
        and transposed is False
        and type(batch_axes) is tuple
        and not batch_axes
        and parts is fan_in is fan_out is None
    ):
        shape = plain_shape(out)
        if shape is not None:
            try:
                return _remembered(distribution, gain, mode, layout, shape)
            except (TypeError, ValueError):
                return None
    return None


# Models repeat a handful of shapes, and to find the law of one takes several times as long as to fill a bias.
@functools.lru_cache(maxsize=1024)
def _remembered(distribution: str, gain: float, mode: Mode, layout: Layout, shape: tuple[int, ...]) -> Law:
    return _law(distribution, gain, fan_of_mode(fans(shape, layout=layout), mode))


def _law(distribution: str, gain: float, fan: float) -> Law:
    if distribution not in ("normal", "truncated_normal", "uniform"):
        raise ValueError(f"law must be 'normal', 'truncated_normal' or 'uniform', not {distribution!r}")
    if fan == 0.0:  # an axis of extent 0: whatever the scale, there is no element
        return Constant(0.0)
    std = gain / math.sqrt(fan)
    if distribution == "normal":
        return Normal(0.0, std)
    if distribution == "truncated_normal":
        return TruncatedNormal(0.0, std, correct_variance=True)
    limit = math.sqrt(3.0) * std
    return Uniform(-limit, limit)


def global_shape(memory: Memory, region: Region | None) -> tuple[int, ...]:
    """Return the global shape, which is what the fans come from."""
    return region.shape if isinstance(region, Region) else memory.shape


def _root(scale: Any) -> float:
    value = as_real(scale, "scale")
    if not 0.0 < value < math.inf:
        raise ValueError(
            f"scale must be positive and finite, not {value}; fill_ with Constant(0.0) gives zeros"
        )
    return math.sqrt(value)
