"""OLMo's three initializations: plain, Mitchell's and Megatron's.

It must not know shapes or which model is drawn.
"""

from __future__ import annotations

import math

from ..law import Constant, Law, Normal, TruncatedNormal
from ..recipe import Match, Recipe, Rule
from . import roles

_STD = 0.02
_CUTOFF = (-3.0, 3.0)

_CITATION = (
    "D. Groeneveld et al. (2024), OLMo: Accelerating the Science of Language Models, arXiv:2402.00838; "
    "olmo/model.py, init_fn "
)
_VECTORS: tuple[tuple[str, Rule], ...] = (
    (roles.NORM_WEIGHT, Constant(1.0)),
    (roles.ZERO, Constant(0.0)),
)


def _cut(std: float) -> Law:
    return TruncatedNormal(0.0, std, bounds=_CUTOFF, unit="sigma")


def _by_width(match: Match) -> Law:
    return _cut(1.0 / math.sqrt(match.width))


def _by_fan_in_and_layer(match: Match) -> Law:
    # An attention output's fan_in is the width in every model with this name.
    assert match.layer is not None  # the pattern has the group
    return _cut(1.0 / math.sqrt(2 * match.fans.fan_in * (match.layer + 1)))


def _by_width_and_layer(match: Match) -> Law:
    assert match.layer is not None
    return _cut(1.0 / math.sqrt(2 * match.width * (match.layer + 1)))


def _by_depth(match: Match) -> Law:
    return _cut(_STD / math.sqrt(2 * match.depth))


RECIPES = (
    Recipe(
        "olmo-normal",
        (
            *((role, Normal(0.0, _STD)) for role in (*roles.MATRICES, *roles.EMBEDDINGS, roles.HEAD)),
            *_VECTORS,
        ),
        citation=_CITATION + "normal: N(0, 0.02)",
    ),
    Recipe(
        "olmo-mitchell",
        (
            (roles.ATTENTION_OUTPUT, _by_width_and_layer),
            (roles.UNIT_OUTPUT, _by_fan_in_and_layer),
            *((role, _by_width) for role in (*roles.INPUTS, *roles.EMBEDDINGS, roles.HEAD)),
            *_VECTORS,
        ),
        citation=_CITATION + "mitchell: 1/sqrt(d), attention output 1/sqrt(2d(l+1)), feed-forward output "
        "1/sqrt(2 fan_in (l+1)), all cut at 3 sigma",
    ),
    Recipe(
        "olmo-full-megatron",
        (
            *((role, _by_depth) for role in roles.OUTPUTS),
            *((role, _cut(_STD)) for role in (*roles.INPUTS, *roles.EMBEDDINGS)),
            (roles.HEAD, _by_width),
            *_VECTORS,
        ),
        citation=_CITATION + "full_megatron: 0.02, output projections 0.02/sqrt(2L), head 1/sqrt(d), all cut "
        "at 3 sigma",
    ),
)
