"""Knows the published sizes of the built-in models; it must not know their laws."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from fanfill import Normal, ParamSpec, Uniform, models, recipes
from fanfill.model import Model, Parameter

# Tensors and parameters of the published checkpoints, a tied head counted once.
PUBLISHED = {
    "gpt2": (148, 124_439_808),
    "gpt2-medium": (292, 354_823_168),
    "gpt2-large": (436, 774_030_080),
    "gpt2-xl": (580, 1_557_611_200),
    "bert-base": (199, 109_482_240),
    "llama-2-7b": (291, 6_738_415_616),
    "llama-3.2-1b": (146, 1_235_814_400),
    "llama-3-8b": (291, 8_030_261_248),
    "llama-3-70b": (723, 70_553_706_496),
    "llama-3.1-405b": (1_137, 405_853_388_800),
    "mixtral-8x7b": (995, 46_702_792_704),
    "deepseek-v3": (45_395, 671_026_419_200),
    "vit-b-16": (200, 86_567_656),  # 152 with query, key and value fused
    "vit-l-16": (392, 304_326_632),
    "resnet-50": (161, 25_557_032),
}


def test_the_table_is_what_is_tested() -> None:
    assert set(models.names()) == set(PUBLISHED)


@pytest.mark.parametrize(("name", "counts"), PUBLISHED.items())
def test_tensors_and_parameters_are_the_published_ones(name: str, counts: tuple[int, int]) -> None:
    model = models.find(name)
    parameters = [parameter for parameter in model.parameters if not parameter.buffer]
    assert (len(parameters), model.numel) == counts
    assert len({parameter.name for parameter in parameters}) == counts[0]


def test_batch_norm_statistics_are_listed_and_counted_apart() -> None:
    buffers = [parameter for parameter in models.find("resnet-50").parameters if parameter.buffer]
    assert len(buffers) == 2 * 53  # a mean and a variance for each of the 53 convolutions
    assert sum(parameter.numel for parameter in buffers) == 53_120
    assert {parameter.name.rpartition(".")[2] for parameter in buffers} == {"running_mean", "running_var"}


def test_gpt2_has_the_published_names_and_layouts() -> None:
    parameters = {parameter.name: parameter for parameter in models.find("gpt2").parameters}
    # The example of the safetensors documentation, "Metadata parsing": the header of gpt2's own file.
    assert parameters["h.10.ln_1.weight"].shape == (768,)
    assert parameters["h.2.attn.c_attn.weight"].shape == (768, 2304)
    assert parameters["h.2.attn.c_attn.weight"].layout == "io"
    assert parameters["wte.weight"].tie == ("lm_head.weight",)
    assert not any(name.startswith("transformer.") or name.endswith(".attn.bias") for name in parameters)


def test_llama_ties_the_head_only_where_published() -> None:
    names = {name: {p.name for p in models.find(name).parameters} for name in ("llama-3.2-1b", "llama-3-8b")}
    assert "lm_head.weight" not in names["llama-3.2-1b"]
    assert "lm_head.weight" in names["llama-3-8b"]
    assert models.find("llama-3.2-1b").parameters[0].tie == ("lm_head.weight",)
    assert models.find("llama-3-8b").parameters[0].tie == ()


@pytest.mark.parametrize(
    ("model", "name", "shape"),
    [
        # README_WEIGHTS.md and the index of deepseek-ai/DeepSeek-V3; heads 128 x (128 + 64), 512 + 64.
        ("deepseek-v3", "model.layers.3.mlp.experts.255.down_proj.weight", (7168, 2048)),
        ("deepseek-v3", "model.layers.60.mlp.gate.e_score_correction_bias", (256,)),
        ("deepseek-v3", "model.layers.0.self_attn.q_b_proj.weight", (24576, 1536)),
        ("deepseek-v3", "model.layers.0.self_attn.kv_a_proj_with_mqa.weight", (576, 7168)),
        # The index of mistralai/Mixtral-8x7B-v0.1.
        ("mixtral-8x7b", "model.layers.31.block_sparse_moe.experts.7.w2.weight", (4096, 14336)),
        ("mixtral-8x7b", "model.layers.0.block_sparse_moe.gate.weight", (8, 4096)),
        # The files of google/vit-base-patch16-224 and microsoft/resnet-50.
        ("vit-b-16", "vit.encoder.layer.11.attention.attention.query.weight", (768, 768)),
        ("vit-l-16", "vit.embeddings.position_embeddings", (1, 197, 1024)),
        ("resnet-50", "resnet.encoder.stages.3.layers.0.shortcut.convolution.weight", (2048, 1024, 1, 1)),
        ("resnet-50", "resnet.encoder.stages.3.layers.2.layer.2.normalization.running_var", (2048,)),
    ],
)
def test_published_names_are_there(model: str, name: str, shape: tuple[int, ...]) -> None:
    assert models.find(model).by_name[name].shape == shape


def test_no_layer_of_the_multi_token_prediction_module() -> None:
    assert not any(".layers.61." in name for name in models.find("deepseek-v3").by_name)


def test_default_recipes_are_the_named_ones() -> None:
    named = {name: models.find(name).recipe for name in models.names() if not name.startswith("gpt2")}
    assert named == {
        "bert-base": "hf-default",
        "llama-2-7b": "hf-default",
        "llama-3.2-1b": "llama3",
        "llama-3-8b": "llama3",
        "llama-3-70b": "llama3",
        "llama-3.1-405b": "llama3",
        "mixtral-8x7b": "hf-default",
        "deepseek-v3": "deepseek",
        "vit-b-16": "vit-timm",
        "vit-l-16": "vit-timm",
        "resnet-50": "resnet",
    }


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_model_has_its_source_and_a_recipe_that_covers_it(name: str) -> None:
    model = models.find(name)
    assert model.recipe is not None
    assert recipes.find(model.recipe).unmatched(model) == []
    assert "20" in model.source


@pytest.mark.parametrize(
    ("dtype", "opened_as"), [("bfloat16", "bfloat16"), ("float64", "float64"), ("float8_e4m3fn", "float32")]
)
def test_config_says_the_type_to_open_with(dtype: str, opened_as: str) -> None:
    assert json.loads(models.find("gpt2").config_json(dtype))["torch_dtype"] == opened_as


@pytest.mark.parametrize(("name", "closest"), [("gtp2", "'gpt2'"), ("llama-3.2-1B", "'llama-3.2-1b'")])
def test_an_unknown_name_lists_the_known_and_the_closest(name: str, closest: str) -> None:
    with pytest.raises(ValueError, match=f"did you mean {closest}") as caught:
        models.find(name)
    assert all(known in str(caught.value) for known in PUBLISHED)


def test_fans_of_a_parameter_see_parts_groups_and_batch_axes() -> None:
    assert Parameter("qkv.weight", (96, 32), parts=[64, 16, 16]).fans == ((32, 64), (32, 16), (32, 16))
    assert Parameter("conv_dw.weight", (32, 1, 3, 3), groups=32).fans == ((9, 9),)
    assert Parameter("experts.w", (8, 64, 32), batch_axes=(0,)).fans == ((32, 64),)
    assert Parameter("c_attn.weight", (32, 96), layout="io", parts=3).fans == ((32, 32),) * 3
    assert Parameter("up.weight", (64, 16, 2, 2), transposed=True, groups=4).fans == ((64, 64),)
    assert Parameter("up.weight", (64, 16, 2, 2)).fans == ((64, 256),)


def test_transposed_weights_have_no_parts() -> None:
    with pytest.raises(ValueError, match="transposed: the transposed weight 'up' can't have parts"):
        Parameter("up", (8, 4), transposed=True, parts=2)


def test_torch_default_counts_the_fans_of_a_transposed_weight_as_torch_does() -> None:
    listed = [Parameter("up.weight", (64, 16, 2, 2), transposed=True), Parameter("up.bias", (16,))]
    plan = recipes.find("torch-default").plan(Model("tiny", listed, depth=1), seed=0)
    assert plan["up.weight"].law == plan["up.bias"].law == Uniform(-0.125, 0.125)


def test_the_spec_of_a_parameter_has_all_of_it() -> None:
    members = {"layout": "io", "batch_axes": (0,), "buffer": True, "tie": ("v",)}
    parameter = Parameter("w", (2, 4, 6), parts=(2, 4), **members)
    laws = (Normal(0.0, 1.0), Normal(0.0, 2.0))
    spec = parameter.spec(laws, "float16")
    assert spec == ParamSpec("w", (2, 4, 6), laws, dtype="float16", parts=(2, 4), **members)
    padded = Parameter("e", (9, 4), padding_row=3).spec(laws[:1], "float32")
    assert padded == ParamSpec("e", (9, 4), laws[0], padding_row=3)


@pytest.mark.parametrize("find", [models.find, recipes.find])
@pytest.mark.parametrize("name", [5, None])
def test_a_name_that_is_no_str_is_refused_without_a_guess(find: Any, name: object) -> None:
    with pytest.raises(TypeError, match=f"must be named by a str, not {name}; known: ") as caught:
        find(name)
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"layout": "hwio"}, "^layout of parameter 'w' must be 'oi' or 'io'"),
        ({"parts": 3}, "^parameter 'w': parts: 3 does not divide the 4"),
        ({"parts": None}, "^parameter 'w': parts must be"),
        ({"batch_axes": (7,)}, "^parameter 'w': batch_axes"),
        ({"padding_row": 4}, "^parameter 'w': padding_row must be one of the 4 rows"),
        ({"groups": 3}, "^parameter 'w': groups: 3 does not divide the 4"),
        ({"groups": 2.0}, "^parameter 'w': groups must be an integer"),
        ({"tie": "v"}, "^tie of parameter 'w'"),
        ({"buffer": 1}, "^buffer of parameter 'w'"),
    ],
)
def test_a_parameter_is_checked_when_it_is_made(members: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        Parameter("w", (4, 2), **members)


def test_equal_parameters_and_models_are_equal_and_hash() -> None:
    assert Parameter("w", (4, 2), parts=2) == Parameter("w", (4, 2), parts=[2, 2])
    for name in ("gpt2", "resnet-50"):
        same = pickle.loads(pickle.dumps(models.find(name)))
        assert same == models.find(name)
        assert hash(same) == hash(models.find(name))


def test_depth_width_and_parameters_are_checked() -> None:
    with pytest.raises(TypeError, match=r"^depth of model 'm' must be an integer"):
        Model("m", [], depth="1")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^width of model 'm' must be an integer"):
        Model("m", [], depth=1, width=1.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^dtype of model 'm'"):
        Model("m", [], depth=1, dtype="int8")
    with pytest.raises(TypeError, match=r"^parameters of model 'm' must be"):
        Model("m", 5, depth=1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^name of a model must be a str"):
        Model(5, [], depth=1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="width"):
        Model("m", [], depth=1, width=0)
    with pytest.raises(ValueError, match="depth"):
        Model("m", [], depth=0)
    with pytest.raises(TypeError, match="Parameter"):
        Model("m", [("w", (2,))], depth=1)  # type: ignore[list-item]
