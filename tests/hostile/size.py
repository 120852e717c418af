"""How many trials a hostile test makes: a few in every run, hundreds where FANFILL_TESTS=long asks for them.

It must not know the tests.
"""

from __future__ import annotations

import os

IS_LONG = os.environ.get("FANFILL_TESTS") == "long"


def trials(short: int, long: int) -> int:
    """Return the number of trials."""
    return long if IS_LONG else short
