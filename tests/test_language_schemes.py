"""Knows the numbers of the language models' published schemes as literals; it must not know our formulas."""

from __future__ import annotations

from typing import Any

import pytest

import fanfill as ff
from fanfill import models, recipes
from scheme import on, plan, std


def test_gpt2_is_nanogpt() -> None:
    # nanoGPT, model.py: std 0.02, and 0.02 / sqrt(2 * n_layer) for every name that ends in c_proj.weight.
    small, xl = plan("gpt2", "gpt2"), plan("gpt2-xl", "gpt2")
    for name in ("wte.weight", "wpe.weight", "h.0.attn.c_attn.weight", "h.11.mlp.c_fc.weight"):
        assert small[name].law == ff.Normal(0.0, 0.02)
    for name in ("h.0.attn.c_proj.weight", "h.11.attn.c_proj.weight", "h.5.mlp.c_proj.weight"):
        assert std(small, name) == 0.00408248290463863  # 12 layers
        assert std(xl, name) == 0.00204124145231932  # 48 layers
    assert small["h.3.attn.c_proj.bias"].law == ff.Constant(0.0)
    assert small["h.3.ln_2.weight"].law == small["ln_f.weight"].law == ff.Constant(1.0)
    assert small["h.3.ln_2.bias"].law == small["ln_f.bias"].law == ff.Constant(0.0)


def test_gpt2_released_is_the_released_code() -> None:
    # openai/gpt-2, src/model.py: conv1d's w_init_stdev=0.02, wpe 0.01, wte 0.02, no scaling by depth.
    released = plan("gpt2-xl", "gpt2-released")
    assert released["wpe.weight"].law == ff.Normal(0.0, 0.01)
    for name in ("wte.weight", "h.47.attn.c_attn.weight", "h.47.attn.c_proj.weight", "h.0.mlp.c_proj.weight"):
        assert released[name].law == ff.Normal(0.0, 0.02)
    assert released["h.0.mlp.c_proj.bias"].law == released["ln_f.bias"].law == ff.Constant(0.0)
    assert released["ln_f.weight"].law == ff.Constant(1.0)


def test_llama3_is_torchtitan() -> None:
    # torchtitan, models/llama3: wq, wk, wv, w1 (gate) trunc_normal_(std=0.02) with its default bounds -2, 2;
    # wo, w2 (down), w3 (up) 0.02 / sqrt(2 * (layer + 1)); output dim**-0.5 cut at 3 of it; tok_embeddings
    # N(0, 1).
    large = plan("llama-3-8b", "llama3")
    layer = "model.layers.{}.{}_proj.weight".format
    for part in ("self_attn.q", "self_attn.k", "self_attn.v", "mlp.gate"):
        assert large[layer(31, part)].law == ff.TruncatedNormal(0.0, 0.02, (-2.0, 2.0), "absolute")
    for part in ("self_attn.o", "mlp.down", "mlp.up"):
        assert std(large, layer(0, part)) == 0.0141421356237310
        assert std(large, layer(1, part)) == 0.01
        assert std(large, layer(31, part)) == 0.0025
        law: Any = large[layer(31, part)].law
        assert (law.bounds, law.unit, law.correct_variance) == ((-2.0, 2.0), "absolute", False)
    assert large["model.embed_tokens.weight"].law == ff.Normal(0.0, 1.0)
    assert large["lm_head.weight"].law == ff.TruncatedNormal(
        0.0, 0.015625, (-3.0, 3.0), "sigma"
    )  # 4096**-0.5
    assert large["model.norm.weight"].law == ff.Constant(1.0)
    assert large["model.layers.7.post_attention_layernorm.weight"].law == ff.Constant(1.0)


def test_llama3_draws_a_tied_embedding_as_the_head() -> None:
    # torchtitan, models/llama3, its 1B: the embedding skips its own rule, the shared matrix is the output's.
    law: Any = plan("llama-3.2-1b", "llama3")["model.embed_tokens.weight"].law
    assert law.std == pytest.approx(0.0220970869120796)  # 2048**-0.5
    assert (law.bounds, law.unit) == ((-3.0, 3.0), "sigma")


