"""Mamba's initialization: the reference implementation's, with its step sizes and its state matrix.

It must not know shapes or depths; names are those of mamba_ssm and of transformers.
"""

from __future__ import annotations

import math

from ..arange import Arange
from ..law import Constant, Law, Normal
from ..log_uniform import LogUniform
from ..recipe import Match, Recipe
from .torch_default import linear_rules, symmetric

_BACKBONE = r"(?:backbone\.)?"
_LAYER = _BACKBONE + r"layers\.(?P<layer>\d+)\."
_MIXER = _LAYER + r"mixer\."
_NORM = rf"(?:{_LAYER}norm|{_BACKBONE}norm_f)"


def _state_matrix(match: Match) -> Law:
    shape = match.parameter.shape
    if len(shape) != 2:
        raise ValueError(
            f"{match.parameter.name!r} must have the shape (d_inner, d_state) of Mamba's A_log, not {shape}; "
            "Mamba-2 has one number for each head and draws it otherwise"
        )
    return Arange(1, shape[1] + 1, log=True)  # S4D-Real: A = -1, ..., -d_state in every channel


def _out_projection(match: Match) -> Law:
    return symmetric(1.0 / math.sqrt(match.fans.fan_in) / math.sqrt(match.depth))  # one residual a layer


RECIPES = (
    Recipe(
        "mamba",
        (
            (rf"{_BACKBONE}embeddings?\.weight|lm_head\.weight", Normal(0.0, 0.02)),
            (rf"{_MIXER}A_log", _state_matrix),
            (rf"{_MIXER}D", Constant(1.0)),
            (rf"{_MIXER}dt_proj\.bias", LogUniform(0.001, 0.1, floor=1e-4, inverse_softplus=True)),
            (rf"{_MIXER}out_proj\.weight", _out_projection),
            (rf"{_MIXER}(?:in|out)_proj\.bias", Constant(0.0)),
            *linear_rules(rf"{_MIXER}(?:in_proj|x_proj|dt_proj|conv1d)"),
            (rf"{_NORM}\.weight", Constant(1.0)),
            (rf"{_NORM}\.bias", Constant(0.0)),
        ),
        citation="A. Gu, T. Dao (2023), Mamba: Linear-Time Sequence Modeling with Selective State Spaces, "
        "arXiv:2312.00752; state-spaces/mamba, modules/mamba_simple.py and models/mixer_seq_simple.py: "
        "A_log ln(1 ... d_state), D 1, dt_proj.weight U(±dt_rank^-0.5), dt_proj.bias the inverse softplus of "
        "a log-uniform step size in [0.001, 0.1], at least 1e-4, out_proj U(±1/sqrt(fan_in))/sqrt(L), other "
        "projections torch's default, embedding N(0, 0.02)",
    ),
)
