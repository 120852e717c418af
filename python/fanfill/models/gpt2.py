"""GPT-2 in its four published sizes: tensor names, shapes and configuration.

It must not know how the weights are drawn.

The names are those of the published ``model.safetensors``, which has no ``transformer.`` prefix. That file
also holds each layer's causal mask (``h.*.attn.bias``), which is a buffer that newer loaders build
themselves; it isn't a parameter and isn't here. The output head is tied to the token embedding and has no
tensor of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ..model import Model, Parameter

_VOCABULARY = 50257
_POSITIONS = 1024
_SOURCE = (
    "A. Radford, J. Wu, R. Child, D. Luan, D. Amodei, I. Sutskever (2019), Language Models are Unsupervised "
    "Multitask Learners; checkpoint and config.json of huggingface.co/openai-community/{name}"
)


def _layer(index: int, width: int) -> list[Parameter]:
    prefix = f"h.{index}."
    parameters = []
    # Conv1D of the published code keeps its weight as (in, out).
    for norm, projections in (
        ("ln_1", (("attn.c_attn", width, 3 * width), ("attn.c_proj", width, width))),
        ("ln_2", (("mlp.c_fc", width, 4 * width), ("mlp.c_proj", 4 * width, width))),
    ):
        parameters += [Parameter(f"{prefix}{norm}.{part}", (width,)) for part in ("weight", "bias")]
        for projection, fan_in, fan_out in projections:
            parameters += [
                Parameter(f"{prefix}{projection}.weight", (fan_in, fan_out), layout="io"),
                Parameter(f"{prefix}{projection}.bias", (fan_out,)),
            ]
    return parameters


def _gpt2(name: str, *, width: int, depth: int, heads: int) -> Model:
    return Model(
        name,
        (
            Parameter("wte.weight", (_VOCABULARY, width), tie=("lm_head.weight",)),
            Parameter("wpe.weight", (_POSITIONS, width)),
            *(parameter for index in range(depth) for parameter in _layer(index, width)),
            Parameter("ln_f.weight", (width,)),
            Parameter("ln_f.bias", (width,)),
        ),
        depth=depth,
        width=width,
        recipe="gpt2",
        dtype="float32",
        config={
            "architectures": ["GPT2LMHeadModel"],
            "model_type": "gpt2",
            "activation_function": "gelu_new",
            "attn_pdrop": 0.1,
            "bos_token_id": 50256,
            "embd_pdrop": 0.1,
            "eos_token_id": 50256,
            "initializer_range": 0.02,
            "layer_norm_epsilon": 1e-05,
            "n_ctx": _POSITIONS,
            "n_embd": width,
            "n_head": heads,
            "n_layer": depth,
            "n_positions": _POSITIONS,
            "resid_pdrop": 0.1,
            "summary_activation": None,
            "summary_first_dropout": 0.1,
            "summary_proj_to_labels": True,
            "summary_type": "cls_index",
            "summary_use_proj": True,
            "vocab_size": _VOCABULARY,
        },
        source=_SOURCE.format(name=name),
    )


MODELS: dict[str, Callable[[], Model]] = {
    "gpt2": partial(_gpt2, "gpt2", width=768, depth=12, heads=12),
    "gpt2-medium": partial(_gpt2, "gpt2-medium", width=1024, depth=24, heads=16),
    "gpt2-large": partial(_gpt2, "gpt2-large", width=1280, depth=36, heads=20),
    "gpt2-xl": partial(_gpt2, "gpt2-xl", width=1600, depth=48, heads=25),
}
