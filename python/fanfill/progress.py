"""A progress line on a terminal.

It must not know what is in progress but its bytes, nor write where no terminal is.
"""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType
from typing import TextIO

from .printable import printable

__all__ = ["Progress"]

_WIDTH = 30
_INTERVAL = 0.1  # seconds between two drawings


class Progress:
    """One line on stderr that shows how many bytes are done; silent unless stderr is a terminal.

    Parameters
    ----------
    label : str
        What stands before the bar.
    stream : text file, optional
        Default ``sys.stderr``.
    """

    def __init__(self, label: str, stream: TextIO | None = None) -> None:
        self._label = printable(label)
        self._stream = sys.stderr if stream is None else stream
        self._shown = self._stream.isatty()
        self._begin = time.monotonic()
        self._last = -_INTERVAL

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def __call__(self, done: int, total: int) -> None:
        """Show that `done` of `total` bytes are written."""
        elapsed = time.monotonic() - self._begin
        if not self._shown or (done < total and elapsed - self._last < _INTERVAL):
            return
        self._last = elapsed
        share = done / total if total else 1.0
        bar = "#" * int(share * _WIDTH)
        figures = f"{share:4.0%} {self._figures(done, total, elapsed)}"
        line = f"{self._label} [{bar:<{_WIDTH}}] {figures}"
        columns = self._columns()
        if len(line) >= columns:  # a line that wraps couldn't be drawn over
            line = f"{self._label} {figures}"[: columns - 1]
        self._stream.write(f"\r{line}\x1b[K")
        self._stream.flush()

    def _columns(self) -> int:
        """Return how many letters a line of the terminal has, 80 where it doesn't say."""
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or 80
        except OSError:
            return 80

    def _figures(self, done: int, total: int, elapsed: float) -> str:
        """Return what stands after the bar; `total` is for those who show something else than bytes."""
        del total
        rate = done / elapsed / 1e9 if elapsed > 0.0 else 0.0
        return f"{done / 1e9:.2f} GB {rate:.2f} GB/s"
