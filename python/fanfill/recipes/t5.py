"""T5's initialization, for the names of transformers' checkpoints.

It must not know shapes or depths.
"""

from __future__ import annotations

import math

from ..law import Constant, Law, Normal
from ..recipe import Match, Recipe

_BLOCK = r"(?:encoder|decoder)\.block\.\d+\.layer\.\d+\."
_ATTENTION = _BLOCK + r"(?:Self|EncDec)Attention\."


def _fan_in(match: Match) -> Law:
    return Normal(0.0, 1.0 / math.sqrt(match.fans.fan_in))


def _heads(match: Match) -> int:
    """Return the number of heads, which the stack's relative attention bias has as its columns."""
    stack = match.parameter.name.partition(".")[0]
    name = f"{stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
    bias = match.model.by_name.get(name)
    if bias is None:
        raise ValueError(
            f"the law of {match.parameter.name!r} divides by the number of heads, which {name!r} "
            "tells and the model lacks"
        )
    return bias.shape[-1]


def _query(match: Match) -> Law:
    # The attention has no 1 / sqrt(d_kv) of its own: it is in these weights.
    rows, width = match.parameter.shape
    return Normal(0.0, 1.0 / math.sqrt(width * (rows / _heads(match))))


def _relative_bias(match: Match) -> Law:
    query = match.model.by_name.get(match.parameter.name.replace("relative_attention_bias", "q"))
    if query is None:
        raise ValueError(
            f"the law of {match.parameter.name!r} follows from its q.weight, which the model lacks"
        )
    return Normal(0.0, 1.0 / math.sqrt(query.fans[0].fan_in))


RECIPES = (
    Recipe(
        "t5",
        (
            (r"shared\.weight|(?:encoder|decoder)\.embed_tokens\.weight|lm_head\.weight", Normal(0.0, 1.0)),
            (_ATTENTION + r"q\.weight", _query),
            (_ATTENTION + r"[kvo]\.weight", _fan_in),
            (_ATTENTION + r"relative_attention_bias\.weight", _relative_bias),
            (_BLOCK + r"DenseReluDense\.w(?:i|i_0|i_1|o)\.weight", _fan_in),
            (rf"(?:{_BLOCK}|(?:encoder|decoder)\.final_)layer_norm\.weight", Constant(1.0)),
        ),
        citation="C. Raffel et al. (2020), Exploring the Limits of Transfer Learning with a Unified "
        "Text-to-Text Transformer, JMLR 21; T5PreTrainedModel._init_weights with factor 1: embedding "
        "N(0, 1), q N(0, 1/sqrt(d d_kv)), k, v and wi N(0, 1/sqrt(d)), o and wo N(0, 1/sqrt(fan_in))",
    ),
)
