"""The published initialization schemes that fanfill knows by name.

It must not know which model uses which.
"""

from __future__ import annotations

from ..catalog import look_up
from ..recipe import Recipe
from . import (
    deepnorm,
    deepseek,
    efficientnet,
    fixup,
    gpt2,
    hf,
    llama3,
    lora,
    mamba,
    megatron,
    mup,
    neox,
    olmo,
    resnet,
    t5,
    torch_default,
    vit,
)

_MODULES = (
    *(torch_default, hf),
    *(gpt2, megatron, llama3, olmo, neox, deepseek, mup),
    *(t5, deepnorm),
    mamba,
    *(vit, resnet, fixup, efficientnet),
    lora,
)
_RECIPES: dict[str, Recipe] = {recipe.name: recipe for module in _MODULES for recipe in module.RECIPES}


def names() -> tuple[str, ...]:
    """Return the names of the recipes, in the order of the table."""
    return tuple(_RECIPES)


def find(name: str) -> Recipe:
    """Return the recipe of a name.

    Raises
    ------
    ValueError
        If there is none; the message lists those there are, and the closest.

    Examples
    --------
    >>> from fanfill import models, recipes
    >>> plan = recipes.find("gpt2").plan(models.find("gpt2"), seed=0)
    >>> plan["wpe.weight"].law
    Normal(mean=0.0, std=0.02)
    """
    return look_up("recipe", name, _RECIPES)
