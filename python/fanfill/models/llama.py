"""The Llama family: tensor names, shapes and configuration of the published checkpoints.

It must not know how the weights are drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ..model import Model, Parameter

_SOURCE_2 = (
    "H. Touvron et al. (2023), Llama 2: Open Foundation and Fine-Tuned Chat Models, arXiv:2307.09288; "
    "checkpoint and config.json of huggingface.co/meta-llama/Llama-2-7b-hf"
)
_SOURCE_3 = (
    "A. Grattafiori et al. (2024), The Llama 3 Herd of Models, arXiv:2407.21783; checkpoint and config.json "
    "of huggingface.co/meta-llama/{repository}"
)


def _layer(index: int, width: int, hidden: int, heads: int, kv_heads: int, head_dim: int) -> list[Parameter]:
    prefix = f"model.layers.{index}."
    matrices = (
        ("self_attn.q_proj", heads * head_dim, width),
        ("self_attn.k_proj", kv_heads * head_dim, width),
        ("self_attn.v_proj", kv_heads * head_dim, width),
        ("self_attn.o_proj", width, heads * head_dim),
        ("mlp.gate_proj", hidden, width),
        ("mlp.up_proj", hidden, width),
        ("mlp.down_proj", width, hidden),
    )
    return [
        *(Parameter(f"{prefix}{name}.weight", (fan_out, fan_in)) for name, fan_out, fan_in in matrices),
        Parameter(f"{prefix}input_layernorm.weight", (width,)),
        Parameter(f"{prefix}post_attention_layernorm.weight", (width,)),
    ]


def _llama(
    name: str,
    *,
    width: int,
    hidden: int,
    depth: int,
    heads: int,
    kv_heads: int,
    head_dim: int,
    vocabulary: int,
    tied: bool,
    recipe: str,
    dtype: str,
    config: Mapping[str, Any],
    source: str,
) -> Model:
    embedding = Parameter(
        "model.embed_tokens.weight", (vocabulary, width), tie=("lm_head.weight",) if tied else ()
    )
    head = () if tied else (Parameter("lm_head.weight", (vocabulary, width)),)
    return Model(
        name,
        (
            embedding,
            *(p for index in range(depth) for p in _layer(index, width, hidden, heads, kv_heads, head_dim)),
            Parameter("model.norm.weight", (width,)),
            *head,
        ),
        depth=depth,
        width=width,
        recipe=recipe,
        dtype=dtype,
        config={
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "attention_bias": False,
            "attention_dropout": 0.0,
            "hidden_act": "silu",
            "hidden_size": width,
            "initializer_range": 0.02,
            "intermediate_size": hidden,
            "mlp_bias": False,
            "num_attention_heads": heads,
            "num_hidden_layers": depth,
            "num_key_value_heads": kv_heads,
            "pretraining_tp": 1,
            "rms_norm_eps": 1e-05,
            "tie_word_embeddings": tied,
            "use_cache": True,
            "vocab_size": vocabulary,
            **config,
        },
        source=source,
    )


def _llama3(
    name: str,
    repository: str,
    *,
    width: int,
    hidden: int,
    depth: int,
    heads: int,
    head_dim: int,
    positions: int,
    rope_factor: float | None = None,
    tied: bool = False,
) -> Model:
    rope_scaling = None
    if rope_factor is not None:
        rope_scaling = {
            "factor": rope_factor,
            "high_freq_factor": 4.0,
            "low_freq_factor": 1.0,
            "original_max_position_embeddings": 8192,
            "rope_type": "llama3",
        }
    return _llama(
        name,
        width=width,
        hidden=hidden,
        depth=depth,
        heads=heads,
        kv_heads=8,
        head_dim=head_dim,
        vocabulary=128256,
        tied=tied,
        recipe="llama3",
        dtype="bfloat16",
        config={
            "bos_token_id": 128000,
            "eos_token_id": 128001,
            "head_dim": head_dim,
            "max_position_embeddings": positions,
            "rope_scaling": rope_scaling,
            "rope_theta": 500000.0,
        },
        source=_SOURCE_3.format(repository=repository),
    )


MODELS: dict[str, Callable[[], Model]] = {
    "llama-2-7b": partial(
        _llama,
        "llama-2-7b",
        width=4096,
        hidden=11008,
        depth=32,
        heads=32,
        kv_heads=32,
        head_dim=128,
        vocabulary=32000,
        tied=False,
        recipe="hf-default",
        dtype="float16",
        config={
            "bos_token_id": 1,
            "eos_token_id": 2,
            "max_position_embeddings": 4096,
            "rope_scaling": None,
        },
        source=_SOURCE_2,
    ),
    "llama-3.2-1b": partial(
        _llama3,
        "llama-3.2-1b",
        "Llama-3.2-1B",
        width=2048,
        hidden=8192,
        depth=16,
        heads=32,
        head_dim=64,
        positions=131072,
        rope_factor=32.0,
        tied=True,
    ),
    "llama-3-8b": partial(
        _llama3,
        "llama-3-8b",
        "Meta-Llama-3-8B",
        width=4096,
        hidden=14336,
        depth=32,
        heads=32,
        head_dim=128,
        positions=8192,
    ),
    "llama-3-70b": partial(
        _llama3,
        "llama-3-70b",
        "Meta-Llama-3-70B",
        width=8192,
        hidden=28672,
        depth=80,
        heads=64,
        head_dim=128,
        positions=8192,
    ),
    "llama-3.1-405b": partial(
        _llama3,
        "llama-3.1-405b",
        "Llama-3.1-405B",
        width=16384,
        hidden=53248,
        depth=126,
        heads=128,
        head_dim=128,
        positions=131072,
        rope_factor=8.0,
    ),
}
