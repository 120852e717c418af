"""Tables of named things, and the message for a name that isn't in one.

It must not know what the tables hold.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import TypeVar

T = TypeVar("T")


def look_up(kind: str, name: str, table: Mapping[str, T]) -> T:
    """Return ``table[name]``, or raise a ValueError that lists the known names and the closest one."""
    if not isinstance(name, str):
        raise TypeError(f"{kind} must be named by a str, not {name!r}; known: {', '.join(table)}")
    if name in table:
        return table[name]
    closest = closest_name(name, table)
    hint = f", did you mean {closest!r}?" if closest else ";"
    raise ValueError(f"unknown {kind} {name!r}{hint} known: {', '.join(table)}")


def closest_name(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like `name`, upper and lower case aside, or None."""
    lowered = {own.lower(): own for own in known}
    closest = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.5)
    return lowered[closest[0]] if closest else None
