"""EfficientNet's initialization, with the fan of a grouped convolution counted for one group.

It must not know shapes or depths; names are those of timm.
"""

from __future__ import annotations

import math

from ..law import Constant, Law, Normal
from ..recipe import Match, Recipe
from .batch_norm import batch_norm
from .torch_default import symmetric

_CONVOLUTION = r"(?:conv_(?:stem|head)|blocks\.\d+\.\d+\.(?:conv_\w+|conv|se\.conv_(?:reduce|expand)))"
_NORM = r"(?:blocks\.\d+\.\d+\.)?bn\d"


def _fan_out(match: Match) -> Law:
    return Normal(0.0, math.sqrt(2.0 / match.fans.fan_out))


def _classifier(match: Match) -> Law:
    return symmetric(1.0 / math.sqrt(match.fans.fan_out))


RECIPES = (
    Recipe(
        "efficientnet",
        (
            (_CONVOLUTION + r"\.weight", _fan_out),
            (_CONVOLUTION + r"\.bias", Constant(0.0)),
            *batch_norm(_NORM),
            (r"classifier\.weight", _classifier),
            (r"classifier\.bias", Constant(0.0)),
        ),
        citation="M. Tan, Q. V. Le (2019), EfficientNet: Rethinking Model Scaling for Convolutional Neural "
        "Networks, arXiv:1905.11946; timm's _init_weight_goog: convolutions N(0, 2/(k^2 out/groups)), "
        "classifier U(±1/sqrt(out))",
    ),
)
