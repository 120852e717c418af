"""The maximal update parametrization as the mup package initializes it, with respect to a base width.

It must not know which model is drawn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..law import Constant, Law, Normal
from ..recipe import Match, Recipe
from . import roles
from .base_width import positive_width

_STD = 0.02
_BASE_WIDTH = 256


@dataclass(frozen=True)
class _Matrix:
    """The rule of a matrix with two sides that grow; a value, so that recipes compare and pickle."""

    base_width: int
    std: float

    def __call__(self, match: Match) -> Law:
        return Normal(0.0, self.std / math.sqrt(match.width / self.base_width))


def mup(base_width: int, std: float = _STD, name: str = "mup") -> Recipe:
    """Return the scheme with respect to the same architecture at another width.

    A matrix whose two sides grow with the width gets std / sqrt(width / base_width); embeddings and the head,
    of which one side does, get std, as in the base model.

    Parameters
    ----------
    base_width : int
        Width of the base model's residual path; its other widths are taken to be in the same proportion.
    std : float, default 0.02
        The base model's standard deviation.
    name : str, default "mup"
        The recipe's name.

    Raises
    ------
    TypeError, ValueError
        If the width is no integer or below 1, or the std is none of a `Normal`.

    Examples
    --------
    >>> from fanfill import models
    >>> from fanfill.recipes import mup
    >>> mup.mup(base_width=192).plan(models.find("gpt2"), seed=0)["h.0.mlp.c_fc.weight"].law
    Normal(mean=0.0, std=0.01)
    """
    matrix = _Matrix(positive_width(base_width), std)
    return Recipe(
        name,
        (
            # A router has as many outputs as there are experts, whatever the width.
            (roles.ROUTER, Normal(0.0, std)),
            *((role, matrix) for role in roles.MATRICES),
            *((role, Normal(0.0, std)) for role in (*roles.EMBEDDINGS, roles.HEAD)),
            (roles.NORM_WEIGHT, Constant(1.0)),
            (roles.ZERO, Constant(0.0)),
        ),
        citation="G. Yang et al. (2022), Tensor Programs V: Tuning Large Neural Networks via Zero-Shot "
        f"Hyperparameter Transfer, arXiv:2203.03466; mup/init.py, normal_ with std {std:g} at base width "
        f"{base_width}: matrices {std:g}/sqrt(width/{base_width}), embeddings and head {std:g}",
    )


RECIPES = (mup(_BASE_WIDTH),)
