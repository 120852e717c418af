"""Knows the numbers of Mamba's published scheme as literals; it must not know our formulas."""

from __future__ import annotations

import numpy as np
import pytest

import fanfill as ff
from scheme import bound, on, std

# Of mamba-2.8b: d_model 2560, 64 layers, expand 2, d_state 16, d_conv 4, dt_rank ceil(2560 / 16) = 160.
MIXER = "backbone.layers.63.mixer."
SHAPES = {
    "backbone.embedding.weight": (50280, 2560),
    "backbone.layers.63.norm.weight": (2560,),
    f"{MIXER}A_log": (5120, 16),
    f"{MIXER}D": (5120,),
    f"{MIXER}in_proj.weight": (10240, 2560),
    f"{MIXER}conv1d.weight": (5120, 1, 4),
    f"{MIXER}conv1d.bias": (5120,),
    f"{MIXER}x_proj.weight": (192, 5120),
    f"{MIXER}dt_proj.weight": (5120, 160),
    f"{MIXER}dt_proj.bias": (5120,),
    f"{MIXER}out_proj.weight": (2560, 5120),
    "backbone.norm_f.weight": (2560,),
}


@pytest.fixture
def made() -> ff.Plan:
    return on("mamba", 64, **SHAPES)


def test_projections_are_those_of_mamba_ssm(made: ff.Plan) -> None:
    # mixer_seq_simple.py: initializer_range 0.02; out_proj kaiming_uniform_(a=sqrt(5)) / sqrt(n_layer).
    assert std(made, "backbone.embedding.weight") == 0.02
    assert bound(made, f"{MIXER}in_proj.weight") == 0.0197642353760524  # 2560**-0.5
    assert bound(made, f"{MIXER}x_proj.weight") == 0.0139754248593737  # 5120**-0.5
    assert bound(made, f"{MIXER}out_proj.weight") == 0.0139754248593737 / 8  # 64 layers
    assert bound(made, f"{MIXER}dt_proj.weight") == 0.0790569415042095  # 160**-0.5
    # torch's default of a depthwise convolution of width 4.
    assert bound(made, f"{MIXER}conv1d.weight") == 0.5
    assert bound(made, f"{MIXER}conv1d.bias") == 0.5
    for name in ("backbone.layers.63.norm.weight", "backbone.norm_f.weight", f"{MIXER}D"):
        assert made[name].law == ff.Constant(1.0)


def test_step_sizes_are_log_uniform_in_dt_min_to_dt_max(made: ff.Plan) -> None:
    # mamba_simple.py: dt_min 0.001, dt_max 0.1, dt_init_floor 1e-4; the bias is the inverse of softplus.
    assert made[f"{MIXER}dt_proj.bias"].law == ff.LogUniform(0.001, 0.1, 1e-4, inverse_softplus=True)
    dt = np.log1p(np.exp(made.array(f"{MIXER}dt_proj.bias").astype(np.float64)))
    assert 0.001 <= dt.min() < 0.00101
    assert 0.099 < dt.max() <= 0.1
    assert abs(np.median(dt) / 0.01 - 1.0) < 0.1


def test_every_channel_has_the_states_1_to_16(made: ff.Plan) -> None:
    states = np.exp(made.array(f"{MIXER}A_log").astype(np.float64))
    np.testing.assert_allclose(states, np.tile(np.arange(1.0, 17.0), (5120, 1)), rtol=3e-7)


def test_biases_of_the_projections_are_zero() -> None:
    shapes = {"layers.0.mixer.in_proj.weight": (64, 16), "layers.0.mixer.in_proj.bias": (64,)}
    assert on("mamba", **shapes)["layers.0.mixer.in_proj.bias"].law == ff.Constant(0.0)


def test_the_state_matrix_of_mamba_2_is_refused() -> None:
    with pytest.raises(ValueError, match=r"A_log' must have the shape \(d_inner, d_state\).*not \(80,\)"):
        on("mamba", **{"backbone.layers.0.mixer.A_log": (80,)})
