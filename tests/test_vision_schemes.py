"""Knows the numbers of vision, module and adapter schemes as literals; it must not know our formulas."""

from __future__ import annotations

from typing import Any

import pytest

import fanfill as ff
from fanfill import recipes
from fanfill.model import Model, Parameter
from scheme import bound, on, plan, std


def test_vit_timm_is_trunc_normal_002() -> None:
    # timm, init_weights_vit_timm, init_weights: trunc_normal_(std=.02), cls_token normal_(std=1e-6); the
    # patches' convolution keeps torch's U(±1/sqrt(3 * 16 * 16)).
    made = plan("vit-b-16", "vit-timm")
    matrix = ff.TruncatedNormal(0.0, 0.02, (-2.0, 2.0), "absolute")
    assert made["vit.encoder.layer.0.attention.attention.query.weight"].law == matrix
    assert made["vit.encoder.layer.11.output.dense.weight"].law == made["classifier.weight"].law == matrix
    assert made["vit.embeddings.position_embeddings"].law == matrix
    assert made["vit.embeddings.cls_token"].law == ff.Normal(0.0, 1e-6)
    assert made["vit.encoder.layer.0.intermediate.dense.bias"].law == ff.Constant(0.0)
    for part in ("weight", "bias"):
        assert bound(made, f"vit.embeddings.patch_embeddings.projection.{part}") == 0.0360843918243516


def test_vit_jax_has_a_zero_head_and_glorot_layers() -> None:
    # timm, init_weights_vit_jax: xavier_uniform_ sqrt(6 / 1536) and sqrt(6 / 3840), mlp biases N(0, 1e-6),
    # patches lecun_normal_ 1/sqrt(768), head zero.
    made = plan("vit-b-16", "vit-jax")
    assert bound(made, "vit.encoder.layer.0.attention.output.dense.weight") == 0.0625
    assert bound(made, "vit.encoder.layer.0.intermediate.dense.weight") == 0.0395284707521047
    assert made["vit.encoder.layer.0.output.dense.bias"].law == ff.Normal(0.0, 1e-6)
    assert made["vit.encoder.layer.0.attention.output.dense.bias"].law == ff.Constant(0.0)
    assert made["classifier.weight"].law == made["classifier.bias"].law == ff.Constant(0.0)
    patches: Any = made["vit.embeddings.patch_embeddings.projection.weight"].law
    assert (patches.bounds, patches.correct_variance) == ((-2.0, 2.0), True)
    assert patches.std == pytest.approx(0.0360843918243516)


def test_vit_moco_treats_query_key_and_value_separately() -> None:
    # timm, init_weights_vit_moco: sqrt(6 / (2304 // 3 + 768)) for a fused qkv, as for three of 768 by 768.
    fused = Model("listed", [Parameter("blocks.0.attn.qkv.weight", (2304, 768), parts=3)], depth=1)
    for made, name in (
        (plan("vit-b-16", "vit-moco"), "vit.encoder.layer.0.attention.attention.key.weight"),
        (on("vit-moco", **{"blocks.0.attn.qkv.weight": (2304, 768)}), "blocks.0.attn.qkv.weight"),
        (recipes.find("vit-moco").plan(fused, seed=0), "blocks.0.attn.qkv.weight"),
    ):
        assert bound(made, name) == 0.0625
    # The JAX form takes the fused matrix for one: sqrt(6 / (2304 + 768)).
    assert bound(on("vit-jax", **{"blocks.0.attn.qkv.weight": (2304, 768)}), "blocks.0.attn.qkv.weight") == (
        0.0441941738241592
    )


