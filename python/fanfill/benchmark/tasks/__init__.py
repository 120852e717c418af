"""Knows the list of tasks and what each module of this package must offer.

It must not know libraries, clocks or reports.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from ..workload import Workload

__all__ = ["TASKS", "Match", "Scale", "Task", "load"]

# The order is that of the report; each is a module of this package.
TASKS = ("laws", "isa", "sizes", "memory", "threads", "regions", "small", "models", "words")


@dataclass(frozen=True)
class Scale:
    """How large this run may be.

    Parameters
    ----------
    size : int
        Bytes of a large buffer.
    most : int
        Bytes that no fill may exceed.
    threads : int
        The most threads that are tried.
    """

    size: int
    most: int
    threads: int


@dataclass(frozen=True)
class Match:
    """fanfill's workload against a rival's.

    Parameters
    ----------
    left, right : Workload
    quantity : {"values", "bytes"}
        What the ratio counts per second.
    left_way, right_way : str
        fanfill's way, by default its first; the rival's, by default all, or the best two of many.
    """

    left: Workload
    right: Workload
    quantity: str = "values"
    left_way: str = ""
    right_way: str = ""


class Task(Protocol):
    """What each module of this package has."""

    SUMMARY: str  # what it shows, in a line
    RIVALS: tuple[str, ...]
    ONE_CPU: bool  # whether the process is bound to one, as all its fills take one thread
    ROUNDS: int  # the least

    def matches(self, rival: str, scale: Scale) -> Sequence[Match]:
        """List what is to be compared with a rival; "fanfill" compares it with itself."""


def load(name: str) -> Task:
    """Import a task."""
    found: Any = import_module(f"{__name__}.{name}")
    return found  # type: ignore[no-any-return]
