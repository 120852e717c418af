"""Vision Transformers with 16x16 patches: tensor names, shapes and configuration.

It must not know how the weights are drawn.

The names are those of the published ``model.safetensors``, with query, key and value as three matrices. Newer
loaders call them otherwise in memory and read these.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ..model import Model, Parameter


def _linear(name: str, fan_in: int, fan_out: int) -> list[Parameter]:
    return [Parameter(f"{name}.weight", (fan_out, fan_in)), Parameter(f"{name}.bias", (fan_out,))]


def _norm(name: str, width: int) -> list[Parameter]:
    return [Parameter(f"{name}.{part}", (width,)) for part in ("weight", "bias")]


def _layer(index: int, width: int, hidden: int) -> list[Parameter]:
    prefix = f"vit.encoder.layer.{index}."
    attention = f"{prefix}attention."
    return [
        *(
            p
            for part in ("query", "key", "value")
            for p in _linear(f"{attention}attention.{part}", width, width)
        ),
        *_linear(f"{attention}output.dense", width, width),
        *_linear(f"{prefix}intermediate.dense", width, hidden),
        *_linear(f"{prefix}output.dense", hidden, width),
        *_norm(f"{prefix}layernorm_before", width),
        *_norm(f"{prefix}layernorm_after", width),
    ]


def _vit(
    name: str, repository: str, *, width: int, depth: int, heads: int, image: int = 224, classes: int = 1000
) -> Model:
    patch, channels, hidden = 16, 3, 4 * width
    patches = (image // patch) ** 2
    return Model(
        name,
        (
            Parameter("vit.embeddings.cls_token", (1, 1, width)),
            Parameter("vit.embeddings.position_embeddings", (1, patches + 1, width)),
            Parameter("vit.embeddings.patch_embeddings.projection.weight", (width, channels, patch, patch)),
            Parameter("vit.embeddings.patch_embeddings.projection.bias", (width,)),
            *(parameter for index in range(depth) for parameter in _layer(index, width, hidden)),
            *_norm("vit.layernorm", width),
            *_linear("classifier", width, classes),
        ),
        depth=depth,
        width=width,
        recipe="vit-timm",
        dtype="float32",
        config={
            "architectures": ["ViTForImageClassification"],
            "model_type": "vit",
            "attention_probs_dropout_prob": 0.0,
            "encoder_stride": patch,
            "hidden_act": "gelu",
            "hidden_dropout_prob": 0.0,
            "hidden_size": width,
            "image_size": image,
            "initializer_range": 0.02,
            "intermediate_size": hidden,
            "layer_norm_eps": 1e-12,
            "num_attention_heads": heads,
            "num_labels": classes,
            "num_channels": channels,
            "num_hidden_layers": depth,
            "patch_size": patch,
            "qkv_bias": True,
        },
        source="A. Dosovitskiy et al. (2020), An Image is Worth 16x16 Words: Transformers for Image "
        "Recognition at Scale, arXiv:2010.11929; checkpoint and config.json of "
        f"huggingface.co/google/{repository}, the names of its classes left out",
    )


MODELS: dict[str, Callable[[], Model]] = {
    "vit-b-16": partial(_vit, "vit-b-16", "vit-base-patch16-224", width=768, depth=12, heads=12),
    "vit-l-16": partial(_vit, "vit-l-16", "vit-large-patch16-224", width=1024, depth=24, heads=16),
}
