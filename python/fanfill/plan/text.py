"""The JSON text of a plan: its members, their canonical form and its hash.

It must not know what a parameter is, nor build a plan.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from .. import _core
from ..strict_json import json_object

__all__ = ["content_hash", "plan_members"]

_NEEDED = {"contract_version", "seed", "parameters", "hash"}
_LABELS = {"model", "recipe"}


def content_hash(content: dict[str, Any]) -> str:
    """Return the SHA-256, in hex, of the canonical JSON of a plan's content.

    Canonical is UTF-8 with sorted keys, no spaces, and floats in the shortest form that reads back.
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def plan_members(text: str) -> dict[str, Any]:
    """Return the members of a plan's JSON, all known and none missing, of this contract version.

    Raises
    ------
    TypeError
        If `text` is no str.
    ValueError
        If the text isn't one JSON object of a plan's members, or is of another contract version.
    """
    if not isinstance(text, str):
        raise TypeError(f"text must be the str that Plan.to_json returned, got {type(text).__name__}")
    content = json_object(text, "the plan")
    unknown = sorted(set(content) - _NEEDED - _LABELS)
    if unknown:
        raise ValueError(
            f"the plan has members that this version of fanfill doesn't know: {', '.join(unknown)}"
        )
    missing = sorted(_NEEDED - set(content))
    if missing:
        raise ValueError(f"the plan lacks {', '.join(missing)}; Plan.to_json writes them")
    version = content["contract_version"]
    if type(version) is not int or version != _core.CONTRACT_VERSION:
        raise ValueError(
            f"the plan is of contract version {version!r} and this fanfill gives the "
            f"bits of version {_core.CONTRACT_VERSION}; use the fanfill that wrote it"
        )
    if not isinstance(content["parameters"], list):
        raise ValueError("the plan's parameters must be a JSON array")
    return content
