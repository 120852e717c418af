"""DeepNorm's initialization: Glorot normal, its gain falling with the depth of the stack.

It must not know shapes; names may be those of fairseq and torchscale, or of transformers' BERT.
"""

from __future__ import annotations

import math
import re

from ..law import Constant, Law, Normal
from ..recipe import Match, Recipe

_LAYER = r"(?:(?:encoder|decoder)\.layers|encoder\.layer)\.\d+\."
_ATTENTION = r"(?:self_attn|encoder_attn)\."
_LINEAR = (
    _LAYER
    + rf"(?:{_ATTENTION}(?:[qkv]|out)_proj|(?:ffn\.)?fc[12]|attention\.self\.(?:query|key|value)"
    + (r"|(?:attention\.output|intermediate|output)\.dense)")
)
_QUERY_KEY = _LAYER + rf"(?:{_ATTENTION}[qk]_proj|attention\.self\.(?:query|key))"
_NORM = (
    rf"(?:{_LAYER}(?:(?:self_attn|encoder_attn|final)_layer_norm|(?:attention\.)?output\.LayerNorm)"
    r"|embeddings\.LayerNorm|(?:encoder|decoder)\.layernorm_embedding)"
)
_EMBEDDING = (
    r"(?:encoder|decoder)\.embed_(?:tokens|positions)\.weight"
    r"|embeddings\.(?:word|position|token_type)_embeddings\.weight"
)


def _layers(match: Match, stack: str) -> int:
    """Return the number of layers of the encoder or decoder."""
    found = (re.match(rf"{stack}\.layers?\.(\d+)\.", name) for name in match.model.by_name)
    return len({each.group(1) for each in found if each})


def _gain(match: Match) -> float:
    """Return beta of the paper's table: for an encoder or a decoder alone, or for either of the two."""
    encoders, decoders = _layers(match, "encoder"), _layers(match, "decoder")
    if not (encoders and decoders):
        return float((8 * (encoders + decoders)) ** -0.25)
    if match.parameter.name.startswith("encoder."):
        return float(0.87 * (encoders**4 * decoders) ** -0.0625)
    return float((12 * decoders) ** -0.25)


def _glorot(match: Match, gain: float) -> Law:
    return Normal(0.0, gain * math.sqrt(2.0 / (match.fans.fan_in + match.fans.fan_out)))


def _plain(match: Match) -> Law:
    return _glorot(match, 1.0)


def _scaled(match: Match) -> Law:
    return _glorot(match, _gain(match))


def _embedding(match: Match) -> Law:
    return Normal(0.0, 1.0 / math.sqrt(match.fans.fan_in))


RECIPES = (
    Recipe(
        "deepnorm",
        (
            (_QUERY_KEY + r"\.weight", _plain),
            (_LINEAR + r"\.weight", _scaled),
            (_LINEAR + r"\.bias", Constant(0.0)),
            (r"pooler\.dense\.weight", _plain),
            (r"pooler\.dense\.bias", Constant(0.0)),
            (_EMBEDDING, _embedding),
            (_NORM + r"\.weight", Constant(1.0)),
            (_NORM + r"\.bias", Constant(0.0)),
        ),
        citation="H. Wang et al. (2022), DeepNet: Scaling Transformers to 1,000 Layers, arXiv:2203.00555, "
        "figure 2: xavier_normal, for v, output and feed-forward with gain (8N)^-1/4 in one stack, "
        "0.87 (N^4 M)^-1/16 and (12M)^-1/4 in encoder and decoder; embeddings N(0, 1/sqrt(d)) as in fairseq",
    ),
)