def test_hf_default_is_init_weights() -> None:
    # transformers, PreTrainedModel._init_weights: 0.02 for linear and embedding, 1 for norms; GPT-2's own
    # override scales c_proj.
    llama, gpt2 = plan("llama-3-8b", "hf-default"), plan("gpt2", "hf-default")
    for name in ("model.embed_tokens.weight", "lm_head.weight", "model.layers.31.mlp.down_proj.weight"):
        assert llama[name].law == ff.Normal(0.0, 0.02)
    assert llama["model.norm.weight"].law == ff.Constant(1.0)
    assert gpt2["wpe.weight"].law == ff.Normal(0.0, 0.02)
    assert std(gpt2, "h.0.mlp.c_proj.weight") == 0.00408248290463863
    # Embedding with padding_idx 0: its row is zeroed after the draw.
    bert = plan("bert-base", "hf-default")
    assert bert["embeddings.word_embeddings.weight"].law == ff.Normal(0.0, 0.02)
    assert bert["embeddings.word_embeddings.weight"].padding_row == 0
    assert bert["embeddings.position_embeddings.weight"].padding_row is None
    assert bert["encoder.layer.11.output.dense.weight"].law == ff.Normal(0.0, 0.02)
    assert bert["encoder.layer.11.output.dense.bias"].law == ff.Constant(0.0)
    assert bert["encoder.layer.11.output.LayerNorm.weight"].law == ff.Constant(1.0)
    mixtral = plan("mixtral-8x7b", "hf-default")
    assert mixtral["model.layers.0.block_sparse_moe.experts.7.w2.weight"].law == ff.Normal(0.0, 0.02)


# GPT-NeoX's own names, at a width of 1024 and 24 layers, those of its 410M model.
NEOX: dict[str, tuple[int, ...]] = {
    "gpt_neox.embed_in.weight": (50304, 1024),
    "gpt_neox.layers.5.attention.query_key_value.weight": (3072, 1024),
    "gpt_neox.layers.5.attention.query_key_value.bias": (3072,),
    "gpt_neox.layers.5.attention.dense.weight": (1024, 1024),
    "gpt_neox.layers.5.mlp.dense_h_to_4h.weight": (4096, 1024),
    "gpt_neox.layers.5.mlp.dense_4h_to_h.weight": (1024, 4096),
    "gpt_neox.layers.5.mlp.dense_4h_to_h.bias": (1024,),
    "gpt_neox.layers.5.input_layernorm.weight": (1024,),
    "gpt_neox.layers.5.post_attention_layernorm.bias": (1024,),
    "gpt_neox.final_layer_norm.weight": (1024,),
    "embed_out.weight": (50304, 1024),
}


def test_neox_is_small_init_and_wang_init() -> None:
    # gpt-neox, megatron/model/init_functions.py: small sqrt(2 / (5 * 1024)), wang 2 / 24 / sqrt(1024).
    made = on("neox", 24, 1024, **NEOX)
    for name in (
        "gpt_neox.embed_in.weight",
        "gpt_neox.layers.5.attention.query_key_value.weight",
        "gpt_neox.layers.5.mlp.dense_h_to_4h.weight",
        "embed_out.weight",
    ):
        assert std(made, name) == 0.0197642353760524
    for name in ("attention.dense.weight", "mlp.dense_4h_to_h.weight"):
        assert std(made, f"gpt_neox.layers.5.{name}") == 0.00260416666666667
    assert made["gpt_neox.layers.5.mlp.dense_4h_to_h.bias"].law == ff.Constant(0.0)
    assert made["gpt_neox.layers.5.input_layernorm.weight"].law == ff.Constant(1.0)


def test_a_recipe_that_divides_by_the_width_asks_for_it() -> None:
    with pytest.raises(ValueError, match="width="):
        on("neox", 24, None, **NEOX)


MEGATRON: dict[str, tuple[int, ...]] = {
    "embedding.word_embeddings.weight": (50304, 1024),
    "embedding.position_embeddings.weight": (2048, 1024),
    "decoder.layers.0.self_attention.linear_qkv.weight": (3072, 1024),
    "decoder.layers.0.self_attention.linear_proj.weight": (1024, 1024),
    "decoder.layers.0.mlp.linear_fc1.weight": (4096, 1024),
    "decoder.layers.0.mlp.linear_fc1.bias": (4096,),
    "decoder.layers.0.mlp.linear_fc2.weight": (1024, 4096),
    "decoder.layers.0.input_layernorm.weight": (1024,),
    "decoder.final_layernorm.bias": (1024,),
    "output_layer.weight": (50304, 1024),
}


def test_megatron_is_scaled_init_method_normal() -> None:
    # Megatron-LM's test of init_method_normal and scaled_init_method_normal: 0.02, and with 2 layers 0.01.
    made = on("megatron", 2, None, **MEGATRON)
    for name in ("self_attention.linear_proj", "mlp.linear_fc2"):
        assert std(made, f"decoder.layers.0.{name}.weight") == 0.01
    for name in (
        "embedding.word_embeddings.weight",
        "embedding.position_embeddings.weight",
        "decoder.layers.0.self_attention.linear_qkv.weight",
        "decoder.layers.0.mlp.linear_fc1.weight",
        "output_layer.weight",
    ):
        assert made[name].law == ff.Normal(0.0, 0.02)
    assert made["decoder.final_layernorm.bias"].law == ff.Constant(0.0)


