"""Models of the built-in ones' forms, small enough to be drawn in a test; it must not know what is tested."""

from __future__ import annotations

from fanfill.model import Model
from fanfill.models import bert, deepseek, llama, mixtral, resnet, vit


def small_llama(tied: bool) -> Model:
    """Return a Llama of the built-in ones' form, small enough to be drawn in a test."""
    return llama._llama3(
        "small", "small", width=128, hidden=256, depth=3, heads=16, head_dim=8, positions=64, tied=tied
    )


def small(family: str) -> Model:
    """Return a model of a built-in one's form, small enough to be drawn in a test."""
    if family == "bert":
        return bert._bert("small", width=128, depth=2, heads=4, hidden=256, vocabulary=500)
    if family == "mixtral":
        return mixtral._mixtral(
            "small", width=128, hidden=256, depth=2, heads=4, kv_heads=2, experts=4, vocabulary=500
        )
    if family == "deepseek_v3":
        sizes = deepseek._Sizes(
            width=128,
            hidden=256,
            expert_hidden=64,
            depth=3,
            dense_layers=1,
            heads=4,
            q_rank=48,
            kv_rank=32,
            nope_dim=16,
            rope_dim=8,
            value_dim=16,
            experts=8,
            vocabulary=500,
            groups=2,
            chosen_groups=1,
            experts_per_token=2,
        )
        return deepseek._deepseek("small", sizes)
    if family == "vit":
        return vit._vit("small", "small", width=64, depth=2, heads=4, image=64, classes=10)
    return resnet._resnet("small", stem=16, widths=(64, 128, 256, 512), depths=(2, 1, 1, 1), classes=10)
