"""Knows the laws that values can follow, as frozen and validated parameters.

It must not know memory, keys, fans, or how the core turns a word into a value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar, Literal, TypeAlias

from . import _core
from .dtype import DType
from .number import as_finite, as_real

__all__ = ["Constant", "Law", "Normal", "TruncatedNormal", "Uniform"]

# Kind, mean, std, low, high, unit, correct_variance; then map, floor, step and period where a law has such.
LawTuple: TypeAlias = (
    tuple[int, float, float, float, float, int, bool]
    | tuple[int, float, float, float, float, int, bool, int, float, float, int]
)
Unit: TypeAlias = Literal["sigma", "absolute"]

# The core's LawKind and BoundUnit.
_CONSTANT, _UNIFORM, _NORMAL, _TRUNCATED_NORMAL = range(4)
_UNITS = {"absolute": 0, "sigma": 1}

_LAWS: dict[str, type[Law]] = {}  # by name, as the classes are made


def _std(value: Any) -> float:
    std = as_finite(value, "std")
    if std < 0.0:
        raise ValueError(f"std must not be negative, not {std}")
    return std


def normal_tuple(mean: float, std: float) -> LawTuple:
    """Return `Normal` as the core takes it, of parameters that nobody has checked."""
    return (_NORMAL, mean, std, 0.0, 0.0, 0, False)


def uniform_tuple(low: float, high: float) -> LawTuple:
    """Return `Uniform` as the core takes it, of parameters that nobody has checked."""
    return (_UNIFORM, 0.0, 0.0, low, high, 0, False)


class Law:
    """What all laws share: a name, equality by value, and a dictionary form.

    A law is a value: frozen, hashable, picklable, with a repr that evaluates to an equal law. Equal laws give
    equal bits, so 0.0 and -0.0 are different parameters. Use one of
    `Normal`, `Uniform`, `TruncatedNormal`, `Constant`, `LogUniform` and `Arange`; this class itself has no
    values to draw.
    """

    __slots__ = ()
    __match_args__: ClassVar[tuple[str, ...]] = ()  # the names of the parameters, as dataclass sets them
    name: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        _LAWS[cls.name] = cls  # a second time when dataclass makes the class anew with slots

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.__match_args__)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Law) or type(self) is not type(other):
            return NotImplemented
        own, its = self._values(), other._values()
        # Python takes 0.0 and -0.0 for one number, but they are other bits in memory and in a plan's hash.
        return own == its and repr(own) == repr(its)

    def __hash__(self) -> int:
        return hash((self.name, self._values()))

    def _core_tuple(self) -> LawTuple:
        names = ", ".join(law.__name__ for law in _LAWS.values())
        raise TypeError(f"law: use one of {names}")

    def check(self, dtype: DType) -> None:
        """Raise if the law cannot be drawn in this element type.

        Raises
        ------
        ValueError
            If no value of the dtype lies in the interval, the bounds lie beyond 37 sigma, or a parameter
            leaves the range of the arithmetic in which the dtype's values are computed.
        """
        complaint = self.complaint(dtype)
        if complaint is not None:
            raise ValueError(complaint)

    def complaint(self, dtype: DType) -> str | None:
        """Return why the law cannot be drawn in this element type, with the parameter at fault, or None."""
        status = _core.check_law(self._core_tuple(), dtype.code)
        if status == _core.OK:
            return None
        message = _core.message(status)
        message = message[0].lower() + message[1:]  # it follows a colon
        return f"{self._blamed(status)}: {message} ({self!r} as {dtype.name})"

    def _blamed(self, status: int) -> str:
        """Name the parameter that a status of the core complains about."""
        interval = "low, high" if isinstance(self, Uniform) else "bounds"
        location = {Constant: "value", Uniform: interval}.get(type(self), "mean")
        named = {
            _core.BAD_STD: "std",
            _core.BAD_MEAN: location,
            _core.EMPTY_INTERVAL: interval,
            _core.TOO_NARROW: interval,
            _core.BOUNDS_TOO_FAR: interval,
            _core.NOT_SYMMETRIC: "bounds",
        }
        return named.get(status, "law")

    def to_dict(self) -> dict[str, Any]:
        """Return the law as plain JSON types: its name under ``"law"`` and its parameters.

        An infinite bound is written as None, which JSON has and infinity is not.
        """
        entries: dict[str, Any] = {"law": self.name}
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            entries[field.name] = [_or_none(v) for v in value] if isinstance(value, tuple) else value
        return entries

    @classmethod
    def from_dict(cls, entries: Mapping[str, Any]) -> Law:
        """Return the law that `to_dict` wrote.

        Parameters
        ----------
        entries : mapping
            ``{"law": name, **parameters}``; called on a law's own class, the name must be that law's.

        Raises
        ------
        TypeError, ValueError
            If `entries` is no mapping, the name or a parameter is unknown, one is missing, or the law refuses
            its value.
        """
        if not isinstance(entries, Mapping):
            raise TypeError(f"law must be a mapping, as Law.to_dict writes it, not {entries!r}")
        parameters = dict(entries)
        name = parameters.pop("law", None)
        law = _LAWS.get(name) if isinstance(name, str) else None
        if law is None or not issubclass(law, cls):
            names = ", ".join(key for key, value in _LAWS.items() if issubclass(value, cls))
            raise ValueError(f"law: {name!r} is not one of {names}")
        known = {field.name: field.default is MISSING for field in fields(law)}  # type: ignore[arg-type]
        if not parameters.keys() <= known.keys():
            unknown = ", ".join(sorted(map(str, parameters.keys() - known.keys())))
            raise ValueError(f"law: {name} has no parameter {unknown}; it has {', '.join(sorted(known))}")
        missing = [own for own, is_required in known.items() if is_required and own not in parameters]
        if missing:
            raise ValueError(f"law: {name} lacks {', '.join(missing)}")
        if isinstance(parameters.get("bounds"), (list, tuple)):
            parameters["bounds"] = _from_none(parameters["bounds"])
        return law(**parameters)


@dataclass(frozen=True, slots=True, eq=False)
class Normal(Law):
    r"""The normal law :math:`N(\mathrm{mean}, \mathrm{std}^2)`, exact to 9 sigma.

    Parameters
    ----------
    mean : float, optional
        Finite.
    std : float, optional
        Standard deviation, finite and not negative; 0 gives the mean everywhere.

    Raises
    ------
    TypeError
        If a parameter is no real number.
    ValueError
        If a parameter is not finite or std is negative.

    Examples
    --------
    >>> import fanfill as ff
    >>> ff.Normal(std=0.02)
    Normal(mean=0.0, std=0.02)
    """

    mean: float = 0.0
    std: float = 1.0
    name: ClassVar[str] = "normal"

    def __post_init__(self) -> None:
        mean, std = self.mean, self.std
        if type(mean) is type(std) is float and -math.inf < mean < math.inf and 0.0 <= std < math.inf:
            return  # as nearly always; what follows takes longer than to fill a bias
        object.__setattr__(self, "mean", as_finite(mean, "mean"))
        object.__setattr__(self, "std", _std(std))

    def _core_tuple(self) -> LawTuple:
        return normal_tuple(self.mean, self.std)


@dataclass(frozen=True, slots=True, eq=False)
class Uniform(Law):
    """The uniform law on the half-open interval [low, high).

    Parameters
    ----------
    low, high : float, optional
        Finite, low < high. An interval symmetric about zero leaves out both of its ends.

    Raises
    ------
    TypeError
        If a parameter is no real number.
    ValueError
        If a parameter is not finite, or low >= high.

    Notes
    -----
    A value is low + (high - low) (w + 1/2) / 2^31 of 31 random bits w (float64: 63), rounded once to float32
    or float64. An interval symmetric about zero has a faster form, which rounds twice: its last bit is no
    fair coin.

    Examples
    --------
    >>> import fanfill as ff
    >>> ff.Uniform(-0.1, 0.1)
    Uniform(low=-0.1, high=0.1)
    """

    low: float = 0.0
    high: float = 1.0
    name: ClassVar[str] = "uniform"

    def __post_init__(self) -> None:
        object.__setattr__(self, "low", as_finite(self.low, "low"))
        object.__setattr__(self, "high", as_finite(self.high, "high"))
        if not self.low < self.high:
            raise ValueError(f"low must be below high, not low={self.low}, high={self.high}")

    def _core_tuple(self) -> LawTuple:
        return uniform_tuple(self.low, self.high)


@dataclass(frozen=True, slots=True, eq=False)
class TruncatedNormal(Law):
    r"""The normal law :math:`N(\mathrm{mean}, \mathrm{std}^2)` restricted to an interval.

    Parameters
    ----------
    mean : float, optional
        Mean before truncation. Finite.
    std : float, optional
        Standard deviation before truncation, finite and not negative.
    bounds : (float, float), optional
        Lower and upper bound; one or both may be infinite.
    unit : {"sigma", "absolute"}, optional
        Whether the bounds are multiples of std around the mean (JAX, TensorFlow, timm's ``trunc_normal_tf_``)
        or values (torch).
    correct_variance : bool, optional
        Scale so that the truncated law itself has standard deviation `std`, as the ``he_normal`` of Keras and
        JAX does; the bounds scale along. For finite symmetric sigma bounds only.

    Raises
    ------
    TypeError
        If a parameter is no real number.
    ValueError
        If mean or std is not finite, std is negative, the bounds are not ascending, or correct_variance is
        asked for with other than finite symmetric sigma bounds.

    Examples
    --------
    >>> import fanfill as ff
    >>> ff.TruncatedNormal(std=0.02, bounds=(-3, 3))
    TruncatedNormal(mean=0.0, std=0.02, bounds=(-3.0, 3.0), unit='sigma', correct_variance=False)
    """

    mean: float = 0.0
    std: float = 1.0
    bounds: tuple[float, float] = (-2.0, 2.0)
    unit: Unit = "sigma"
    correct_variance: bool = False
    name: ClassVar[str] = "truncated_normal"

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", as_finite(self.mean, "mean"))
        object.__setattr__(self, "std", _std(self.std))
        object.__setattr__(self, "bounds", _bounds(self.bounds))
        unit: object = self.unit
        if not isinstance(unit, str) or unit not in _UNITS:
            raise ValueError(f"unit must be 'sigma' or 'absolute', not {self.unit!r}")
        if not isinstance(self.correct_variance, bool):
            raise TypeError(f"correct_variance must be a bool, not {self.correct_variance!r}")
        low, high = self.bounds
        if self.correct_variance and (self.unit != "sigma" or low != -high or math.isinf(high)):
            raise ValueError(
                f"correct_variance is defined for finite symmetric sigma bounds only, not "
                f"bounds={self.bounds}, unit={self.unit!r}; leave it off and scale std yourself"
            )

    def __repr__(self) -> str:
        low, high = map(_evaluable, self.bounds)
        return (
            f"TruncatedNormal(mean={self.mean!r}, std={self.std!r}, bounds=({low}, {high}), "
            f"unit={self.unit!r}, correct_variance={self.correct_variance!r})"
        )

    def _core_tuple(self) -> LawTuple:
        low, high = self.bounds
        return (_TRUNCATED_NORMAL, self.mean, self.std, low, high, _UNITS[self.unit], self.correct_variance)


@dataclass(frozen=True, slots=True, eq=False)
class Constant(Law):
    """Every value the same.

    Parameters
    ----------
    value : float
        Finite; rounded once to the dtype of the memory.

    Raises
    ------
    TypeError
        If the value is no real number.
    ValueError
        If the value is not finite.

    Examples
    --------
    >>> import fanfill as ff
    >>> ff.Constant(1)
    Constant(value=1.0)
    """

    value: float
    name: ClassVar[str] = "constant"

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", as_finite(self.value, "value"))

    def _core_tuple(self) -> LawTuple:
        return (_CONSTANT, self.value, 0.0, 0.0, 0.0, 0, False)


def _bounds(value: Any) -> tuple[float, float]:
    try:
        low, high = value
    except (TypeError, ValueError):
        raise TypeError(f"bounds must be a pair (low, high), not {value!r}") from None
    pair = as_real(low, "bounds[0]"), as_real(high, "bounds[1]")
    if not pair[0] < pair[1]:
        raise ValueError(f"bounds must ascend, not {pair}")
    return pair


def _evaluable(bound: float) -> str:
    """Return what evaluates to the bound: ``inf`` alone is no name of Python's."""
    return repr(bound) if math.isfinite(bound) else f"float({str(bound)!r})"


def _or_none(value: float) -> float | None:
    return None if math.isinf(value) else value


def _from_none(bounds: Any) -> tuple[Any, ...]:
    infinite = (-math.inf, math.inf)
    return tuple(infinite[i] if i < 2 and bound is None else bound for i, bound in enumerate(bounds))
