"""DeepSeek-V3's initialization: one standard deviation for everything that is drawn.

It must not know shapes, depths or names.
"""

from __future__ import annotations

from ..law import Constant, Normal
from ..recipe import Recipe
from . import roles

_MATRIX = Normal(0.0, 0.006)

RECIPES = (
    Recipe(
        "deepseek",
        (
            *((role, _MATRIX) for role in (*roles.MATRICES, *roles.EMBEDDINGS, roles.HEAD)),
            (roles.NORM_WEIGHT, Constant(1.0)),
            (roles.ZERO, Constant(0.0)),
        ),
        citation="DeepSeek-AI (2024), DeepSeek-V3 Technical Report, arXiv:2412.19437, section 4.2: all "
        "learnable parameters of standard deviation 0.006",
    ),
)
