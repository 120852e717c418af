"""GPT-2's initialization, as it is used and as its code was released.

It must not know shapes or depths; names may carry the ``transformer.`` prefix of the model in memory or not.
"""

from __future__ import annotations

import math

from ..law import Constant, Law, Normal
from ..recipe import Match, Recipe, Rule

_STD = 0.02
_PREFIX = r"(?:transformer\.)?"
_LAYER = _PREFIX + r"h\.(?P<layer>\d+)\."

RESIDUAL_PROJECTION = _LAYER + r"(?:attn|mlp)\.c_proj\.weight"
INPUT_PROJECTION = _LAYER + r"(?:attn\.c_attn|mlp\.c_fc)\.weight"
TOKEN_EMBEDDING = _PREFIX + r"wte\.weight"
POSITION_EMBEDDING = _PREFIX + r"wpe\.weight"


def residual_projection(match: Match) -> Law:
    """Return N(0, 0.02 / sqrt(2 L)): each of the L layers adds two terms to the residual path."""
    return Normal(0.0, _STD / math.sqrt(2 * match.depth))


VECTORS: tuple[tuple[str, Rule], ...] = (
    (_LAYER + r"(?:attn|mlp)\.c_\w+\.bias", Constant(0.0)),
    (f"(?:{_LAYER}ln_[12]|{_PREFIX}ln_f)" + r"\.weight", Constant(1.0)),
    (f"(?:{_LAYER}ln_[12]|{_PREFIX}ln_f)" + r"\.bias", Constant(0.0)),
)

RECIPES = (
    Recipe(
        "gpt2",
        (
            (RESIDUAL_PROJECTION, residual_projection),
            (INPUT_PROJECTION, Normal(0.0, _STD)),
            (TOKEN_EMBEDDING, Normal(0.0, _STD)),
            (POSITION_EMBEDDING, Normal(0.0, _STD)),
            *VECTORS,
        ),
        citation="A. Radford et al. (2019), Language Models are Unsupervised Multitask Learners, section "
        "2.3, in the form of A. Karpathy (2022), nanoGPT, model.py: N(0, 0.02), residual projections "
        "N(0, 0.02/sqrt(2L))",
    ),
    Recipe(
        "gpt2-released",
        (
            (RESIDUAL_PROJECTION, Normal(0.0, _STD)),
            (INPUT_PROJECTION, Normal(0.0, _STD)),
            (TOKEN_EMBEDDING, Normal(0.0, _STD)),
            (POSITION_EMBEDDING, Normal(0.0, 0.01)),
            *VECTORS,
        ),
        citation="OpenAI (2019), gpt-2, src/model.py: N(0, 0.02), positions N(0, 0.01), no scaling by depth",
    ),
)
