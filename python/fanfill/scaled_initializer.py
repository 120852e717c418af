"""Knows the initializers of He, Glorot and LeCun: which fan and which gain each takes by default.

It must not know how a fan and a gain give a law, nor how a law is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from .dtype import DTypeLike
from .fan import Layout, Mode, Parts
from .fill import fill_memory
from .gain import chosen_gain
from .gain import gain as gain_of
from .initializer import Array, Shape, empty_for
from .memory import memory_of
from .region import Region, as_shape
from .stream import Key, Seed
from .variance_scaling import Distribution, FanChoice, fill_scaled

T = TypeVar("T")


class InPlace(Protocol):
    """What each of `he_normal_`, `glorot_uniform_` and their like is."""

    def __call__(
        self,
        out: T,
        *,
        mode: Mode = ...,
        nonlinearity: str | None = None,
        param: float | None = None,
        gain: float | None = None,
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
        """Fill `out` and return it."""


class New(Protocol):
    """What each of `he_normal`, `glorot_uniform` and their like is."""

    def __call__(
        self,
        shape: Shape,
        *,
        dtype: DTypeLike = "float32",
        mode: Mode = ...,
        nonlinearity: str | None = None,
        param: float | None = None,
        gain: float | None = None,
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
        """Return a new, filled array."""


class _Family(NamedTuple):
    """What He's, Glorot's and LeCun's initializers differ in."""

    title: str
    mode: Mode
    nonlinearity: str
    source: str


_HE = _Family(
    "He",
    "fan_in",
    "relu",
    'K. He, X. Zhang, S. Ren, J. Sun, "Delving Deep into Rectifiers: Surpassing Human-Level Performance on\n'
    '    ImageNet Classification", 2015.',
)
_GLOROT = _Family(
    "Glorot",
    "fan_avg",
    "linear",
    'X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks",\n'
    "    2010.",
)
_LECUN = _Family(
    "LeCun",
    "fan_in",
    "linear",
    'Y. LeCun, L. Bottou, G. B. Orr, K.-R. Müller, "Efficient BackProp", 1998.',
)
_LAWS: dict[Distribution, str] = {
    "normal": (
        "The law is the plain normal, as in the paper and in torch; Keras and JAX give this name to the\n"
        "    truncated one."
    ),
    "truncated_normal": (
        "The law is the normal cut at 2 sigma, with its variance corrected for the cut: what Keras and JAX\n"
        "    call the normal."
    ),
    "uniform": r"The law is the uniform on :math:`\pm\sqrt 3\,\mathrm{std}`.",
}

_IN_PLACE_DOC = r"""Fill `out` at {title}'s scale: mean 0, :math:`\mathrm{{std}} = \mathrm{{gain}} / \sqrt n`.

    {law}

    Parameters
    ----------
    out : array, tensor or buffer
        See `fill_`.
    mode : {{"fan_in", "fan_out", "fan_avg", "fan_geo_avg"}}, default "{mode}"
        Which fan n is: in, out, their arithmetic or their geometric mean.
    nonlinearity : str, optional
        What follows the layer; see `gain`. Default "{nonlinearity}".
    param : float, optional
        The slope of "leaky_relu".
    gain : float, optional
        The gain itself, instead of `nonlinearity`. Positive.
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
        As for `gain`, `fans` and `fill_`, or if both gain and nonlinearity are given. On an error `out` is
        unchanged.

    References
    ----------
    {source}

    Examples
    --------
    >>> import numpy as np, fanfill as ff
    >>> weight = ff.{name}(np.empty((64, 32), np.float32), seed=7, key="weight")
    """
_NEW_DOC = """Return a new 64-byte aligned array that `{name}_` has filled.

    Parameters
    ----------
    shape : int or sequence of int
        The global shape.
    mode, nonlinearity, param, gain, layout, groups, transposed, batch_axes, parts, fan_in, fan_out : optional
        See `{name}_`.
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
        As for `{name}_`, `empty` and `fill_`, or if `shape` isn't that of the region.

    Examples
    --------
    >>> import fanfill as ff
    >>> ff.{name}((64, 32), seed=7).shape
    (64, 32)
    """


def _named(function: Any, name: str, doc: str) -> Any:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


