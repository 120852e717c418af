"""Fixup's initialization: residual networks without norms, each branch beginning at zero.

It must not know shapes or depths; names may be those of transformers, of torchvision or of the authors' code.
"""

from __future__ import annotations

import math
import re

from ..law import Constant, Law, Normal
from ..recipe import Match, Recipe

# A block, and the number of the convolution in its branch: from 0 as transformers counts, else from 1.
_BLOCK = r"(?:resnet\.encoder\.stages\.\d+\.layers|layer\d)\.\d+"
_BRANCH = rf"(?P<block>{_BLOCK})\.(?:layer\.(?P<index>\d)\.convolution|conv(?P<number>\d))\.weight"
_OUTSIDE = (
    r"(?:resnet\.embedder\.embedder\.convolution|conv1"
    rf"|{_BLOCK}\.(?:shortcut\.convolution|downsample(?:\.0)?))\.weight"
)
_HEAD = r"(?:classifier\.1|fc)\.(?:weight|bias)"
# The authors' scalars: biases before each convolution and activation, one multiplier to a branch.
_BIAS = rf"bias1|bias2|{_BLOCK}\.bias\d[ab]"
_MULTIPLIER = rf"{_BLOCK}\.scale"


def _he(match: Match) -> float:
    return math.sqrt(2.0 / match.fans.fan_out)


def _outside(match: Match) -> Law:
    return Normal(0.0, _he(match))


def _in_branch(match: Match) -> Law:
    """Return zero for a branch's last layer, and He's scale times L^(-1 / (2m - 2)) for the others.

    L is the number of branches of the network and m that of the layers in this one.
    """
    branches: dict[str, set[str]] = {}
    for name in match.model.by_name:
        found = re.fullmatch(_BRANCH, name)
        if found:
            branches.setdefault(found["block"], set()).add(found["index"] or found["number"])
    found = re.fullmatch(_BRANCH, match.parameter.name)
    assert found is not None  # it was matched to come here
    numbers = branches[found["block"]]
    if (found["index"] or found["number"]) == max(numbers):
        return Constant(0.0)
    return Normal(0.0, _he(match) * len(branches) ** (-1.0 / (2.0 * len(numbers) - 2.0)))


RECIPES = (
    Recipe(
        "fixup",
        (
            (_BRANCH, _in_branch),
            (_OUTSIDE, _outside),
            (_HEAD, Constant(0.0)),
            (_BIAS, Constant(0.0)),
            (_MULTIPLIER, Constant(1.0)),
        ),
        citation="H. Zhang, Y. N. Dauphin, T. Ma (2019), Fixup Initialization: Residual Learning Without "
        "Normalization, arXiv:1901.09321, section 3: last layer of each branch and classifier 0, the others "
        "of the branch He times L^(-1/(2m-2)), biases 0, multipliers 1; He's by fan_out, as in the "
        "authors' code",
    ),
)
