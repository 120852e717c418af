"""Knows the slope of a function that comes without one: central differences, and whether they hold.

It must not know activations by name, nor laws but to average over them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from ..law import Law, Normal
from .expectation import expectation

__all__ = ["Differences", "mean_square_slope"]

Floats: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"

# The step that balances the rule's error, step^2, and rounding, epsilon / step.
_STEP = float(np.finfo(np.float64).eps) ** (1 / 3)
_SAME = 1e-3  # mean squares by one step and by four differ by less, where differences mean anything


class Differences:
    """The slope of a function by central differences.

    Parameters
    ----------
    function : callable
        From a float64 array to one of its shape.
    step : float, optional
        Beside 1, or beside z where that is larger.

    Examples
    --------
    >>> import numpy as np
    >>> from fanfill.signal.differences import Differences
    >>> Differences(np.square)(np.array([3.0])).round(6).tolist()
    [6.0]
    """

    def __init__(self, function: Callable[[Floats], Floats], step: float = _STEP) -> None:
        self.function = function
        self.step = step

    def __call__(self, z: Floats) -> Floats:
        """Return the slope at z."""
        step = np.maximum(self.step, _STEP * np.abs(z))
        right, left = z + step, z - step
        rise: Floats = np.subtract(self.function(right), self.function(left), dtype=np.float64)
        slope: Floats = rise / (right - left)
        return slope

    def at_scale(self, scale: float) -> Differences:
        """Return the slope for arguments of this size.

        Small ones take a small step, so that a corner at 0 is still seen. Only a function that is 0 at 0 has
        values, and so rounding errors, that shrink with its argument.
        """
        if not 0.0 < scale < 1.0 or float(np.asarray(self.function(np.zeros(1)))[0]) != 0.0:
            return self
        return Differences(self.function, self.step * scale)

    def wider(self) -> Differences:
        """Return the slope by a step four times as large."""
        return Differences(self.function, 4.0 * self.step)


def mean_square_slope(slope: Any, law: Law, name: str, tolerance: float) -> float:
    """Return E[slope(z)^2] for z of a law.

    Raises
    ------
    TypeError, ValueError
        If `expectation` does, or `slope` is by differences and another step gives another mean.
    """
    if isinstance(slope, Differences) and isinstance(law, Normal):
        slope = slope.at_scale(law.std)
    mean = expectation(lambda z: slope(z) ** 2, law, name, tolerance=tolerance)
    if isinstance(slope, Differences):
        wider = slope.wider()
        other = expectation(lambda z: wider(z) ** 2, law, name, tolerance=tolerance)
        if not math.isclose(mean, other, rel_tol=_SAME):
            raise ValueError(
                f"{name} can't be had from differences: the function jumps or is too steep somewhere; give "
                "derivative="
            )
    return mean
