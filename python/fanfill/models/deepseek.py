"""DeepSeek-V3: tensor names, shapes and configuration of the published checkpoint, expert by expert.

It must not know how the weights are drawn.

The published file goes on with the multi-token prediction module as layer 61, which loaders of the main
model skip, and keeps its matrices as float8 blocks with scales (``weight_scale_inv``); neither is here. The
router's correction bias is counted: it is a parameter of the published code, though transformers keeps it as
a buffer. Here it is of the dtype of all others, where the published file has float32.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..model import Model, Parameter


@dataclass(frozen=True)
class _Sizes:
    width: int
    hidden: int
    expert_hidden: int
    depth: int
    dense_layers: int
    heads: int
    q_rank: int
    kv_rank: int
    nope_dim: int
    rope_dim: int
    value_dim: int
    experts: int
    vocabulary: int
    groups: int
    chosen_groups: int
    experts_per_token: int


def _attention(prefix: str, s: _Sizes) -> list[Parameter]:
    return [
        Parameter(f"{prefix}q_a_proj.weight", (s.q_rank, s.width)),
        Parameter(f"{prefix}q_a_layernorm.weight", (s.q_rank,)),
        Parameter(f"{prefix}q_b_proj.weight", (s.heads * (s.nope_dim + s.rope_dim), s.q_rank)),
        Parameter(f"{prefix}kv_a_proj_with_mqa.weight", (s.kv_rank + s.rope_dim, s.width)),
        Parameter(f"{prefix}kv_a_layernorm.weight", (s.kv_rank,)),
        Parameter(f"{prefix}kv_b_proj.weight", (s.heads * (s.nope_dim + s.value_dim), s.kv_rank)),
        Parameter(f"{prefix}o_proj.weight", (s.width, s.heads * s.value_dim)),
    ]


def _gated_unit(prefix: str, width: int, hidden: int) -> list[Parameter]:
    return [
        Parameter(f"{prefix}gate_proj.weight", (hidden, width)),
        Parameter(f"{prefix}up_proj.weight", (hidden, width)),
        Parameter(f"{prefix}down_proj.weight", (width, hidden)),
    ]


def _layer(index: int, s: _Sizes) -> list[Parameter]:
    prefix = f"model.layers.{index}."
    parameters = _attention(f"{prefix}self_attn.", s)
    if index < s.dense_layers:
        parameters += _gated_unit(f"{prefix}mlp.", s.width, s.hidden)
    else:
        parameters += [
            Parameter(f"{prefix}mlp.gate.weight", (s.experts, s.width)),
            Parameter(f"{prefix}mlp.gate.e_score_correction_bias", (s.experts,)),
        ]
        for expert in range(s.experts):
            parameters += _gated_unit(f"{prefix}mlp.experts.{expert}.", s.width, s.expert_hidden)
        parameters += _gated_unit(f"{prefix}mlp.shared_experts.", s.width, s.expert_hidden)
    return [
        *parameters,
        Parameter(f"{prefix}input_layernorm.weight", (s.width,)),
        Parameter(f"{prefix}post_attention_layernorm.weight", (s.width,)),
    ]


def _config(s: _Sizes) -> dict[str, Any]:
    """Return the published configuration, without the float8 blocks and the multi-token prediction layer."""
    return {
        "architectures": ["DeepseekV3ForCausalLM"],
        "model_type": "deepseek_v3",
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": 0,
        "eos_token_id": 1,
        "first_k_dense_replace": s.dense_layers,
        "hidden_act": "silu",
        "hidden_size": s.width,
        "initializer_range": 0.02,
        "intermediate_size": s.hidden,
        "kv_lora_rank": s.kv_rank,
        "max_position_embeddings": 163840,
        "moe_intermediate_size": s.expert_hidden,
        "moe_layer_freq": 1,
        "n_group": s.groups,
        "n_routed_experts": s.experts,
        "n_shared_experts": 1,
        "norm_topk_prob": True,
        "num_attention_heads": s.heads,
        "num_experts_per_tok": s.experts_per_token,
        "num_hidden_layers": s.depth,
        "num_key_value_heads": s.heads,
        "num_nextn_predict_layers": 0,
        "q_lora_rank": s.q_rank,
        "qk_nope_head_dim": s.nope_dim,
        "qk_rope_head_dim": s.rope_dim,
        "rms_norm_eps": 1e-06,
        "rope_scaling": {
            "beta_fast": 32,
            "beta_slow": 1,
            "factor": 40,
            "mscale": 1.0,
            "mscale_all_dim": 1.0,
            "original_max_position_embeddings": 4096,
            "type": "yarn",
        },
        "rope_theta": 10000,
        "routed_scaling_factor": 2.5,
        "scoring_func": "sigmoid",
        "tie_word_embeddings": False,
        "topk_group": s.chosen_groups,
        "topk_method": "noaux_tc",
        "use_cache": True,
        "v_head_dim": s.value_dim,
        "vocab_size": s.vocabulary,
    }


def _deepseek(name: str, s: _Sizes) -> Model:
    return Model(
        name,
        (
            Parameter("model.embed_tokens.weight", (s.vocabulary, s.width)),
            *(parameter for index in range(s.depth) for parameter in _layer(index, s)),
            Parameter("model.norm.weight", (s.width,)),
            Parameter("lm_head.weight", (s.vocabulary, s.width)),
        ),
        depth=s.depth,
        width=s.width,
        recipe="deepseek",
        dtype="bfloat16",
        config=_config(s),
        source="DeepSeek-AI (2024), DeepSeek-V3 Technical Report, arXiv:2412.19437; checkpoint and "
        "config.json of huggingface.co/deepseek-ai/DeepSeek-V3",
    )


MODELS: dict[str, Callable[[], Model]] = {
    "deepseek-v3": partial(
        _deepseek,
        "deepseek-v3",
        _Sizes(
            width=7168,
            hidden=18432,
            expert_hidden=2048,
            depth=61,
            dense_layers=3,
            heads=128,
            q_rank=1536,
            kv_rank=512,
            nope_dim=128,
            rope_dim=64,
            value_dim=128,
            experts=256,
            vocabulary=129280,
            groups=8,
            chosen_groups=4,
            experts_per_token=8,
        ),
    ),
}
