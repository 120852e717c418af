"""Llama 3's depth-scaled initialization, as torchtitan trains it, for the published names.

It must not know shapes or depths.
"""

from __future__ import annotations

import math

from ..law import Constant, Law, Normal, TruncatedNormal
from ..recipe import Match, Recipe

_STD = 0.02
_LAYER = r"model\.layers\.(?P<layer>\d+)\."
# trunc_normal_'s default bounds are the values -2 and 2, 100 sigma and more: in effect nothing is cut.
_BOUNDS = (-2.0, 2.0)


def _depth_scaled(match: Match) -> Law:
    assert match.layer is not None  # the pattern has the group
    return TruncatedNormal(0.0, _STD / math.sqrt(2 * (match.layer + 1)), bounds=_BOUNDS, unit="absolute")


def _head(match: Match) -> Law:
    return TruncatedNormal(0.0, 1.0 / math.sqrt(match.fans.fan_in), bounds=(-3.0, 3.0), unit="sigma")


def _embedding(match: Match) -> Law:
    # torchtitan's tied models (its 1B and 3B) skip the embedding's own rule: the shared matrix is drawn as
    # the head, since N(0, 1) would give logits of standard deviation sqrt(width).
    return _head(match) if match.parameter.tie else Normal(0.0, 1.0)


RECIPES = (
    Recipe(
        "llama3",
        (
            (r"model\.embed_tokens\.weight", _embedding),
            (r"lm_head\.weight", _head),
            (_LAYER + r"self_attn\.o_proj\.weight", _depth_scaled),  # wo
            (_LAYER + r"mlp\.(?:down|up)_proj\.weight", _depth_scaled),  # w2 and w3
            (  # wq, wk, wv and w1
                _LAYER + r"(?:self_attn\.[qkv]_proj|mlp\.gate_proj)\.weight",
                TruncatedNormal(0.0, _STD, bounds=_BOUNDS, unit="absolute"),
            ),
            (r"model\.norm\.weight", Constant(1.0)),
            (_LAYER + r"(?:input|post_attention)_layernorm\.weight", Constant(1.0)),
        ),
        citation="W. Liang et al. (2024), TorchTitan: One-stop PyTorch native solution for production ready "
        "LLM pre-training, arXiv:2410.06511; torchtitan/models/llama3/__init__.py: 0.02, output "
        "projections and w3 0.02/sqrt(2(l+1)), head 1/sqrt(d) cut at 3 sigma, embedding N(0, 1) unless tied",
    ),
)
