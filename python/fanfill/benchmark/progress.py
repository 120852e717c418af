"""Knows the bar that shows how far a benchmark is.

It must not know what is measured.
"""

from __future__ import annotations

from ..progress import Progress

__all__ = ["BenchmarkProgress"]


class BenchmarkProgress(Progress):
    """One line on stderr: the share of the pairs of task and rival, what is being run, and the time left."""

    def __init__(self) -> None:
        super().__init__("fanfill bench")
        self._what = ""

    def show(self, done: float, total: float, what: str) -> None:
        """Show that `done` of `total` pairs are done, and `what` is being run."""
        self._what = what
        self(round(1000 * done), round(1000 * total))

    def _figures(self, done: int, total: int, elapsed: float) -> str:
        left = elapsed * (total - done) / done if done else 0.0
        minutes, seconds = divmod(round(left), 60)
        return f"{self._what}, {minutes}:{seconds:02d} left" if done else self._what
