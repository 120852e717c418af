"""The low-rank adapters' initialization: the down-projection drawn, the up-projection zero.

It must not know shapes, ranks or what is adapted; names are those of loralib and peft.
"""

from __future__ import annotations

import math

from ..law import Constant, Law, Normal
from ..recipe import Match, Recipe
from .torch_default import symmetric

_ADAPTER = r"(?:\.\w+)?(?:\.weight)?"  # peft puts the adapter's name between


def _down(match: Match) -> Law:
    return symmetric(1.0 / math.sqrt(match.fans.fan_in))


RECIPES = (
    Recipe(
        "lora",
        (
            (rf".*\.lora_A{_ADAPTER}", _down),
            (rf".*\.lora_B{_ADAPTER}", Constant(0.0)),
            (rf".*\.lora_embedding_A{_ADAPTER}", Constant(0.0)),
            (rf".*\.lora_embedding_B{_ADAPTER}", Normal(0.0, 1.0)),
        ),
        citation="E. J. Hu et al. (2021), LoRA: Low-Rank Adaptation of Large Language Models, "
        "arXiv:2106.09685; loralib/layers.py: A kaiming_uniform_(a=sqrt(5)), which is U(±1/sqrt(fan_in)), "
        "B zero; peft's embedding adapters A zero, B N(0, 1)",
    ),
)