def test_megatron_mup_is_mup_scaled_init_method_normal() -> None:
    # The same test of mup_scaled_init_method_normal: 2 layers, width_mult 4: 0.005; matrices 0.01.
    # gpt_model.py draws the output layer with embedding_init_method, which isn't scaled.
    made = on("megatron-mup", 2, 1024, **MEGATRON)  # base 256
    for name in ("self_attention.linear_proj", "mlp.linear_fc2"):
        assert std(made, f"decoder.layers.0.{name}.weight") == 0.005
    for name in ("self_attention.linear_qkv", "mlp.linear_fc1"):
        assert std(made, f"decoder.layers.0.{name}.weight") == 0.01
    for name in ("embedding.word_embeddings.weight", "output_layer.weight"):
        assert made[name].law == ff.Normal(0.0, 0.02)
    assert plan("gpt2", "megatron-mup")["h.0.mlp.c_fc.weight"].law == ff.Normal(0.0, 0.02 / 3.0**0.5)


def test_mup_is_the_mup_packages_normal() -> None:
    # mup, init.py, normal_: std / sqrt(width multiplier) where both dimensions are infinite, std where one
    # is; at 1024 with respect to 256 that is 0.02 / 2.
    made = on("mup", 2, 1024, **MEGATRON)
    for name in (
        "self_attention.linear_qkv",
        "self_attention.linear_proj",
        "mlp.linear_fc1",
        "mlp.linear_fc2",
    ):
        assert std(made, f"decoder.layers.0.{name}.weight") == 0.01
    for name in ("embedding.word_embeddings.weight", "output_layer.weight"):
        assert made[name].law == ff.Normal(0.0, 0.02)
    assert plan("mixtral-8x7b", "mup")["model.layers.0.block_sparse_moe.gate.weight"].law == ff.Normal(
        0.0, 0.02
    )


# OLMo-1B's sizes: width 2048, 16 layers, feed-forward 8192; the names of its transformers form.
OLMO: dict[str, tuple[int, ...]] = {
    "model.embed_tokens.weight": (50304, 2048),
    "model.layers.7.self_attn.q_proj.weight": (2048, 2048),
    "model.layers.7.self_attn.o_proj.weight": (2048, 2048),
    "model.layers.7.mlp.gate_proj.weight": (8192, 2048),
    "model.layers.7.mlp.up_proj.weight": (8192, 2048),
    "model.layers.7.mlp.down_proj.weight": (2048, 8192),
    "lm_head.weight": (50304, 2048),
}


def cut_at_3(plan: ff.Plan, name: str) -> Any:
    law: Any = plan[name].law
    assert (law.bounds, law.unit, law.correct_variance) == ((-3.0, 3.0), "sigma", False)
    return std(plan, name)


def test_olmo_normal_is_init_std_everywhere() -> None:
    # OLMo, model.py, init_fn normal with init_std 0.02 and no cutoff.
    assert {spec.law for spec in on("olmo-normal", 16, 2048, **OLMO)} == {ff.Normal(0.0, 0.02)}


def test_olmo_mitchell() -> None:
    # OLMo, model.py, init_fn mitchell: 1/sqrt(2048); attn_out 1/sqrt(2 * 2048 * 8); ff_out
    # 1/sqrt(2 * 8192 * 8).
    made = on("olmo-mitchell", 16, 2048, **OLMO)
    for name in (
        "model.embed_tokens",
        "lm_head",
        "model.layers.7.self_attn.q_proj",
        "model.layers.7.mlp.up_proj",
    ):
        assert cut_at_3(made, f"{name}.weight") == 0.0220970869120796
    assert cut_at_3(made, "model.layers.7.self_attn.o_proj.weight") == 0.00552427172801990
    assert cut_at_3(made, "model.layers.7.mlp.down_proj.weight") == 0.00276213586400995


def test_olmo_full_megatron() -> None:
    # OLMo, model.py, init_fn full_megatron: 0.02; outputs 0.02 / sqrt(2 * 16); the head 1/sqrt(2048).
    made = on("olmo-full-megatron", 16, 2048, **OLMO)
    for name in ("model.embed_tokens", "model.layers.7.self_attn.q_proj", "model.layers.7.mlp.gate_proj"):
        assert cut_at_3(made, f"{name}.weight") == 0.02
    for name in ("self_attn.o_proj", "mlp.down_proj"):
        assert cut_at_3(made, f"model.layers.7.{name}.weight") == 0.00353553390593274
    assert cut_at_3(made, "lm_head.weight") == 0.0220970869120796


