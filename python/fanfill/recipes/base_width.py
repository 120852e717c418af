"""Knows which widths a base model may have that a scheme scales against.

It must not know any scheme.
"""

from __future__ import annotations

from typing import Any

from ..number import as_int

__all__ = ["positive_width"]


def positive_width(value: Any) -> int:
    """Return the base width as an int, or raise if it is none or below 1."""
    width = as_int(value, "base_width")
    if width < 1:
        raise ValueError(f"base_width must be at least 1, not {width}")
    return width
