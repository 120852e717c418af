"""ResNet's initialization, with the last batch norm of each block at one or at zero.

It must not know shapes or depths; names may be those of transformers or of torchvision.
"""

from __future__ import annotations

import math

from ..law import Constant, Law, Normal
from ..recipe import Match, Recipe
from .batch_norm import batch_norm
from .torch_default import linear_rules

_STAGE = r"(?:resnet\.encoder\.stages\.\d+\.layers|layer\d)\.\d+\."
_CONVOLUTION = (
    r"(?:resnet\.embedder\.embedder\.convolution|conv1"
    rf"|{_STAGE}(?:(?:shortcut|layer\.\d)\.convolution|conv\d|downsample\.0))\.weight"
)
_NORM = (
    r"resnet\.embedder\.embedder\.normalization|bn1"
    rf"|{_STAGE}(?:(?:shortcut|layer\.\d)\.normalization|bn\d|downsample\.1)"
)
_BLOCK_NORM = rf"{_STAGE}(?:layer\.(?P<index>\d)\.normalization|bn(?P<number>\d))\.weight"
_HEAD = r"classifier\.1|fc"


def _fan_out(match: Match) -> Law:
    return Normal(0.0, math.sqrt(2.0 / match.fans.fan_out))


def _zero_if_last(match: Match) -> Law:
    """Return zero for the norm that ends a block's residual branch: no convolution comes after it."""
    name = match.parameter.name
    *_, number, end = name.split(".")[-3:]
    if number.startswith("bn"):
        following = name.removesuffix(f"{number}.{end}") + f"bn{int(number[2:]) + 1}.{end}"
    else:
        module, _, rest = name.rpartition(".layer.")
        index, _, end = rest.partition(".")
        following = f"{module}.layer.{int(index) + 1}.{end}"
    return Constant(1.0 if following in match.model.by_name else 0.0)


_CITATION = (
    "K. He, X. Zhang, S. Ren, J. Sun (2015), Delving Deep into Rectifiers, ICCV; in the form of "
    "torchvision's resnet.py: convolutions N(0, 2/fan_out), classifier U(±1/sqrt(fan_in))"
)

RECIPES = (
    Recipe(
        "resnet",
        ((_CONVOLUTION, _fan_out), *batch_norm(_NORM), *linear_rules(_HEAD)),
        citation=_CITATION,
    ),
    Recipe(
        "resnet-zero-gamma",
        (
            (_CONVOLUTION, _fan_out),
            (_BLOCK_NORM, _zero_if_last),
            *batch_norm(_NORM),
            *linear_rules(_HEAD),
        ),
        citation=f"{_CITATION}; last gamma of each block 0: P. Goyal et al. (2017), Accurate, Large "
        "Minibatch SGD: Training ImageNet in 1 Hour, arXiv:1706.02677, section 5.1",
    ),
)
