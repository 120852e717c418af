"""The laws of a plan as a file's metadata holds them: one for each kind of name, or for a name of its own.

It must not know files, nor how a value is drawn.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ..dtype import DTYPES
from ..plan.param_spec import ParamSpec
from ..plan.plan import Plan
from ..strict_json import json_object

__all__ = ["StoredLaws", "kind_of"]

_DTYPES = {dtype.safetensors_name: dtype.name for dtype in DTYPES}
# What the file's header says of each tensor itself.
_IN_HEADER = ("name", "shape", "dtype")


def kind_of(name: str) -> str:
    """Return a parameter's name with a star for each number, which all layers and experts share."""
    return re.sub(r"\d+", "*", name)


class StoredLaws:
    """Under a parameter's name, or the kind of its name, all that its spec says beyond name, shape and dtype.

    Parameters
    ----------
    members : mapping of str to dict
        As `ParamSpec.to_dict` writes them. A name's own entry goes before that of its kind.

    Examples
    --------
    >>> import fanfill as ff
    >>> from fanfill.checkpoint.stored_laws import StoredLaws
    >>> plan = ff.Plan([ff.ParamSpec(f"h.{i}.w", (8, 4), ff.Normal(0.0, 0.02)) for i in range(3)], seed=7)
    >>> laws = StoredLaws.of(plan)
    >>> list(laws.members)
    ['h.*.w']
    >>> StoredLaws.from_json(laws.to_json()).spec("h.2.w", (8, 4), "F32") == plan["h.2.w"]
    True
    """

    def __init__(self, members: Mapping[str, Any]) -> None:
        self.members = dict(members)

    @classmethod
    def of(cls, plan: Plan) -> StoredLaws:
        """Return the laws of a plan: one for each kind whose parameters agree, else one for each name."""
        kinds: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        for spec in plan:
            member = {key: value for key, value in spec.to_dict().items() if key not in _IN_HEADER}
            kinds.setdefault(kind_of(spec.name), []).append((spec.name, member))
        members: dict[str, Any] = {}
        for kind, own in kinds.items():
            first = own[0][1]
            if all(member == first for _, member in own):
                members[kind] = first
            else:
                members.update(own)
        return cls(members)

    def to_json(self) -> str:
        """Return the laws as compact JSON."""
        return json.dumps(self.members, separators=(",", ":"), ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> StoredLaws:
        """Return the laws that `to_json` wrote.

        Raises
        ------
        ValueError
            If the text is no JSON object.
        """
        return cls(json_object(text, "the laws"))

    def spec(self, name: str, shape: tuple[int, ...], stored_dtype: str) -> ParamSpec | None:
        """Return the spec of a tensor that a header lists, or None if no law is stored for it.

        Raises
        ------
        ValueError
            If what is stored under its name is no law for a tensor of its shape and dtype.
        """
        member = self.members.get(name, self.members.get(kind_of(name)))
        if member is None or stored_dtype not in _DTYPES:
            return None
        if not isinstance(member, dict) or set(member) & set(_IN_HEADER):
            raise ValueError(f"the stored law of {name!r} isn't one that fanfill writes")
        own = {"name": name, "shape": list(shape), "dtype": _DTYPES[stored_dtype]}
        try:
            return ParamSpec.from_dict({**own, **member})
        except TypeError as error:
            raise ValueError(f"the stored law of {name!r} isn't one that fanfill writes: {error}") from error
