"""Mixtral: tensor names, shapes and configuration of the published checkpoint, expert by expert.

It must not know how the weights are drawn.

Newer loaders keep a layer's experts in two stacked tensors in memory and build them from these names.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ..model import Model, Parameter


def _layer(index: int, width: int, hidden: int, key_width: int, experts: int) -> list[Parameter]:
    prefix = f"model.layers.{index}."
    matrices = [
        ("self_attn.q_proj", width, width),
        ("self_attn.k_proj", key_width, width),
        ("self_attn.v_proj", key_width, width),
        ("self_attn.o_proj", width, width),
        ("block_sparse_moe.gate", experts, width),
    ]
    for expert in range(experts):
        matrices += [
            (f"block_sparse_moe.experts.{expert}.w1", hidden, width),  # the gate of the gated unit
            (f"block_sparse_moe.experts.{expert}.w2", width, hidden),  # down
            (f"block_sparse_moe.experts.{expert}.w3", hidden, width),  # up
        ]
    return [
        *(Parameter(f"{prefix}{name}.weight", (fan_out, fan_in)) for name, fan_out, fan_in in matrices),
        Parameter(f"{prefix}input_layernorm.weight", (width,)),
        Parameter(f"{prefix}post_attention_layernorm.weight", (width,)),
    ]


def _mixtral(
    name: str,
    *,
    width: int,
    hidden: int,
    depth: int,
    heads: int,
    kv_heads: int,
    experts: int,
    vocabulary: int,
) -> Model:
    key_width = width // heads * kv_heads
    return Model(
        name,
        (
            Parameter("model.embed_tokens.weight", (vocabulary, width)),
            *(p for index in range(depth) for p in _layer(index, width, hidden, key_width, experts)),
            Parameter("model.norm.weight", (width,)),
            Parameter("lm_head.weight", (vocabulary, width)),
        ),
        depth=depth,
        width=width,
        recipe="hf-default",
        dtype="bfloat16",
        config={
            "architectures": ["MixtralForCausalLM"],
            "model_type": "mixtral",
            "attention_dropout": 0.0,
            "bos_token_id": 1,
            "eos_token_id": 2,
            "hidden_act": "silu",
            "hidden_size": width,
            "initializer_range": 0.02,
            "intermediate_size": hidden,
            "max_position_embeddings": 32768,
            "num_attention_heads": heads,
            "num_experts_per_tok": 2,
            "num_hidden_layers": depth,
            "num_key_value_heads": kv_heads,
            "num_local_experts": experts,
            "output_router_logits": False,
            "rms_norm_eps": 1e-05,
            "rope_theta": 1000000.0,
            "router_aux_loss_coef": 0.02,
            "sliding_window": None,
            "tie_word_embeddings": False,
            "use_cache": True,
            "vocab_size": vocabulary,
        },
        source="A. Q. Jiang et al. (2024), Mixtral of Experts, arXiv:2401.04088; checkpoint and config.json "
        "of huggingface.co/mistralai/Mixtral-8x7B-v0.1",
    )


MODELS: dict[str, Callable[[], Model]] = {
    "mixtral-8x7b": partial(
        _mixtral,
        "mixtral-8x7b",
        width=4096,
        hidden=14336,
        depth=32,
        heads=32,
        kv_heads=8,
        experts=8,
        vocabulary=32000,
    ),
}
