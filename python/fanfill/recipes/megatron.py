"""Megatron-LM's initialization, and the form of it whose best learning rate doesn't move with the width.

It must not know shapes or which model is drawn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..law import Constant, Law, Normal
from ..recipe import Match, Recipe, Rule
from . import roles
from .base_width import positive_width

_STD = 0.02  # init_method_std's default
_BASE_WIDTH = 256

_CITATION = (
    "M. Shoeybi et al. (2019), Megatron-LM: Training Multi-Billion Parameter Language Models Using Model "
    "Parallelism, arXiv:1909.08053; megatron/core/utils.py and transformer_config.py: "
)
_VECTORS: tuple[tuple[str, Rule], ...] = (
    (roles.NORM_WEIGHT, Constant(1.0)),
    (roles.ZERO, Constant(0.0)),
)


def _depth_scaled(match: Match) -> Law:
    return Normal(0.0, _STD / math.sqrt(2 * match.depth))


@dataclass(frozen=True)
class _WidthScaled:
    """The rule of a matrix of the width-scaled form; a value, so that recipes compare and pickle."""

    base_width: int
    is_output: bool

    def __call__(self, match: Match) -> Law:
        width = math.sqrt(match.width / self.base_width)
        return Normal(0.0, _STD / (math.sqrt(2 * match.depth) * width if self.is_output else width))


def mup(base_width: int, name: str = "megatron-mup") -> Recipe:
    """Return the width-scaled form with respect to a model of another width.

    Parameters
    ----------
    base_width : int
        The hidden size at which nothing is scaled (``mup_base_hidden_size``).
    name : str, default "megatron-mup"
        The recipe's name.

    Raises
    ------
    TypeError, ValueError
        If the width is no integer or below 1.

    Examples
    --------
    >>> from fanfill import models
    >>> from fanfill.recipes import megatron
    >>> plan = megatron.mup(base_width=192).plan(models.find("gpt2"), seed=0)
    >>> plan["h.0.mlp.c_fc.weight"].law
    Normal(mean=0.0, std=0.01)
    """
    width_scaled = _WidthScaled(positive_width(base_width), is_output=False)
    output = _WidthScaled(base_width, is_output=True)
    return Recipe(
        name,
        (
            *((role, width_scaled) for role in roles.INPUTS),
            *((role, output) for role in roles.OUTPUTS),
            *((role, Normal(0.0, _STD)) for role in (*roles.EMBEDDINGS, roles.HEAD)),
            *_VECTORS,
        ),
        citation=_CITATION + f"with use_mup, w = width / {base_width}: matrices N(0, 0.02/sqrt(w)), output "
        "projections N(0, 0.02/(sqrt(2L) sqrt(w))), embeddings and head N(0, 0.02)",
    )


RECIPES = (
    Recipe(
        "megatron",
        (
            *((role, _depth_scaled) for role in roles.OUTPUTS),
            *((role, Normal(0.0, _STD)) for role in (*roles.INPUTS, *roles.EMBEDDINGS, roles.HEAD)),
            *_VECTORS,
        ),
        citation=_CITATION + "N(0, 0.02), output projections N(0, 0.02/sqrt(2L))",
    ),
    mup(_BASE_WIDTH),
)
