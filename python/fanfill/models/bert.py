"""BERT's encoder with its pooler: tensor names, shapes and configuration.

It must not know how the weights are drawn.

The names are those of transformers' ``BertModel``. The published file holds the same tensors under a
``bert.`` prefix, with a norm's weight and bias called gamma and beta, and beside them the two pre-training
heads, which aren't part of the encoder.
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
    prefix = f"encoder.layer.{index}."
    return [
        *(
            p
            for part in ("query", "key", "value")
            for p in _linear(f"{prefix}attention.self.{part}", width, width)
        ),
        *_linear(f"{prefix}attention.output.dense", width, width),
        *_norm(f"{prefix}attention.output.LayerNorm", width),
        *_linear(f"{prefix}intermediate.dense", width, hidden),
        *_linear(f"{prefix}output.dense", hidden, width),
        *_norm(f"{prefix}output.LayerNorm", width),
    ]


def _bert(name: str, *, width: int, depth: int, heads: int, hidden: int, vocabulary: int) -> Model:
    positions, types, padding = 512, 2, 0
    return Model(
        name,
        (
            Parameter("embeddings.word_embeddings.weight", (vocabulary, width), padding_row=padding),
            Parameter("embeddings.position_embeddings.weight", (positions, width)),
            Parameter("embeddings.token_type_embeddings.weight", (types, width)),
            *_norm("embeddings.LayerNorm", width),
            *(parameter for index in range(depth) for parameter in _layer(index, width, hidden)),
            *_linear("pooler.dense", width, width),
        ),
        depth=depth,
        width=width,
        recipe="hf-default",
        dtype="float32",
        config={
            "architectures": ["BertModel"],
            "model_type": "bert",
            "attention_probs_dropout_prob": 0.1,
            "hidden_act": "gelu",
            "hidden_dropout_prob": 0.1,
            "hidden_size": width,
            "initializer_range": 0.02,
            "intermediate_size": hidden,
            "layer_norm_eps": 1e-12,
            "max_position_embeddings": positions,
            "num_attention_heads": heads,
            "num_hidden_layers": depth,
            "pad_token_id": padding,
            "type_vocab_size": types,
            "vocab_size": vocabulary,
        },
        source="J. Devlin, M.-W. Chang, K. Lee, K. Toutanova (2018), BERT: Pre-training of Deep "
        "Bidirectional Transformers for Language Understanding, arXiv:1810.04805; config.json of "
        "huggingface.co/google-bert/bert-base-uncased; names of transformers' BertModel",
    )


MODELS: dict[str, Callable[[], Model]] = {
    "bert-base": partial(_bert, "bert-base", width=768, depth=12, heads=12, hidden=3072, vocabulary=30522),
}
