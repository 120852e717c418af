"""A model of three small tensors; it must not know what is done with it."""

from __future__ import annotations

from fanfill.model import Model, Parameter

TINY = Model(
    "tiny",
    [
        Parameter("wte.weight", (50, 8), tie=("lm_head.weight",)),
        Parameter("h.0.attn.c_attn.weight", (8, 24), layout="io"),
        Parameter("h.0.attn.c_attn.bias", (24,)),
    ],
    depth=1,
    recipe="gpt2",
    config={"model_type": "gpt2"},
)
