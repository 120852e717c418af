"""What the modules of torch draw when they are made.

It must not know any model; a module's kind is read from its name and its tensors.
"""

from __future__ import annotations

import math

from ..law import Constant, Law, Normal, Uniform
from ..model import Parameter
from ..recipe import Match, Recipe, Rule
from .batch_norm import batch_norm


def symmetric(bound: float) -> Law:
    """Return U(-bound, bound)."""
    return Uniform(-bound, bound)


def _torch_fan_in(parameter: Parameter, part: int = 0) -> float:
    """Return what torch takes for the fan_in: of a transposed convolution it is the fan_out."""
    fans = parameter.fans[part]
    return fans.fan_out if parameter.transposed else fans.fan_in


def _weight(match: Match) -> Law:
    return symmetric(1.0 / math.sqrt(_torch_fan_in(match.parameter, match.part)))


def _of_its_module(match: Match, name: str) -> Parameter:
    """Return the tensor of the same module from which the law follows."""
    found = match.sibling(name)
    if found is None:
        raise ValueError(
            f"the law of {match.parameter.name!r} follows from its module's {name}, which the model lacks"
        )
    return found


def _bias(match: Match) -> Law:
    return symmetric(1.0 / math.sqrt(_torch_fan_in(_of_its_module(match, "weight"))))


def linear_rules(module: str) -> tuple[tuple[str, Rule], ...]:
    """Return the rules of linear and convolution modules of such a name: U(±1/sqrt(fan_in)) twice."""
    return ((rf"(?:{module})\.weight", _weight), (rf"(?:{module})\.bias", _bias))


def _attention_input(match: Match) -> Law:
    # MultiheadAttention takes the fans of the fused matrix, parts or not.
    rows, columns = match.parameter.shape
    return symmetric(math.sqrt(6.0 / (rows + columns)))


def _out_projection_bias(match: Match) -> Law:
    attention = match.parameter.name.removesuffix("out_proj.bias")
    return Constant(0.0) if f"{attention}in_proj_weight" in match.model.by_name else _bias(match)


def _recurrent(match: Match) -> Law:
    layer = match.parameter.name.rpartition("_l")[2]
    return symmetric(1.0 / math.sqrt(_of_its_module(match, f"weight_hh_l{layer}").shape[-1]))


_NORM = r"(?:.*\.)?(?:\w*norm\d*|\w*normalization|LayerNorm|bn\d*|ln_\w+|layer_norm\w*|layernorm\w*)"
_EMBEDDING = r"(?:.*\.)?(?:\w*embed(?:dings?|_tokens|_in|_positions)?|wte|wpe|shared)\.weight"

RECIPES = (
    Recipe(
        "torch-default",
        (
            *batch_norm(_NORM),
            (_EMBEDDING, Normal(0.0, 1.0)),
            (r"(?:.*\.)?in_proj_weight", _attention_input),
            (r"(?:.*\.)?in_proj_bias", Constant(0.0)),
            (r"(?:.*\.)?out_proj\.bias", _out_projection_bias),
            (r"(?:.*\.)?(?:weight|bias)_[ih]h_l\d+(?:_reverse)?", _recurrent),
            *linear_rules(".*"),
        ),
        citation="A. Paszke et al. (2019), PyTorch: An Imperative Style, High-Performance Deep Learning "
        "Library, NeurIPS; reset_parameters of torch.nn: Linear and Conv U(±1/sqrt(fan_in)) for weight and "
        "bias, Embedding N(0, 1), norms 1 and 0, MultiheadAttention xavier_uniform over the fused matrix, "
        "recurrent U(±1/sqrt(hidden))",
    ),
)
