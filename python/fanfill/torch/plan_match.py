"""Knows which tensor of a module each parameter of a plan is, and what of the two doesn't agree.

It must not know recipes, memory or shards.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ..dtype import of_torch
from ..plan.param_spec import ParamSpec
from ..plan.plan import Plan
from .module_tensor import ModuleTensor
from .recorded_law import is_pretrained

__all__ = ["match_plan"]


def match_plan(
    plan: Plan, module: Any, tensors: Collection[ModuleTensor], chosen: Collection[ModuleTensor] | None
) -> list[tuple[ModuleTensor, ParamSpec]]:
    """Return the spec of each chosen tensor.

    Names are those of the module without wrappers' prefixes; of a model of transformers also those of its
    published checkpoint, which leave out ``base_model_prefix``.

    Parameters
    ----------
    plan : Plan
    module : torch.nn.Module
    tensors : collection of ModuleTensor
        All of the module.
    chosen : collection of ModuleTensor or None
        Those to be filled, of which the plan must have each. None stands for all that the plan has, which
        then must be all parameters of the module and may be buffers of it.

    Raises
    ------
    KeyError
        If the plan lacks parameters or has names that the module doesn't; the message lists all such.
    ValueError
        If shapes or dtypes differ, with all such, or the plan has two specs for one tensor.
    """
    found: dict[str, ModuleTensor] = {}
    for each in tensors:
        for name in each.names:
            found.setdefault(name, each)
    for prefix in _prefixes(module):
        for name, each in list(found.items()):
            if name.startswith(prefix):
                found.setdefault(name.removeprefix(prefix), each)
    specs: dict[int, ParamSpec] = {}
    unknown = []
    for spec in plan:
        own = next((found[name] for name in (spec.name, *spec.tie) if name in found), None)
        if own is None:
            unknown.append(spec.name)
        elif id(own) in specs:
            raise ValueError(
                f"the plan has {specs[id(own)].name!r} and {spec.name!r}, which the module ties to one tensor"
            )
        else:
            specs[id(own)] = spec
    wanted = [each for each in tensors if not each.is_buffer] if chosen is None else list(chosen)
    missing = [each.name for each in wanted if id(each) not in specs]
    if missing:
        raise KeyError(f"the plan lacks parameters of the module, pass only= to fill the others: {missing}")
    if unknown and chosen is None:
        raise KeyError(f"the plan has names that the module doesn't know: {unknown}")
    if chosen is None:
        wanted = [each for each in tensors if id(each) in specs]
    pairs = [(each, specs[id(each)]) for each in wanted]
    _refuse_mismatches(pairs)
    return pairs


def _prefixes(module: Any) -> set[str]:
    """Return what the names in a published checkpoint leave out."""
    models = (each for each in module.modules() if is_pretrained(each))
    return {f"{each.base_model_prefix}." for each in models if each.base_model_prefix}


def _refuse_mismatches(pairs: Collection[tuple[ModuleTensor, ParamSpec]]) -> None:
    wrong = []
    for each, spec in pairs:
        element = of_torch(each.tensor.dtype)
        if each.shape != spec.shape:
            wrong.append(f"{spec.name} has shape {each.shape} and the plan says {spec.shape}")
        elif element is None or element.name != spec.dtype:
            wrong.append(f"{spec.name} is {each.tensor.dtype} and the plan says {spec.dtype}")
    if wrong:
        raise ValueError(f"{len(wrong)} of the plan's parameters are not the module's: {'; '.join(wrong)}")
