"""The Vision Transformer's initializations as timm ships them: its own, the JAX code's and MoCo v3's.

It must not know shapes or depths; names may be those of timm or of transformers.
"""

from __future__ import annotations

import math

from ..law import Constant, Law, Normal, TruncatedNormal
from ..recipe import Match, Recipe, Rule
from .torch_default import linear_rules, symmetric

_LAYER = r"(?:vit\.encoder\.layer|blocks)\.(?P<layer>\d+)\."
_UNIT = _LAYER + r"(?:intermediate\.dense|output\.dense|mlp\.fc[12])"
_ATTENTION = _LAYER + r"(?:attention\.(?:attention\.(?:query|key|value)|output\.dense)|attn\.(?:qkv|proj))"
_HEAD = r"(?:classifier|head)"
_PATCHES = r"(?:vit\.embeddings\.patch_embeddings\.projection|patch_embed\.proj)"
_CLASS_TOKEN = r"vit\.embeddings\.cls_token|cls_token|reg_token"
_POSITIONS = r"vit\.embeddings\.position_embeddings|pos_embed"
_NORM = r"(?:vit\.layernorm|norm|fc_norm|" + _LAYER + r"(?:layernorm_(?:before|after)|norm[12]))"

# trunc_normal_'s default bounds are the values -2 and 2, 100 sigma: in effect nothing is cut.
_MATRIX = TruncatedNormal(0.0, 0.02, bounds=(-2.0, 2.0), unit="absolute")
_TINY = Normal(0.0, 1e-6)
# What is no linear or convolution module is drawn the same in all three.
_COMMON: tuple[tuple[str, Rule], ...] = (
    (_CLASS_TOKEN, _TINY),
    (_POSITIONS, _MATRIX),
    (_NORM + r"\.weight", Constant(1.0)),
    (_NORM + r"\.bias", Constant(0.0)),
)


def _glorot_uniform(match: Match) -> Law:
    return symmetric(math.sqrt(6.0 / (match.fans.fan_in + match.fans.fan_out)))


def _fused_glorot_uniform(match: Match) -> Law:
    """Return the law of the whole matrix, as xavier_uniform_ sees it, whatever is fused in it."""
    rows, columns = match.parameter.shape
    return symmetric(math.sqrt(6.0 / (rows + columns)))


def _split_glorot_uniform(match: Match) -> Law:
    """Return the law of query, key or value alone, be the fused matrix listed with its parts or without."""
    fan_in, fan_out = match.fans
    if match.parameter.parts == () and match.parameter.name.endswith("qkv.weight"):
        fan_out /= 3
    return symmetric(math.sqrt(6.0 / (fan_in + fan_out)))


def _lecun_normal(match: Match) -> Law:
    return TruncatedNormal(0.0, math.sqrt(1.0 / match.fans.fan_in), correct_variance=True)


_CITATION = "R. Wightman (2019), PyTorch Image Models, timm/models/vision_transformer.py, "

RECIPES = (
    Recipe(
        "vit-timm",
        (
            (f"(?:{_ATTENTION}|{_HEAD})" + r"\.weight", _MATRIX),
            (_UNIT + r"\.weight", _MATRIX),
            (f"(?:{_ATTENTION}|{_HEAD})" + r"\.bias", Constant(0.0)),
            (_UNIT + r"\.bias", Constant(0.0)),
            *linear_rules(_PATCHES),  # timm leaves the patches' convolution as torch makes it
            *_COMMON,
        ),
        citation=_CITATION + "init_weights_vit_timm: linear weights trunc_normal_(std=0.02), positions 0.02, "
        "class token N(0, 1e-6)",
    ),
    Recipe(
        "vit-jax",
        (
            (_HEAD + r"\.(?:weight|bias)", Constant(0.0)),
            (f"(?:{_ATTENTION})" + r"\.weight", _fused_glorot_uniform),
            (f"(?:{_UNIT})" + r"\.weight", _fused_glorot_uniform),
            (_ATTENTION + r"\.bias", Constant(0.0)),
            (_UNIT + r"\.bias", _TINY),
            (_PATCHES + r"\.weight", _lecun_normal),
            (_PATCHES + r"\.bias", Constant(0.0)),
            *_COMMON,
        ),
        citation=_CITATION + "init_weights_vit_jax, after A. Dosovitskiy et al. (2020): head 0, linear "
        "xavier_uniform, biases of the MLP N(0, 1e-6), patches lecun_normal",
    ),
    Recipe(
        "vit-moco",
        (
            (f"(?:{_ATTENTION}|{_HEAD})" + r"\.weight", _split_glorot_uniform),
            (_UNIT + r"\.weight", _split_glorot_uniform),
            (f"(?:{_ATTENTION}|{_HEAD})" + r"\.bias", Constant(0.0)),
            (_UNIT + r"\.bias", Constant(0.0)),
            *linear_rules(_PATCHES),
            *_COMMON,
        ),
        citation=_CITATION
        + "init_weights_vit_moco, after X. Chen, S. Xie, K. He (2021), An Empirical Study of "
        "Training Self-Supervised Vision Transformers: xavier_uniform, q, k and v each by itself",
    ),
)
