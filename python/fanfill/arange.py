"""Knows the law of evenly spaced values and its parameters; it must not know how the core computes them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from .law import Law, LawTuple
from .number import as_finite

__all__ = ["Arange"]

# The core's LawKind and ValueMap.
_ARANGE = 5
_IDENTITY, _LOG = 0, 1

_MOST_VALUES = 2**53
_SMALLEST_NORMAL = 2.0**-1022


@dataclass(frozen=True, slots=True, eq=False)
class Arange(Law):
    r"""Evenly spaced values instead of random ones, again and again: ``arange(start, stop, step)`` repeated.

    Element i of the tensor, counted in row-major order, is

    .. math:: \mathrm{start} + \mathrm{step} \cdot (i \bmod n), \quad
              n = \lceil (\mathrm{stop} - \mathrm{start}) / \mathrm{step} \rceil

    or with `log` its natural logarithm. With n the extent of the last axis, every row is that range: the
    ``A_log`` of a state-space model of 16 states is ``Arange(1, 17, log=True)`` (Gu, Gupta, Goel and Ré,
    2022, On the Parameterization and Initialization of Diagonal State Space Models, S4D-Real).

    Parameters
    ----------
    start, stop : float
        Finite; the values go from start up to, but not including, stop.
    step : float, optional
        Finite, not 0, and towards stop. With a step that is no whole number, n may be off by one, as in
        NumPy.
    log : bool, optional
        The logarithms of these values, which must then be positive.

    Raises
    ------
    TypeError
        If a parameter is no real number, or log no bool.
    ValueError
        If the range is empty, or longer than 2^53, or log is asked for values that are not positive.

    Notes
    -----
    A value depends on neither seed nor key. It depends on the index in the global tensor, so a shard has the
    values that the whole tensor has there.

    Examples
    --------
    >>> import numpy as np, fanfill as ff
    >>> ff.fill_(np.empty((2, 4), np.float32), ff.Arange(1, 5), seed=7, key="A")
    array([[1., 2., 3., 4.],
           [1., 2., 3., 4.]], dtype=float32)
    """

    start: float
    stop: float
    step: float = 1.0
    log: bool = False
    name: ClassVar[str] = "arange"

    def __post_init__(self) -> None:
        for member in ("start", "stop", "step"):
            object.__setattr__(self, member, as_finite(getattr(self, member), member))
        if not isinstance(self.log, bool):
            raise TypeError(f"log must be a bool, not {self.log!r}")
        if self.step == 0.0 or not (self.stop - self.start) / self.step > 0.0:
            raise ValueError(
                f"start, stop, step must give at least one value, not start={self.start}, stop={self.stop}, "
                f"step={self.step}"
            )
        if (self.stop - self.start) / self.step > _MOST_VALUES:
            raise ValueError(f"start, stop, step must give at most 2^53 values, not {self!r}")
        last = self.start + (self.period - 1) * self.step
        if self.log and min(self.start, last) < _SMALLEST_NORMAL:
            raise ValueError(f"log needs values that are positive normal float64, not {self.start} to {last}")

    @property
    def period(self) -> int:
        """Number of values before they repeat."""
        return math.ceil((self.stop - self.start) / self.step)

    def _core_tuple(self) -> LawTuple:
        drawn = _LOG if self.log else _IDENTITY
        return (_ARANGE, 0.0, 0.0, self.start, 0.0, 0, False, drawn, 0.0, self.step, self.period)

    def _blamed(self, status: int) -> str:
        return "start, stop"
