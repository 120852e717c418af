"""Knows what stands for a workload made ready: a function that does it, and what it has drawn.

It must not know libraries or clocks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .workload import Workload

__all__ = ["Entry", "Fill"]


@dataclass(frozen=True)
class Entry:
    """One thing to be timed: a library, one of its ways, and a workload."""

    rival: str
    way: str
    workload: Workload

    def __str__(self) -> str:
        """Return library and way."""
        return f"{self.rival} {self.way}".strip()


@dataclass(frozen=True)
class Fill:
    """A workload made ready.

    Parameters
    ----------
    run : callable
        ``run(n)`` does it `n` times.
    values : callable
        Returns values of the last result, or None where there is no law that they could follow.
    keep : object
        What must live as long.
    has_threads : bool
        Whether other threads than the caller's do the work.
    """

    run: Callable[[int], None]
    values: Callable[[], np.ndarray[Any, Any] | None]
    keep: Any = field(default=None, repr=False)
    has_threads: bool = False