def _in_place(name: str, family: _Family, distribution: Distribution) -> InPlace:
    """Return the in-place initializer of a family and a law."""
    usual_gain = gain_of(family.nonlinearity)

    def fill(
        out: T,
        *,
        mode: Mode = family.mode,
        nonlinearity: str | None = None,
        param: float | None = None,
        gain: float | None = None,
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
        if gain is None and nonlinearity is None and param is None:
            scale = usual_gain
        else:
            scale = chosen_gain(gain, nonlinearity, param, family.nonlinearity)
        choice = mode, layout, groups, transposed, batch_axes, parts, fan_in, fan_out
        fill_scaled(out, distribution, scale, choice, seed, key, region, dtype, threads)
        return out

    doc = _IN_PLACE_DOC.format(name=name, law=_LAWS[distribution], **family._asdict())
    return _named(fill, name, doc)  # type: ignore[no-any-return]


def _new(name: str, family: _Family, distribution: Distribution) -> New:
    """Return the shape-returning initializer of a family and a law."""

    def fill(
        shape: Shape,
        *,
        dtype: DTypeLike = "float32",
        mode: Mode = family.mode,
        nonlinearity: str | None = None,
        param: float | None = None,
        gain: float | None = None,
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
        scale = chosen_gain(gain, nonlinearity, param, family.nonlinearity)
        fan = FanChoice(mode, layout, groups, transposed, batch_axes, parts, fan_in, fan_out)
        scaled = fan.law(distribution, scale, as_shape(shape))
        out = empty_for(shape, dtype, region)
        fill_memory(memory_of(out), scaled, seed, key, region, threads)
        return out

    return _named(fill, name, _NEW_DOC.format(name=name))  # type: ignore[no-any-return]


he_normal_ = _in_place("he_normal_", _HE, "normal")
he_truncated_normal_ = _in_place("he_truncated_normal_", _HE, "truncated_normal")
he_uniform_ = _in_place("he_uniform_", _HE, "uniform")
glorot_normal_ = _in_place("glorot_normal_", _GLOROT, "normal")
glorot_truncated_normal_ = _in_place("glorot_truncated_normal_", _GLOROT, "truncated_normal")
glorot_uniform_ = _in_place("glorot_uniform_", _GLOROT, "uniform")
lecun_normal_ = _in_place("lecun_normal_", _LECUN, "normal")
lecun_truncated_normal_ = _in_place("lecun_truncated_normal_", _LECUN, "truncated_normal")
lecun_uniform_ = _in_place("lecun_uniform_", _LECUN, "uniform")

he_normal = _new("he_normal", _HE, "normal")
he_truncated_normal = _new("he_truncated_normal", _HE, "truncated_normal")
he_uniform = _new("he_uniform", _HE, "uniform")
glorot_normal = _new("glorot_normal", _GLOROT, "normal")
glorot_truncated_normal = _new("glorot_truncated_normal", _GLOROT, "truncated_normal")
glorot_uniform = _new("glorot_uniform", _GLOROT, "uniform")
lecun_normal = _new("lecun_normal", _LECUN, "normal")
lecun_truncated_normal = _new("lecun_truncated_normal", _LECUN, "truncated_normal")
lecun_uniform = _new("lecun_uniform", _LECUN, "uniform")

kaiming_normal_, kaiming_normal = he_normal_, he_normal
kaiming_truncated_normal_, kaiming_truncated_normal = he_truncated_normal_, he_truncated_normal
kaiming_uniform_, kaiming_uniform = he_uniform_, he_uniform
xavier_normal_, xavier_normal = glorot_normal_, glorot_normal
xavier_truncated_normal_, xavier_truncated_normal = glorot_truncated_normal_, glorot_truncated_normal
xavier_uniform_, xavier_uniform = glorot_uniform_, glorot_uniform

# What each name above means: the law, the fan, and the nonlinearity whose gain it takes.
SCALES: dict[str, tuple[Distribution, Mode, str]] = {
    f"{name}_{distribution}": (distribution, family.mode, family.nonlinearity)
    for name, family in (
        *(("he", _HE), ("kaiming", _HE)),
        *(("glorot", _GLOROT), ("xavier", _GLOROT)),
        ("lecun", _LECUN),
    )
    for distribution in _LAWS
}
