"""JSON from files that others wrote: one object, read in one way or not at all, and in bounded memory.

It must not know what the object means.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

__all__ = ["json_object"]

# A million tensors, at four brackets and eight commas each. Without a bound a text of 100 MB makes objects of
# several GB.
_MAX_BRACKETS = 4_000_000
_MAX_COMMAS = 8_000_000
_MAX_DIGITS = 20  # 2^64 has 20


def json_object(text: str | bytes, what: str, *, infinities: bool = False) -> dict[str, Any]:
    """Return the JSON object that `text` is.

    Parameters
    ----------
    text : str or bytes
        Bytes are UTF-8.
    what : str
        What the text is, as an error says it, e.g. ``"the plan"``.
    infinities : bool, default False
        Whether the literals ``Infinity`` and ``-Infinity``, which JSON doesn't have and Python writes, are
        read.

    Raises
    ------
    ValueError
        If the text is no JSON, no object, not UTF-8, nested too deep or has too many members; if a key occurs
        twice in one object, an integer has more than 20 digits, or a number is no number.
    """
    try:
        data = text.encode() if isinstance(text, str) else text
    except UnicodeEncodeError as error:
        raise ValueError(f"{what} isn't JSON, which is UTF-8: {error}") from None
    if data.count(b"[") + data.count(b"{") > _MAX_BRACKETS or data.count(b",") > _MAX_COMMAS:
        raise ValueError(f"{what} has too many members to be read: more than a million tensors' worth")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) != len(pairs):
            twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
            raise ValueError(f"a key occurs twice in one object of {what}: {twice[:100]!r}")
        return members

    def integer(digits: str) -> int:
        if len(digits.lstrip("-")) > _MAX_DIGITS:
            raise ValueError(f"{what} has an integer of {len(digits)} digits")
        return int(digits)

    def constant(name: str) -> float:
        if not infinities or name == "NaN":
            raise ValueError(f"{what} has the literal {name}, which is no JSON")
        return float(name)

    # A function per integer costs, so it is there only where some run of digits is long.
    is_long = re.search(rb"\d{%d}" % (_MAX_DIGITS + 1), data) is not None
    try:
        found = json.loads(
            text if isinstance(text, str) else text.decode(),
            object_pairs_hook=unique,
            parse_int=integer if is_long else None,
            parse_constant=constant,
        )
        if b"\\ud" in data or b"\\uD" in data:  # half of a pair, alone, is no text that could be printed
            json.dumps(found, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError(f"{what} isn't JSON to be read: it is nested too deep") from None
    except UnicodeError as error:
        raise ValueError(f"{what} isn't JSON, which is UTF-8: {error}") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{what} isn't JSON: {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{what} must be a JSON object, got {type(found).__name__}")
    return found