def test_resnet_is_kaiming_fan_out() -> None:
    # torchvision, resnet.py: kaiming_normal_(mode="fan_out", nonlinearity="relu"): sqrt(2 / (49 * 64)) for
    # the stem, sqrt(2 / (9 * 512)) for the last 3x3; the classifier stays U(±1/sqrt(2048)).
    made = plan("resnet-50", "resnet")
    assert std(made, "resnet.embedder.embedder.convolution.weight") == 0.0252538136138052
    assert std(made, "resnet.encoder.stages.3.layers.2.layer.1.convolution.weight") == 0.0208333333333333
    assert bound(made, "classifier.1.weight") == bound(made, "classifier.1.bias") == 0.0220970869120796
    last = "resnet.encoder.stages.3.layers.2.layer.2.normalization"
    assert made[f"{last}.weight"].law == made[f"{last}.running_var"].law == ff.Constant(1.0)
    assert made[f"{last}.bias"].law == made[f"{last}.running_mean"].law == ff.Constant(0.0)


def test_resnet_zero_gamma_zeroes_the_last_norm_of_each_block_and_no_other() -> None:
    # Goyal et al., section 5.1: gamma = 0 for the last BN of each residual block; ResNet-50 has 16 of them.
    made = plan("resnet-50", "resnet-zero-gamma")
    zeros = [s.name for s in made if s.name.endswith(".weight") and s.law == ff.Constant(0.0)]
    assert len(zeros) == 16
    assert all(name.endswith(".layer.2.normalization.weight") for name in zeros)
    basic = {"layer1.0.bn1.weight": (64,), "layer1.0.bn2.weight": (64,), "bn1.weight": (64,)}
    assert [s.law for s in on("resnet-zero-gamma", **basic)] == [
        ff.Constant(1.0),
        ff.Constant(0.0),
        ff.Constant(1.0),
    ]


def test_fixup_begins_with_every_branch_at_zero() -> None:
    # fixup_resnet_imagenet.py: sqrt(2 / (out * k * k)) * num_layers ** (-0.5) for the first of two,
    # ** (-0.25) for the first two of three; with num_layers the number of blocks.
    basic = {
        "conv1.weight": (64, 3, 7, 7),
        "bias1": (1,),
        **{f"layer{at}.{block}.conv1.weight": (64, 64, 3, 3) for at in (1, 2) for block in (0, 1)},
        **{f"layer{at}.{block}.conv2.weight": (64, 64, 3, 3) for at in (1, 2) for block in (0, 1)},
        "layer2.0.downsample.weight": (128, 64, 1, 1),
        "layer1.0.bias1a": (1,),
        "layer1.0.bias2b": (1,),
        "layer1.0.scale": (1,),
        "fc.weight": (10, 64),
        "fc.bias": (10,),
    }
    made = on("fixup", **basic)
    assert std(made, "conv1.weight") == 0.0252538136138052  # sqrt(2 / (49 * 64))
    assert std(made, "layer1.0.conv1.weight") == 0.0294627825494395  # sqrt(2 / (9 * 64)) / 2
    assert std(made, "layer2.0.downsample.weight") == 0.125
    assert made["layer2.1.conv2.weight"].law == made["fc.weight"].law == ff.Constant(0.0)
    assert made["layer1.0.bias1a"].law == made["bias1"].law == ff.Constant(0.0)
    assert made["layer1.0.scale"].law == ff.Constant(1.0)
    block = "resnet.encoder.stages.0.layers"
    deep = {
        f"{block}.{at}.layer.{index}.convolution.weight": (8, 8, 1, 1)
        for at in range(16)
        for index in range(3)
    }
    bottleneck = on("fixup", **deep)
    assert std(bottleneck, f"{block}.9.layer.1.convolution.weight") == 0.25  # sqrt(2 / 8) * 16 ** -0.25
    assert bottleneck[f"{block}.9.layer.2.convolution.weight"].law == ff.Constant(0.0)


