"""Knows what transformers saves, draws and opens of an architecture; it must not know our model tables."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import fanfill as ff
from fanfill import models, recipes
from fanfill.checkpoint.header import CheckpointHeader
from fanfill.cli import main
from fanfill.dtype import as_dtype
from fanfill.hf.config import HfConfig
from fanfill.law_moments import law_moments

pytestmark = pytest.mark.framework

FAR = 6.0  # standard errors; some thousand z-scores are asked for

WORDS: dict[str, Any] = {"vocab_size": 96}
ENCODER: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}
DECODER: dict[str, Any] = {**ENCODER, **WORDS, "num_key_value_heads": 2}
EXPERTS: dict[str, Any] = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
VISION: dict[str, Any] = {**ENCODER, "image_size": 32, "patch_size": 16}

# Class and configuration; what differs between in memory and on disk is there: experts, renamed modules, tied
# heads, fused and transposed matrices, counters, state spaces, models of two modalities.
ARCHITECTURES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "gpt2": ("GPT2LMHeadModel", "gpt2", {"n_layer": 2, "n_embd": 32, "n_head": 4, **WORDS}),
    "llama": ("LlamaForCausalLM", "llama", DECODER),
    "llama tied": ("LlamaForCausalLM", "llama", {**DECODER, "tie_word_embeddings": True, "pad_token_id": 3}),
    "mistral": ("MistralForCausalLM", "mistral", DECODER),
    "mixtral": ("MixtralForCausalLM", "mixtral", {**DECODER, "num_local_experts": 4}),
    "qwen2": ("Qwen2ForCausalLM", "qwen2", DECODER),
    "qwen3": ("Qwen3ForCausalLM", "qwen3", {**DECODER, "head_dim": 8}),
    "qwen3_moe": ("Qwen3MoeForCausalLM", "qwen3_moe", {**DECODER, **EXPERTS, "head_dim": 8}),
    "gpt_oss": ("GptOssForCausalLM", "gpt_oss", {**DECODER, "num_local_experts": 4, "head_dim": 8}),
    "gemma2": ("Gemma2ForCausalLM", "gemma2", {**DECODER, "head_dim": 8}),
    "bert": ("BertForMaskedLM", "bert", {**ENCODER, **WORDS}),
    "t5": (
        "T5ForConditionalGeneration",
        "t5",
        {"num_layers": 2, "d_model": 32, "d_kv": 8, "d_ff": 64, "num_heads": 4, **WORDS},
    ),
    "vit": ("ViTForImageClassification", "vit", VISION),
    "deepseek_v3": (
        "DeepseekV3ForCausalLM",
        "deepseek_v3",
        {
            **DECODER,
            "num_key_value_heads": 4,
            "moe_intermediate_size": 16,
            "first_k_dense_replace": 1,
            "n_routed_experts": 4,
            "n_group": 2,
            "topk_group": 1,
            "q_lora_rank": 16,
            "kv_lora_rank": 16,
            "qk_rope_head_dim": 8,
            "qk_nope_head_dim": 8,
            "v_head_dim": 8,
        },
    ),
    "mamba": ("MambaForCausalLM", "mamba", {"num_hidden_layers": 2, "hidden_size": 32, **WORDS}),
    "mamba2": (
        "Mamba2ForCausalLM",
        "mamba2",
        {
            "num_hidden_layers": 2,
            "hidden_size": 32,
            "num_heads": 8,
            "head_dim": 8,
            "n_groups": 2,
            **WORDS,
        },
    ),
    "resnet": (
        "ResNetForImageClassification",
        "resnet",
        {"depths": [1, 1], "hidden_sizes": [32, 64], "embedding_size": 16},
    ),
    "clip": ("CLIPModel", "clip", {"text_config": {**ENCODER, **WORDS}, "vision_config": VISION}),
    "llava": (
        "LlavaForConditionalGeneration",
        "llava",
        {
            "text_config": {"model_type": "llama", **DECODER},
            "vision_config": {"model_type": "clip_vision_model", **VISION},
            "image_token_index": 5,
        },
    ),
}


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, transformers: Any) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


def built(torch: Any, transformers: Any, family: str) -> Any:
    name, model_type, members = ARCHITECTURES[family]
    torch.manual_seed(0)
    config = transformers.AutoConfig.for_model(model_type, **members)
    return getattr(transformers, name)(config)


def on_disk(family: str, name: str) -> str:
    # The published checkpoints of GPT-2 have no prefix, and loaders take both.
    return name.removeprefix("transformer.") if family == "gpt2" else name


@pytest.mark.parametrize("family", ARCHITECTURES)
def test_names_shapes_and_laws_are_those_of_a_saved_model(
    family: str, torch: Any, transformers: Any, safetensors: ModuleType, tmp_path: Path
) -> None:
    from safetensors.torch import load_file

    built(torch, transformers, family).save_pretrained(tmp_path)
    described = HfConfig.read(tmp_path / "config.json")
    header = CheckpointHeader.read(tmp_path / "model.safetensors")
    stored = {on_disk(family, each.name): each.shape for each in header.tensors}
    ours = {each.name: each.shape for each in described.model.parameters}
    assert {**ours, **dict.fromkeys(described.model.counters, ())} == stored
    drawn = {on_disk(family, key): value for key, value in load_file(tmp_path / "model.safetensors").items()}
    for parameter in described.model.parameters:
        law, values = described.laws[parameter.name], drawn[parameter.name].double()
        if parameter.padding_row is not None:
            assert not values[parameter.padding_row].any()
            values = torch.cat([values[: parameter.padding_row], values[parameter.padding_row + 1 :]])
        moments, count = law_moments((law,), (1.0,), as_dtype("float32")), values.numel()
        assert moments is not None
        if moments.std == 0.0:
            assert bool((values == moments.mean).all()), parameter.name
            continue
        error = moments.std / math.sqrt(count)
        assert abs(values.mean().item() - moments.mean) < FAR * error, parameter.name
        spread = math.sqrt((moments.kurtosis - 1.0) / count)
        assert abs(values.var().item() / moments.std**2 - 1.0) < FAR * spread, parameter.name


@pytest.mark.parametrize(
    "family", ["gpt2", "llama tied", "mixtral", "qwen3_moe", "t5", "mamba2", "resnet", "llava"]
)
def test_a_checkpoint_made_from_a_config_opens_with_the_planned_values(
    family: str, torch: Any, transformers: Any, tmp_path: Path
) -> None:
    source, out = tmp_path / "source", tmp_path / "out"
    model = built(torch, transformers, family)
    model.config.architectures = [type(model).__name__]
    model.config.save_pretrained(source)
    (source / "tokenizer.json").write_text("{}")
    (source / "modeling.py").write_text("raise SystemExit")
    command = ["init", "--config", str(source / "config.json"), "--out", str(out), "--recipe", "hf-default"]
    assert main([*command, "--max-shard-size", "100KB", "--seed", "3"]) == 0
    assert main(["verify", str(out)]) == 0
    assert (out / "tokenizer.json").read_text() == "{}"
    assert not (out / "modeling.py").exists()
    opened, report = type(model).from_pretrained(out, output_loading_info=True)
    assert not any(report.values()), report
    opened.save_pretrained(tmp_path / "again")  # back to the names on disk
    described = HfConfig.read(source)
    plan = described.recipe("hf-default").plan(described.model, seed=3)
    from safetensors.torch import load_file

    again = load_file(tmp_path / "again" / "model.safetensors")
    again = {on_disk(family, name): tensor for name, tensor in again.items()}
    for spec in plan:
        assert again[spec.name].numpy().tobytes() == plan.array(spec.name).tobytes(), spec.name
    assert set(again) == {spec.name for spec in plan} | set(described.model.counters)


@pytest.mark.parametrize(
    "name", ["gpt2", "bert-base", "llama-3.2-1b", "mixtral-8x7b", "vit-b-16", "resnet-50"]
)
def test_a_built_in_models_own_config_gives_its_own_bits(
    name: str, tmp_path: Path, transformers: Any
) -> None:
    model = models.find(name)
    (tmp_path / "config.json").write_text(model.config_json(model.dtype))
    described = HfConfig.read(tmp_path)
    assert described.model.name == name
    plan = described.recipe().plan(described.model, seed=5)
    assert plan.hash == recipes.find(model.recipe or "").plan(model, seed=5).hash
    assert described.model.counters == model.counters
    assert json.loads(described.model.config_json("float32")) == {**model.config, "torch_dtype": "float32"}


@pytest.mark.parametrize("family", ["llama", "gpt2", "mixtral", "deepseek_v3"])
def test_another_size_of_a_family_gets_the_recipes_bits(
    family: str, torch: Any, transformers: Any, tmp_path: Path
) -> None:
    model = built(torch, transformers, family)
    model.config.architectures = [type(model).__name__]
    model.config.save_pretrained(tmp_path)
    described = HfConfig.read(tmp_path)
    own = described.recipe("hf-default").plan(described.model, seed=1)
    named = recipes.find("hf-default").plan(described.model, seed=1)
    assert own == named
    assert described.recipe().name == {"gpt2": "gpt2", "deepseek_v3": "deepseek"}.get(family, "hf-default")


def test_the_configured_spread_is_that_of_the_laws(transformers: Any, tmp_path: Path) -> None:
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        **DECODER,
        "initializer_range": 0.5,
    }
    (tmp_path / "config.json").write_text(json.dumps({**config, "dtype": "bfloat16"}))
    described = HfConfig.read(tmp_path)
    assert described.laws["model.layers.0.self_attn.q_proj.weight"] == ff.Normal(0.0, 0.5)
    assert described.model.dtype == "bfloat16"
    assert described.recipe().plan(described.model, seed=0).parameters[0].dtype == "bfloat16"
    assert "dtype" not in json.loads(described.model.config_json("float32"))


def test_a_transposed_convolution_has_its_own_fans(transformers: Any, tmp_path: Path) -> None:
    sizes = {"backbone_out_indices": [0, 1, 2, 3], "neck_hidden_sizes": [8, 4, 4, 4], "fusion_hidden_size": 8}
    config = {"architectures": ["DPTForDepthEstimation"], "model_type": "dpt", **VISION, **sizes}
    (tmp_path / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 4}))
    resize = HfConfig.read(tmp_path).model.by_name["neck.reassemble_stage.layers.0.resize.weight"]
    assert (resize.shape, resize.transposed, resize.fans) == ((8, 8, 4, 4), True, (ff.Fans(128, 128),))


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        ({"quantization_config": {"quant_method": "fp8", "fmt": "e4m3"}}, "fp8"),
        ({"compression_config": {"quant_method": "compressed-tensors"}}, "compressed-tensors"),
        ({"quantization_config": {"load_in_8bit": True}}, "a method without a name"),
        ({"quantization_config": {"quant_method": "\x1b[2J"}}, "a method without a name"),
        ({"quantization_config": None}, None),
    ],
)
def test_quantization_is_left_out_and_said(
    edit: dict[str, Any],
    named: str | None,
    transformers: Any,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path, out = tmp_path / "config.json", tmp_path / "out"
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", **DECODER, "dtype": "bfloat16"}
    path.write_text(json.dumps({**config, **edit}))
    assert main(["init", "--config", str(path), "--out", str(out)]) == 0
    line = (
        f"config.json lacks the quantization ({named}) of the one that was given: the tensors are bfloat16, "
        "and no scales belong to them\n"
    )
    assert (line in capsys.readouterr().out) == (named is not None)
    assert not {"quantization_config", "compression_config"} & set(
        json.loads((out / "config.json").read_text())
    )
    opened = transformers.AutoModelForCausalLM.from_pretrained(out, dtype="auto")
    assert {str(each.dtype) for each in opened.parameters()} == {"torch.bfloat16"}
    assert main(["init", "--config", str(path), "--out", str(out), "--force", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["quantization_left_out"] == named


def test_quantization_of_a_model_within_a_model_is_left_out(transformers: Any, tmp_path: Path) -> None:
    name, model_type, members = ARCHITECTURES["llava"]
    text = {**members["text_config"], "quantization_config": {"quant_method": "awq"}}
    config = {"architectures": [name], "model_type": model_type, **members, "text_config": text}
    (tmp_path / "config.json").write_text(json.dumps(config))
    described = HfConfig.read(tmp_path)
    assert described.quantization == "awq"
    assert described.model.config["text_config"] == members["text_config"]


def test_what_no_law_makes_is_listed(
    transformers: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whisper = {
        "architectures": ["WhisperForConditionalGeneration"],
        "model_type": "whisper",
        **WORDS,
        "d_model": 32,
        "encoder_layers": 1,
        "decoder_layers": 1,
        "encoder_ffn_dim": 64,
        "decoder_ffn_dim": 64,
        "encoder_attention_heads": 4,
        "decoder_attention_heads": 4,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "decoder_start_token_id": 1,
    }
    path = tmp_path / "config.json"
    path.write_text(json.dumps(whisper))
    assert main(["plan", "--config", str(path)]) == 2
    said = capsys.readouterr().err
    assert "recipe 'hf-default' has no rule for 1 of the 50 parameters" in said
    assert "model.encoder.embed_positions.weight" in said


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        ({"model_type": None}, "has no model_type"),
        ({"model_type": "lama"}, "did you mean 'llama'?"),
        ({"model_type": "mine", "auto_map": {"AutoModel": "m.M"}}, "trust_remote_code"),
        ({"architectures": None}, '"architectures": ["LlamaForCausalLM"]'),
        ({"architectures": ["LlamaModel", "LlamaForCausalLM"]}, "must name one class"),
        ({"architectures": ["Nothing"]}, "no model called 'Nothing'"),
        ({"architectures": ["LlamaConfig"]}, "no model called 'LlamaConfig'"),
        ({"architectures": ["__loader__"]}, "no model called"),
        ({"architectures": ["GPT2LMHeadModel"]}, "isn't a class for model_type 'llama'"),
        ({"num_hidden_layers": 10**9}, "num_hidden_layers is 1000000000; no model has so many"),
        ({"layer_types": ["full_attention"], "num_hidden_layers": 20000}, "no model has so many"),
        ({"num_labels": 10**9}, "num_labels is 1000000000; no model"),
        ({"num_local_experts": 10**6}, "num_local_experts is 1000000; no model"),
        ({"num_hidden_layers": 5000, "n_experts": 5000}, "5000 layers of 5000 experts each; no model"),
        ({"vision_config": {"depths": [2, 10**7]}}, "depths is 10000000; no model"),
        ({"hidden_size": 2**63}, "hidden_size is 9223372036854775808; no model"),
        ({"hidden_size": 2**32, "vocab_size": 2**32}, "can't be built from it"),
        ({"hidden_size": "32"}, "can't be built from it"),
        ({"hidden_size": -32}, "can't be built from it"),
        ({"num_attention_heads": 0}, "can't be built from it"),
        ({"num_hidden_layers": -3}, "depth of model"),
        ({"n_codebooks": 10**6}, "n_codebooks is 1000000; no model"),
    ],
)
def test_a_config_that_describes_no_model_is_refused(
    edit: dict[str, Any], message: str, transformers: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.json"
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", **DECODER, **edit}
    path.write_text(json.dumps({key: value for key, value in config.items() if value is not None}))
    assert main(["init", "--config", str(path), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"fanfill: error: --config: {path}: ")
    assert message in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("key", ["attn_implementation", "_attn_implementation", "_experts_implementation"])
@pytest.mark.parametrize("value", ["flash_attention_2", "someone/kernels", {"": "someone/kernels"}])
def test_which_code_computes_is_not_asked_for(
    key: str, value: Any, transformers: Any, tmp_path: Path
) -> None:
    path = tmp_path / "config.json"
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", **DECODER}
    path.write_text(json.dumps(config))
    plain = HfConfig.read(path)
    path.write_text(json.dumps({**config, key: value}))
    assert HfConfig.read(path).model.parameters == plain.model.parameters


def test_a_model_of_endless_parts_is_given_up(
    transformers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"architectures": ["LlamaForCausalLM"], "model_type": "llama", **DECODER}))
    assert len(HfConfig.read(path).model.parameters) > 10
    monkeypatch.setattr("fanfill.hf.config._MOST_PARTS", 10)
    with pytest.raises(ValueError, match="more than 10 modules and parameters"):
        HfConfig.read(path)
    monkeypatch.undo()
    assert len(HfConfig.read(path).model.parameters) > 10


def test_transformers_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "transformers", None)
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"architectures": ["LlamaForCausalLM"], "model_type": "llama"}))
    assert main(["plan", "--config", str(path)]) == 1
    assert 'pip install "fanfill[hf]"' in capsys.readouterr().err
