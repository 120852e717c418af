"""The roles that a tensor's name gives it in a decoder-only language model, as patterns.

It must not know laws, shapes or which scheme uses which role.

Covered are the published names of GPT-2, the Llama family, Mixtral, DeepSeek-V3 and GPT-NeoX, and those of
Megatron-LM's own checkpoints. A matrix's pattern has the group ``layer``, the layer's index.
"""

from __future__ import annotations

_STACK = r"(?:(?:model|transformer|gpt_neox|decoder)\.)?(?:layers|h)\."
_LAYER = _STACK + r"(?P<layer>\d+)\."
_ANY_LAYER = _STACK + r"\d+\."  # for vectors, which no scheme scales by their layer
# A feed-forward unit, an expert of many, or the experts that all tokens share.
_UNIT = r"mlp\.(?:experts\.\d+\.|shared_experts\.)?"
_MIXTRAL_EXPERT = r"block_sparse_moe\.experts\.\d+\."

ATTENTION_INPUT = _LAYER + (
    r"(?:attn\.c_attn|self_attn\.(?:[qkv]_proj|q_[ab]_proj|kv_a_proj_with_mqa|kv_b_proj)"
    r"|attention\.query_key_value|self_attention\.linear_qkv)\.weight"
)
ATTENTION_OUTPUT = _LAYER + (
    r"(?:attn\.c_proj|self_attn\.o_proj|attention\.dense|self_attention\.linear_proj)\.weight"
)
UNIT_INPUT = _LAYER + (
    rf"(?:mlp\.c_fc|{_UNIT}(?:gate|up)_proj|{_MIXTRAL_EXPERT}w[13]|mlp\.dense_h_to_4h|mlp\.linear_fc1)\.weight"
)
UNIT_OUTPUT = _LAYER + (
    rf"(?:mlp\.c_proj|{_UNIT}down_proj|{_MIXTRAL_EXPERT}w2|mlp\.dense_4h_to_h|mlp\.linear_fc2)\.weight"
)
ROUTER = _LAYER + r"(?:mlp\.gate|block_sparse_moe\.gate|mlp\.router)\.weight"
TOKEN_EMBEDDING = (
    r"(?:transformer\.)?wte\.weight|model\.embed_tokens\.weight|(?:gpt_neox\.)?embed_in\.weight"
    r"|embedding\.word_embeddings\.weight"
)
POSITION_EMBEDDING = r"(?:transformer\.)?wpe\.weight|embedding\.position_embeddings\.weight"
HEAD = r"(?:lm_head|embed_out|output_layer)\.weight"

_NORM = (
    r"(?:(?:transformer\.)?ln_f|model\.norm|(?:(?:gpt_neox|decoder)\.)?final_layer_?norm|"
    + _ANY_LAYER
    + r"(?:ln_[12]|(?:input|post_attention|pre_mlp)_layernorm|self_attn\.(?:q|kv)_a_layernorm))"
)
NORM_WEIGHT = _NORM + r"\.weight"
ZERO = (
    rf"{_NORM}\.bias|{_ANY_LAYER}"
    r"(?:(?:attn\.c_(?:attn|proj)|mlp\.(?:c_fc|c_proj|dense_h_to_4h|dense_4h_to_h|linear_fc[12])"
    r"|attention\.(?:query_key_value|dense)|self_attention\.linear_(?:qkv|proj)|self_attn\.[qkvo]_proj)\.bias"
    r"|mlp\.gate\.e_score_correction_bias)"
)

MATRICES = (ATTENTION_INPUT, ATTENTION_OUTPUT, UNIT_INPUT, UNIT_OUTPUT, ROUTER)
INPUTS = (ATTENTION_INPUT, UNIT_INPUT, ROUTER)
OUTPUTS = (ATTENTION_OUTPUT, UNIT_OUTPUT)
EMBEDDINGS = (TOKEN_EMBEDDING, POSITION_EMBEDDING)
