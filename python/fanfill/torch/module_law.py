"""Knows by which law each kind of module starts its parameters, by torch and by transformers' general rule.

It must not know names of whole models, memory or seeds.
"""

from __future__ import annotations

import math
from typing import Any

from torch import nn

from ..law import Constant, Law, Normal
from ..recipes.torch_default import symmetric

__all__ = ["hf_default_law", "torch_default_law"]

_ZERO, _ONE = Constant(0.0), Constant(1.0)
_HF_STD = 0.02  # initializer_range's default
_DENSE = (nn.Linear, nn.Bilinear, nn.modules.conv._ConvNd)
_EMBEDDINGS = (nn.Embedding, nn.EmbeddingBag)
_NORMS = (nn.LayerNorm, nn.GroupNorm, nn.modules.batchnorm._NormBase, nn.RMSNorm)
_RECURRENT = (nn.RNNBase, nn.RNNCellBase)


def torch_default_law(
    owner: Any, own: str, shape: tuple[int, ...], weight: tuple[int, ...] | None, *, in_transformer: bool
) -> Law | None:
    """Return the law by which a module's ``reset_parameters`` draws its tensor `own`, or None if unknown.

    Parameters
    ----------
    owner : torch.nn.Module
        The module that holds it.
    own : str
        What that module calls it.
    shape : tuple of int
        Its global shape.
    weight : tuple of int or None
        The global shape of the module's ``weight``, where that is a parameter.
    in_transformer : bool
        Whether it is inside an ``nn.Transformer``, which draws all its matrices anew.
    """
    if isinstance(owner, (nn.MultiheadAttention, *_DENSE)) and in_transformer and len(shape) > 1:
        return _glorot_uniform(shape)
    if isinstance(owner, _DENSE) and own in ("weight", "bias") and weight is not None:
        if own == "bias" and isinstance(owner, nn.modules.linear.NonDynamicallyQuantizableLinear):
            return _ZERO  # MultiheadAttention's output
        kernel = () if isinstance(owner, nn.Bilinear) else weight[2:]
        fan_in = math.prod((weight[1], *kernel))  # also of a transposed convolution, as torch counts
        return symmetric(1.0 / math.sqrt(fan_in)) if fan_in else _ZERO
    if isinstance(owner, _EMBEDDINGS) and own == "weight":
        return Normal(0.0, 1.0)
    if isinstance(owner, nn.MultiheadAttention):
        return _attention_law(shape, own)
    if isinstance(owner, _RECURRENT):
        return symmetric(1.0 / math.sqrt(owner.hidden_size)) if owner.hidden_size else _ZERO
    if isinstance(owner, nn.PReLU) and own == "weight":
        return Constant(owner.init)
    return _norm_law(owner, own, shape)


def hf_default_law(owner: Any, own: str, shape: tuple[int, ...]) -> Law | None:
    """Return the law of ``PreTrainedModel._init_weights`` for a module outside of any model of transformers.

    The standard deviation is ``initializer_range``'s default. None if the rule doesn't know the module.
    """
    if isinstance(owner, (nn.Linear, nn.modules.conv._ConvNd, *_EMBEDDINGS)) and own in ("weight", "bias"):
        return Normal(0.0, _HF_STD) if own == "weight" else _ZERO
    if isinstance(owner, nn.MultiheadAttention):
        return _attention_law(shape, own)
    if isinstance(owner, nn.LSTM):
        return _glorot_uniform(shape) if "weight" in own else _ZERO
    return _norm_law(owner, own, shape)


def _norm_law(owner: Any, own: str, shape: tuple[int, ...]) -> Law | None:
    # Normalizations are often classes of a model's own: their name and their one axis tell.
    is_norm = isinstance(owner, _NORMS) or (len(shape) == 1 and "norm" in type(owner).__name__.lower())
    return {"weight": _ONE, "bias": _ZERO}.get(own) if is_norm else None


def _attention_law(shape: tuple[int, ...], own: str) -> Law | None:
    if own in ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight"):
        return _glorot_uniform(shape)
    if own == "in_proj_bias":
        return _ZERO
    if own in ("bias_k", "bias_v"):
        return Normal(0.0, math.sqrt(1.0 / shape[-1]))
    return None


def _glorot_uniform(shape: tuple[int, ...]) -> Law:
    """Return the law of ``xavier_uniform_`` on the whole tensor, fused or not."""
    kernel = math.prod(shape[2:])
    both = (shape[0] + shape[1]) * kernel
    return symmetric(math.sqrt(6.0 / both)) if both else _ZERO