def test_efficientnet_counts_the_fan_of_one_group() -> None:
    # timm, _init_weight_goog with fix_group_fanout: sqrt(2 / (9 * 32)), depthwise sqrt(2 / 9),
    # U(±1/sqrt(1000)).
    listed = [
        Parameter("conv_stem.weight", (32, 3, 3, 3)),
        Parameter("blocks.0.0.conv_dw.weight", (32, 1, 3, 3), groups=32),
        Parameter("blocks.0.0.bn1.weight", (32,)),
        Parameter("blocks.0.0.bn1.running_var", (32,), buffer=True),
        Parameter("blocks.0.0.se.conv_reduce.weight", (8, 32, 1, 1)),
        Parameter("blocks.0.0.se.conv_reduce.bias", (8,)),
        Parameter("blocks.1.0.conv_pwl.weight", (24, 96, 1, 1)),
        Parameter("classifier.weight", (1000, 1280)),
        Parameter("classifier.bias", (1000,)),
    ]
    made = recipes.find("efficientnet").plan(Model("listed", listed, depth=1), seed=0)
    assert std(made, "conv_stem.weight") == 0.0833333333333333
    assert std(made, "blocks.0.0.conv_dw.weight") == 0.471404520791032
    assert std(made, "blocks.0.0.se.conv_reduce.weight") == 0.5  # sqrt(2 / 8)
    assert std(made, "blocks.1.0.conv_pwl.weight") == 0.288675134594813  # sqrt(2 / 24)
    assert made["blocks.0.0.se.conv_reduce.bias"].law == made["classifier.bias"].law == ff.Constant(0.0)
    assert bound(made, "classifier.weight") == 0.0316227766016838
    assert made["blocks.0.0.bn1.running_var"].buffer


@pytest.mark.parametrize("name", ["{}", "{}.weight", "{}.default.weight"])  # loralib's and peft's names
def test_lora_draws_a_and_zeroes_b(name: str) -> None:
    # loralib, layers.py: kaiming_uniform_(lora_A, a=sqrt(5)) over 4096 inputs is U(±1/64); zeros_(lora_B).
    down, up = (f"base.layers.0.q_proj.{name.format(matrix)}" for matrix in ("lora_A", "lora_B"))
    made = on("lora", **{down: (8, 4096), up: (4096, 8)})
    assert bound(made, down) == 0.015625
    assert made[up].law == ff.Constant(0.0)


def test_torch_default_is_reset_parameters() -> None:
    # torch.nn: Linear and Conv U(±1/sqrt(fan_in)) for both, Embedding N(0, 1), MultiheadAttention
    # xavier_uniform_ over its fused 3d x d, its biases 0, LSTM U(±1/sqrt(hidden)).
    made = on(
        "torch-default",
        **{
            "fc.weight": (10, 64),
            "fc.bias": (10,),
            "conv1.weight": (8, 4, 5, 5),
            "conv1.bias": (8,),
            "bn1.weight": (8,),
            "bn1.running_var": (8,),
            "norm.bias": (8,),
            "embedding.weight": (100, 16),
            "attn.in_proj_weight": (192, 64),
            "attn.in_proj_bias": (192,),
            "attn.out_proj.weight": (64, 64),
            "attn.out_proj.bias": (64,),
            "rnn.weight_ih_l0": (256, 16),
            "rnn.weight_hh_l0": (256, 64),
            "rnn.bias_hh_l0": (256,),
        },
    )
    for name in ("fc.weight", "fc.bias", "attn.out_proj.weight"):
        assert bound(made, name) == 0.125
    for name in ("conv1.weight", "conv1.bias"):
        assert bound(made, name) == 0.1
    assert bound(made, "attn.in_proj_weight") == 0.153093108923949  # sqrt(6 / 256)
    for name in ("attn.in_proj_bias", "attn.out_proj.bias", "norm.bias"):
        assert made[name].law == ff.Constant(0.0)
    for name in ("rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.bias_hh_l0"):
        assert bound(made, name) == 0.125
    assert made["embedding.weight"].law == ff.Normal(0.0, 1.0)
    assert made["bn1.weight"].law == made["bn1.running_var"].law == ff.Constant(1.0)
    with pytest.raises(ValueError, match=r"'fc\.bias' follows from its module's weight"):
        on("torch-default", **{"fc.bias": (10,)})
