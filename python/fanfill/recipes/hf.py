"""What the model classes of the transformers library draw where no checkpoint gives a value.

It must not know shapes or depths.
"""

from __future__ import annotations

from ..law import Constant, Normal
from ..recipe import Recipe
from .gpt2 import (
    INPUT_PROJECTION,
    POSITION_EMBEDDING,
    RESIDUAL_PROJECTION,
    TOKEN_EMBEDDING,
    VECTORS,
    residual_projection,
)

_MATRIX = Normal(0.0, 0.02)  # initializer_range's default
_LAYER = r"model\.layers\.\d+\."
_BERT_LAYER = r"encoder\.layer\.\d+\."
_BERT_NORM = r"(?:embeddings|" + _BERT_LAYER + r"(?:attention\.)?output)\.LayerNorm"
_BERT_LINEAR = (
    r"(?:pooler\.dense|"
    + _BERT_LAYER
    + r"(?:attention\.self\.(?:query|key|value)|(?:attention\.output|intermediate|output)\.dense))"
)

RECIPES = (
    Recipe(
        "hf-default",
        (
            # GPT2PreTrainedModel draws the residual projections anew.
            (RESIDUAL_PROJECTION, residual_projection),
            (INPUT_PROJECTION, _MATRIX),
            (TOKEN_EMBEDDING, _MATRIX),
            (POSITION_EMBEDDING, _MATRIX),
            *VECTORS,
            (r"model\.embed_tokens\.weight|lm_head\.weight", _MATRIX),
            (_LAYER + r"(?:self_attn\.[qkvo]|mlp\.(?:gate|up|down))_proj\.weight", _MATRIX),
            (  # Mixtral's and DeepSeek's experts and routers
                _LAYER + r"(?:mlp\.(?:experts\.\d+|shared_experts)\.(?:gate|up|down)_proj|mlp\.gate"
                r"|block_sparse_moe\.(?:gate|experts\.\d+\.w[123])"
                r"|self_attn\.(?:q_[ab]_proj|kv_a_proj_with_mqa|kv_b_proj))\.weight",
                _MATRIX,
            ),
            (_LAYER + r"self_attn\.(?:q|kv)_a_layernorm\.weight", Constant(1.0)),
            (_LAYER + r"mlp\.gate\.e_score_correction_bias", Constant(0.0)),
            (_BERT_NORM + r"\.weight", Constant(1.0)),
            (_BERT_NORM + r"\.bias", Constant(0.0)),
            (r"embeddings\.(?:word|position|token_type)_embeddings\.weight", _MATRIX),
            (_BERT_LINEAR + r"\.weight", _MATRIX),
            (_BERT_LINEAR + r"\.bias", Constant(0.0)),
            (r"model\.norm\.weight|" + _LAYER + r"(?:input|post_attention)_layernorm\.weight", Constant(1.0)),
        ),
        citation="T. Wolf et al. (2020), Transformers: State-of-the-Art Natural Language Processing, EMNLP; "
        "PreTrainedModel._init_weights and GPT2PreTrainedModel._init_weights with initializer_range 0.02",
    ),
)
