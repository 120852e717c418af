"""A caller's named tensors held against a plan: which of its parameters they are, and what fills each.

It must not know seeds or laws, and writes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..fill import Job
from ..memory import Memory, memory_of

if TYPE_CHECKING:
    from .param_spec import ParamSpec
    from .plan import Plan

__all__ = ["chosen_specs", "in_the_callers_words", "tensor_job"]


def chosen_specs(plan: Plan, mapping: Mapping[str, Any], only: Iterable[str] | None) -> list[ParamSpec]:
    """Return the parameters of `plan` to fill, all of which `mapping` holds; `only` as for `Plan.fill_`.

    Raises
    ------
    KeyError
        If names are missing or unknown; the message lists them.
    """
    if not isinstance(mapping, Mapping):
        raise TypeError(f"mapping must be a mapping of names to tensors, got {type(mapping).__name__}")
    if only is None:
        chosen = list(plan)
        known = {name for spec in chosen for name in (spec.name, *spec.tie)}
        extra = [name for name in mapping if name not in known]
        if extra:
            raise KeyError(
                f"mapping holds names that the plan doesn't know, pass only= to skip them: {extra}"
            )
    else:
        if not isinstance(only, Iterable):
            raise TypeError(f"only must be an iterable of names, got {only!r}")
        names = (only,) if isinstance(only, str) else tuple(dict.fromkeys(only))
        unknown = [name for name in names if name not in plan]
        if unknown:
            raise KeyError(f"only names parameters that the plan doesn't know: {unknown}")
        chosen = [plan[name] for name in names]
    missing = [spec.name for spec in chosen if spec.name not in mapping]
    if missing:
        raise KeyError(f"mapping lacks parameters of the plan, pass only= to fill the others: {missing}")
    return chosen


def tensor_job(spec: ParamSpec, out: Any, name: str) -> Job:
    """Return what fills ``mapping[name]``, the tensor `out`, as the parameter `spec`.

    Raises
    ------
    TypeError, ValueError
        If the tensor has another shape or dtype than `spec`, or can't be written.
    """
    memory, dtype = _memory(out, f"mapping[{name!r}]", spec.dtype)
    if tuple(memory.shape) != spec.shape:
        raise ValueError(f"mapping[{name!r}] has shape {tuple(memory.shape)} and the plan says {spec.shape}")
    if memory.dtype.name != spec.dtype:
        raise ValueError(
            f"mapping[{name!r}] is {memory.dtype.name} and the plan says {spec.dtype}; "
            "build the plan with the dtype of the tensors"
        )
    return Job(out, spec.drawn_law, spec.name, dtype=dtype)


def _memory(out: Any, name: str, planned: str) -> tuple[Memory, str | None]:
    """Return the memory of a tensor, and the plan's element type where the memory has none of its own."""
    try:
        return memory_of(out, name), None
    except TypeError as refusal:
        try:
            return memory_of(out, name, planned), planned
        except TypeError:
            raise refusal from None


def in_the_callers_words(error: ValueError, names: Sequence[str]) -> ValueError:
    """Return what `fill_many_` says of its jobs, as said of the mapping that these names are of."""
    return ValueError(
        re.sub(r"jobs\[(\d+)\]\.out", lambda job: f"mapping[{names[int(job[1])]!r}]", str(error))
    )
