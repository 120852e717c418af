"""GPT-NeoX's usual pair: small for what reads the residual path, Wang's for what writes to it.

It must not know shapes or which model is drawn.
"""

from __future__ import annotations

import math

from ..law import Constant, Law, Normal
from ..recipe import Match, Recipe
from . import roles


def _small(match: Match) -> Law:
    return Normal(0.0, math.sqrt(2.0 / (5.0 * match.width)))


def _wang(match: Match) -> Law:
    return Normal(0.0, 2.0 / match.depth / math.sqrt(match.width))


RECIPES = (
    Recipe(
        "neox",
        (
            *((role, _wang) for role in roles.OUTPUTS),
            *((role, _small) for role in (*roles.INPUTS, *roles.EMBEDDINGS, roles.HEAD)),
            (roles.NORM_WEIGHT, Constant(1.0)),
            (roles.ZERO, Constant(0.0)),
        ),
        citation="S. Black et al. (2022), GPT-NeoX-20B: An Open-Source Autoregressive Language Model, "
        "arXiv:2204.06745; megatron/model/init_functions.py: small_init N(0, sqrt(2/(5d))) after "
        "T. Q. Nguyen, J. Salazar (2019), Transformers without Tears, and wang_init N(0, 2/(L sqrt(d))) "
        "for output projections",
    ),
)
