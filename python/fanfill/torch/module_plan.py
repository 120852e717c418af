"""Knows how a module and a recipe make a plan: every parameter's law, by its module's kind or by its name.

It must not know memory, shards or devices, and draws nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

import torch

from .. import recipes
from ..dtype import NAMES, of_torch
from ..law import Constant, Law
from ..model import Model
from ..plan.param_spec import ParamSpec
from ..plan.plan import Plan
from ..recipe import Match, Recipe
from ..stream import Seed
from .module_law import hf_default_law, torch_default_law
from .module_model import model_of_tensors
from .module_tensor import ModuleTensor, module_tensors
from .recorded_law import is_pretrained, recorded_laws, recorded_reset_laws
from .tensor_choice import chosen_tensors

__all__ = ["plan", "plan_of_tensors"]

Laws = dict[str, Law]


def plan(
    module: Any,
    recipe: Recipe | str | None = None,
    *,
    seed: Seed = 0,
    only: Iterable[str] | None = None,
    depth: int | None = None,
    width: int | None = None,
) -> Plan:
    """Return the plan by which `initialize_` would draw a module's parameters; nothing is written.

    Parameters
    ----------
    module : torch.nn.Module
        On any device, meta too, and wrapped or sharded in any way.
    recipe : Recipe or str, optional
        A recipe, whose patterns decide by name, or the name of a built-in one. Two built-in ones look at the
        modules too. ``"torch-default"`` takes each module's law from its class, as its ``reset_parameters``
        would; one that isn't torch's own is watched at work on the meta device, and what none of them draws
        gets its law from its name. ``"hf-default"`` asks a model of transformers itself, whose
        ``_init_weights`` is watched in the same way, so that ``initializer_range`` and the rules of its class
        hold; modules outside of one get the library's general rule. Default: ``"hf-default"`` for a model of
        transformers, and a ValueError for others.
    seed : int or numpy.random.SeedSequence, default 0
    only : iterable of str, optional
        As for `initialize_`; the plan has these alone.
    depth, width : int, optional
        As for `model_of`.

    Returns
    -------
    Plan
        In each parameter's own dtype; ``plan.array(name)`` is what `initialize_` writes.

    Raises
    ------
    TypeError
        If a parameter's dtype isn't one that fanfill writes.
    ValueError
        If the recipe gives some parameter no law, or the watched code computes its values instead of drawing
        them, with the names of all such.
    KeyError
        If `only` names what the module doesn't have.

    Examples
    --------
    >>> import torch
    >>> from fanfill.torch import plan
    >>> layer = torch.nn.Linear(3, 2, device="meta")
    >>> plan(layer, "torch-default")["bias"].law
    Uniform(low=-0.5773502691896258, high=0.5773502691896258)
    """
    tensors = module_tensors(module)
    chosen = [each for each in chosen_tensors(tensors, only) if not each.is_buffer]
    return plan_of_tensors(module, tensors, chosen, recipe, seed, depth, width)


def plan_of_tensors(
    module: Any,
    tensors: Collection[ModuleTensor],
    chosen: Collection[ModuleTensor],
    recipe: Recipe | str | None,
    seed: Seed,
    depth: int | None,
    width: int | None,
) -> Plan:
    """Return the plan of the chosen parameters among all tensors of a module."""
    dtypes = _dtypes(chosen)
    found = _recipe(module, recipe)
    model = model_of_tensors(module, tensors, depth, width)
    names = {each.name for each in chosen}
    laws = _laws_by_kind(module, found, tensors, chosen)
    by_kind = Recipe(found.name, ((".*", lambda match: laws[match.parameter.name]),))
    usual = max(set(dtypes.values()), key=list(dtypes.values()).count, default=None)
    plans = [
        by_kind.plan(model, seed=seed, dtype=usual, only=names & set(laws)),
        found.plan(model, seed=seed, dtype=usual, only=names - set(laws)),
    ]
    if found.name == "torch-default":
        _refuse_guesses(plans[1], model)
    specs = {spec.name: _typed(spec, dtypes[spec.name]) for each in plans for spec in each}
    ordered = (specs[each.name] for each in chosen)
    return Plan(ordered, seed=seed, model=model.name, recipe=found.name)


def _typed(spec: ParamSpec, dtype: str) -> ParamSpec:
    return spec if spec.dtype == dtype else replace(spec, dtype=dtype)


def _dtypes(chosen: Iterable[ModuleTensor]) -> dict[str, str]:
    dtypes = {each.name: of_torch(each.tensor.dtype) for each in chosen}
    refused = [f"{each.name} ({each.tensor.dtype})" for each in chosen if dtypes[each.name] is None]
    if refused:
        raise TypeError(
            f"fanfill writes {NAMES}, and these parameters are of other types, integers and quantized ones "
            f"among them; leave them out by only=: {', '.join(refused)}"
        )
    return {name: element.name for name, element in dtypes.items() if element is not None}


def _recipe(module: Any, recipe: Recipe | str | None) -> Recipe:
    if recipe is None:
        if not any(is_pretrained(each) for each in module.modules()):
            raise ValueError(
                "recipe: the module is no model of transformers, whose own rules would be the default; "
                "choose 'torch-default' for what torch's modules draw when they are made, 'hf-default' for "
                f"N(0, 0.02), another of {', '.join(recipes.names())}, or a Recipe or Plan of your own"
            )
        recipe = "hf-default"
    if isinstance(recipe, str):
        return recipes.find(recipe)
    if not isinstance(recipe, Recipe):
        raise TypeError(f"recipe must be a Recipe, the name of one, or a Plan, not {type(recipe).__name__}")
    return recipe


def _laws_by_kind(
    module: Any, recipe: Recipe, tensors: Iterable[ModuleTensor], chosen: Iterable[ModuleTensor]
) -> Laws:
    """Return the laws that follow from the kind of module, for the two recipes that look at it."""
    if recipe not in (recipes.find("torch-default"), recipes.find("hf-default")):
        return {}
    shapes = {(id(owner), own): each.shape for each in tensors for owner, own in each.places}
    find = _torch_laws if recipe.name == "torch-default" else _hf_laws
    return {name: law for name, law in find(module, shapes, chosen).items() if law is not None}


def _torch_laws(
    module: Any, shapes: dict[tuple[int, str], tuple[int, ...]], chosen: Iterable[ModuleTensor]
) -> dict[str, Law | None]:
    recorded = recorded_reset_laws(module, shapes)
    inside = {
        id(part)
        for each in module.modules()
        if isinstance(each, torch.nn.Transformer)
        for part in each.modules()
    }
    laws: dict[str, Law | None] = {}
    computed = []
    for each in chosen:
        owner, own = each.places[0]
        if (id(owner), own) not in recorded:
            weight = shapes.get((id(owner), "weight"))
            laws[each.name] = torch_default_law(
                owner, own, each.shape, weight, in_transformer=id(owner) in inside
            )
        elif recorded[id(owner), own] is None:
            computed.append(each.name)
        else:
            laws[each.name] = recorded[id(owner), own]
    _refuse_computed(computed, "a reset_parameters of the module's")
    return laws


def _hf_laws(
    module: Any, shapes: dict[tuple[int, str], tuple[int, ...]], chosen: Iterable[ModuleTensor]
) -> dict[str, Law | None]:
    recorded = recorded_laws(module, shapes)
    governed = {id(part) for each in module.modules() if is_pretrained(each) for part in each.modules()}
    laws: dict[str, Law | None] = {}
    computed = []
    for each in chosen:
        owner, own = each.places[0]
        key = (id(owner), own)
        if key in recorded and recorded[key] is None:
            computed.append(each.name)
        elif id(owner) in governed:
            laws[each.name] = recorded.get(key)
        else:
            laws[each.name] = hf_default_law(owner, own, each.shape)
    _refuse_computed(computed, "the model's _init_weights")
    return laws


def _refuse_computed(names: Sequence[str], by: str) -> None:
    if names:
        raise ValueError(
            f"{by} computes the values of these parameters, which no law draws; give "
            f"them values of your own and leave them out by only=: {', '.join(names)}"
        )


def _refuse_guesses(drawn: Plan, model: Model) -> None:
    """Refuse laws that torch-default's patterns gave to vectors of modules that may be norms or anything."""
    guessed = []
    for spec in drawn:
        weight = Match(model.by_name[spec.name], None, model).sibling("weight")
        if weight is not None and len(weight.shape) < 2 and not isinstance(spec.law, Constant):
            guessed.append(spec.name)
    if guessed:
        raise ValueError(
            "recipe 'torch-default' doesn't know the classes of the modules of these vectors, which it would "
            f"draw as a linear layer's; choose another recipe, or fill them and leave them out by only=: "
            f"{', '.join(guessed)}"
        )
