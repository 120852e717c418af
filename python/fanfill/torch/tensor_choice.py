"""Knows which tensors of a module a caller names: by full names, by prefixes, or by patterns.

It must not know laws, memory or what is done with them.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Sequence

from ..catalog import closest_name
from .module_tensor import ModuleTensor

__all__ = ["chosen_tensors"]


def chosen_tensors(tensors: Sequence[ModuleTensor], only: Iterable[str] | None) -> list[ModuleTensor]:
    """Return the tensors that `only` names, in the module's order; all parameters if it is None.

    Parameters
    ----------
    tensors : sequence of ModuleTensor
    only : iterable of str or None
        Names of parameters or buffers, wrappers' prefixes in them or not; names of modules, which stand for
        all parameters inside; or patterns with ``*``, ``?`` and ``[...]``, which must match a whole name.

    Raises
    ------
    TypeError
        If `only` is a single str or holds something else than str.
    KeyError
        If something in it names no tensor of the module; the message lists all such.
    """
    if only is None:
        return [each for each in tensors if not each.is_buffer]
    if isinstance(only, str):
        raise TypeError(f"only must be an iterable of names, not the single str {only!r}; put it in a list")
    if not isinstance(only, Iterable):
        raise TypeError(f"only must be an iterable of names, not {only!r}")
    by_name: dict[str, list[int]] = {}
    for place, each in enumerate(tensors):
        for name in {*each.names, *each.raw_names}:
            by_name.setdefault(name, []).append(place)
            if not each.is_buffer:
                for at, character in enumerate(name):
                    if character == ".":
                        by_name.setdefault(name[:at], []).append(place)
    chosen: set[int] = set()
    unknown = []
    for item in only:
        if not isinstance(item, str):
            raise TypeError(f"only must hold names, not {item!r}")
        places = by_name.get(item.rstrip(".")) or _matching(tensors, item)
        chosen.update(places)
        if not places:
            unknown.append(item)
    if unknown:
        closest = closest_name(unknown[0], by_name)
        hint = f"; did you mean {closest!r}?" if closest else ""
        raise KeyError(f"only names what the module doesn't have: {', '.join(unknown)}{hint}")
    return [each for place, each in enumerate(tensors) if place in chosen]


def _matching(tensors: Sequence[ModuleTensor], pattern: str) -> list[int]:
    if not set(pattern) & set("*?["):
        return []
    matches = re.compile(fnmatch.translate(pattern)).match
    return [
        place
        for place, each in enumerate(tensors)
        if not each.is_buffer and any(matches(name) for name in (*each.names, *each.raw_names))
    ]
