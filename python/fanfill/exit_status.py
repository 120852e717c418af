"""What a command's exit status says, and the error that gives the one of wrong usage.

It must not know any command.
"""

from __future__ import annotations

__all__ = ["FAILED", "OK", "USAGE", "UsageError"]

OK, FAILED, USAGE = 0, 1, 2


class UsageError(Exception):
    """Arguments that are well formed one by one and don't fit together."""
