"""Knows how the package reads a plain number from a caller: what is real, what is integer, what is neither.

It must not know what the numbers are for.
"""

from __future__ import annotations

import math
import numbers
import operator
from typing import Any

__all__ = ["as_finite", "as_int", "as_real"]


def as_real(value: Any, name: str) -> float:
    """Return `value` as a float that is not NaN; refuse booleans, strings and arrays."""
    if type(value) is not float:
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise TypeError(f"{name} must be a real number, not {type(value).__name__}: {value!r}")
        try:
            value = float(value)
        except OverflowError as error:
            raise ValueError(f"{name} is beyond the range of float64") from error
    if math.isnan(value):
        raise ValueError(f"{name} is NaN; give a number")
    return float(value)


def as_finite(value: Any, name: str) -> float:
    """Return `value` as a finite float; refuse booleans, strings and arrays."""
    if type(value) is float and math.isfinite(value):
        return value
    real = as_real(value, name)
    if math.isinf(real):
        raise ValueError(f"{name} must be finite, not {real}")
    return real


def as_int(value: Any, name: str) -> int:
    """Return `value` as an int; refuse booleans, floats and strings."""
    if type(value) is int:
        return value
    if isinstance(value, bool) or type(value).__name__ in ("bool", "bool_"):
        raise TypeError(f"{name} must be an integer, not a boolean")
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, not {type(value).__name__}: {value!r}") from None
