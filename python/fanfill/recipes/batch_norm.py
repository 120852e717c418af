"""What a batch norm starts as, for the recipes of convolutional networks.

It must not know convolutions or which network it is in.
"""

from __future__ import annotations

from ..law import Constant
from ..recipe import Rule


def batch_norm(norm: str) -> tuple[tuple[str, Rule], ...]:
    """Return the rules for modules whose whole name matches `norm`: the identity, of unit variance."""
    return (
        (rf"(?:{norm})\.weight", Constant(1.0)),
        (rf"(?:{norm})\.bias", Constant(0.0)),
        (rf"(?:{norm})\.running_mean", Constant(0.0)),
        (rf"(?:{norm})\.running_var", Constant(1.0)),
    )