def test_deepseek_is_0006_everywhere() -> None:
    # DeepSeek-V3 technical report, section 4.2: "standard deviation of 0.006".
    made = plan("deepseek-v3", "deepseek")
    drawn = [spec for spec in made if len(spec.shape) == 2]
    assert {spec.law for spec in drawn} == {ff.Normal(0.0, 0.006)}
    assert len(drawn) == 2 + 61 * 5 + 3 * 3 + 58 * (1 + 257 * 3)
    assert made["model.layers.3.mlp.gate.e_score_correction_bias"].law == ff.Constant(0.0)
    assert made["model.layers.0.self_attn.kv_a_layernorm.weight"].law == ff.Constant(1.0)


def test_t5_is_t5s_init_weights() -> None:
    # T5PreTrainedModel._init_weights with factor 1 at t5-small's sizes: d_model 512, d_kv 64, 8 heads, d_ff
    # 2048.
    block = "decoder.block.3.layer."
    shapes: dict[str, tuple[int, ...]] = {
        "shared.weight": (32128, 512),
        "decoder.block.0.layer.0.SelfAttention.q.weight": (512, 512),
        "decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight": (32, 8),
        f"{block}0.SelfAttention.q.weight": (512, 512),
        f"{block}1.EncDecAttention.k.weight": (512, 512),
        f"{block}1.EncDecAttention.o.weight": (512, 384),
        f"{block}2.DenseReluDense.wi.weight": (2048, 512),
        f"{block}2.DenseReluDense.wo.weight": (512, 2048),
        f"{block}2.layer_norm.weight": (512,),
        "decoder.final_layer_norm.weight": (512,),
    }
    made = on("t5", **shapes)
    assert made["shared.weight"].law == ff.Normal(0.0, 1.0)
    assert std(made, f"{block}0.SelfAttention.q.weight") == 0.00552427172801990  # (512 * 64)**-0.5
    assert std(made, f"{block}1.EncDecAttention.k.weight") == 0.0441941738241592  # 512**-0.5
    assert std(made, f"{block}1.EncDecAttention.o.weight") == 0.0510310363079829  # 384**-0.5
    assert std(made, f"{block}2.DenseReluDense.wi.weight") == 0.0441941738241592
    assert std(made, f"{block}2.DenseReluDense.wo.weight") == 0.0220970869120796  # 2048**-0.5
    bias = "decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
    assert std(made, bias) == 0.0441941738241592
    assert made["decoder.final_layer_norm.weight"].law == ff.Constant(1.0)
    del shapes[bias]
    with pytest.raises(ValueError, match=r"number of heads.*relative_attention_bias"):
        on("t5", **shapes)


def test_deepnorm_is_the_table_of_the_paper() -> None:
    # DeepNet, figure 2: beta is (8N)^-1/4 in one stack: 12 layers give 0.319472. Glorot: sqrt(2 / 1536).
    made = plan("bert-base", "deepnorm")
    glorot = 0.0360843918243516
    for part in ("query", "key"):
        assert std(made, f"encoder.layer.0.attention.self.{part}.weight") == glorot
    for part in ("attention.self.value", "attention.output.dense"):
        assert std(made, f"encoder.layer.11.{part}.weight") == glorot * 0.319471552
    assert std(made, "encoder.layer.0.intermediate.dense.weight") == 0.00729090731579
    # 6 layers each: 0.87 (6^4 6)^-1/16 = 0.496989 in the encoder, (12 * 6)^-1/4 = 0.343294 in the decoder.
    shapes = {
        f"{stack}.layers.{layer}.{module}.weight": (512, 512)
        for stack in ("encoder", "decoder")
        for layer in range(6)
        for module in ("self_attn.q_proj", "self_attn.out_proj", "fc1")
    }
    both = on("deepnorm", 6, **shapes)
    glorot = 0.0441941738241592
    assert std(both, "encoder.layers.0.self_attn.q_proj.weight") == glorot
    assert std(both, "encoder.layers.5.fc1.weight") == glorot * 0.496989241
    assert std(both, "decoder.layers.5.self_attn.out_proj.weight") == glorot * 0.343294524


@pytest.mark.parametrize(
    "recipe",
    [
        *("hf-default", "megatron", "megatron-mup", "olmo-normal", "olmo-mitchell", "olmo-full-megatron"),
        *("neox", "deepseek", "mup", "torch-default"),
    ],
)
@pytest.mark.parametrize("model", ["gpt2", "llama-3-8b", "mixtral-8x7b", "deepseek-v3"])
def test_schemes_of_language_models_cover_all_of_them(recipe: str, model: str) -> None:
    # torch-default alone can't: the correction bias isn't in a module whose default torch defines.
    missing = recipes.find(recipe).unmatched(models.find(model))
    if (recipe, model) == ("torch-default", "deepseek-v3"):
        assert len(missing) == 58
    else:
        assert missing == []
