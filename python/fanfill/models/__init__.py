"""The models that fanfill knows by name.

It must not know of recipes or files beyond the name of each model's default recipe.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from ..catalog import look_up
from ..model import Model
from . import bert, deepseek, gpt2, llama, mixtral, resnet, vit

_FAMILIES = (gpt2, bert, llama, mixtral, deepseek, vit, resnet)
# Each is made when it is asked for, and once: the largest takes a third of a second.
_MODELS: dict[str, Callable[[], Model]] = {
    name: cache(make) for family in _FAMILIES for name, make in family.MODELS.items()
}


def names() -> tuple[str, ...]:
    """Return the names of the models, in the order of the table."""
    return tuple(_MODELS)


def find(name: str) -> Model:
    """Return the model of a name.

    Raises
    ------
    ValueError
        If there is none; the message lists those there are, and the closest.

    Examples
    --------
    >>> from fanfill import models
    >>> models.find("gpt2").numel
    124439808
    """
    return look_up("model", name, _MODELS)()
