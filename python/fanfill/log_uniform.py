"""Knows the log-uniform law and its parameters; it must not know how the core turns a word into a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from . import _core
from .law import Law, LawTuple
from .number import as_finite

__all__ = ["LogUniform"]

# The core's LawKind and ValueMap.
_LOG_UNIFORM = 4
_IDENTITY, _INVERSE_SOFTPLUS = 0, 2

_SMALLEST_NORMAL = 2.0**-1022


@dataclass(frozen=True, slots=True, eq=False)
class LogUniform(Law):
    r"""The law on [low, high] whose logarithm is uniform: its density is proportional to 1/x.

    .. math:: x = \max(\mathrm{low}\,(\mathrm{high}/\mathrm{low})^u,\ \mathrm{floor}), \quad u \sim U(0, 1)

    and with `inverse_softplus` :math:`y = \ln(e^x - 1)`, so that :math:`\mathrm{softplus}(y) = x`: the bias
    of the step size of a state-space model (Gu and Dao, 2023, Mamba: Linear-Time Sequence Modeling with
    Selective State Spaces), drawn with low 0.001, high 0.1 and floor 1e-4.

    Parameters
    ----------
    low, high : float
        Finite, 0 < low < high.
    floor : float, optional
        What would be less becomes this: not negative, below high. At or below `low` it changes nothing.
    inverse_softplus : bool, optional
        Draw the number whose softplus is log-uniform.

    Raises
    ------
    TypeError
        If a bound or the floor is no real number, or inverse_softplus no bool.
    ValueError
        If low is not positive and below high, or floor is negative or not below high.

    Notes
    -----
    Every value lies within the interval, or with `inverse_softplus` within its image, in every dtype.
    ``scipy.stats.loguniform(low, high)`` is the same law without floor.

    Examples
    --------
    >>> import numpy as np, fanfill as ff
    >>> law = ff.LogUniform(0.001, 0.1, inverse_softplus=True)
    >>> bias = ff.fill_(np.empty(1000), law, seed=7, key="mixer.dt_proj.bias")
    >>> step = np.log1p(np.exp(bias))
    >>> bool(step.min() >= 0.001 and step.max() <= 0.1)
    True
    """

    low: float
    high: float
    floor: float = 0.0
    inverse_softplus: bool = False
    name: ClassVar[str] = "log_uniform"

    def __post_init__(self) -> None:
        for member in ("low", "high", "floor"):
            object.__setattr__(self, member, as_finite(getattr(self, member), member))
        if not 0.0 < self.low < self.high:
            raise ValueError(f"low must be above 0 and below high, not low={self.low}, high={self.high}")
        if self.low < _SMALLEST_NORMAL:
            raise ValueError(f"low must be at least 2^-1022, the smallest normal float64, not {self.low}")
        if not 0.0 <= self.floor < self.high:
            raise ValueError(f"floor must be in [0, high), not {self.floor}; 0 is none")
        if not isinstance(self.inverse_softplus, bool):
            raise TypeError(f"inverse_softplus must be a bool, not {self.inverse_softplus!r}")

    def _core_tuple(self) -> LawTuple:
        drawn = _INVERSE_SOFTPLUS if self.inverse_softplus else _IDENTITY
        return (_LOG_UNIFORM, 0.0, 0.0, self.low, self.high, 0, False, drawn, self.floor, 0.0, 0)

    def _blamed(self, status: int) -> str:
        return "high" if status == _core.BAD_MEAN else "low, high"
