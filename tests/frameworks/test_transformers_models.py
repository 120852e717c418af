"""Knows what torch and transformers draw, list and read; it must not know our shape rules."""

from __future__ import annotations

import math
from pathlib import Path
from statistics import NormalDist
from typing import Any

import pytest

import fanfill as ff
from fanfill import models, recipes
from fanfill.cli import main
from fanfill.model import Model, Parameter
from model_target import write_model
from small_models import small, small_llama

pytestmark = pytest.mark.framework

# How far a sample's std may be off, in its own standard errors: one false alarm in 10^8 matrices.
SIGMAS = 5.7


# What transformers calls a vision transformer's modules in memory, and what the published file calls them.
VIT_MODULES = {
    "attention.q_proj": "attention.attention.query",
    "attention.k_proj": "attention.attention.key",
    "attention.v_proj": "attention.attention.value",
    "attention.o_proj": "attention.output.dense",
    "mlp.fc1": "intermediate.dense",
    "mlp.fc2": "output.dense",
    "layernorm_before": "layernorm_before",
    "layernorm_after": "layernorm_after",
}
# The names of one expert's gate, up and down matrices in the published files.
EXPERT_MATRICES = {
    "mixtral": ("w1", "w3", "w2"),
    "deepseek_v3": ("gate_proj", "up_proj", "down_proj"),
}


def model_class(transformers: Any, model: Model) -> Any:
    return getattr(transformers, model.config["architectures"][0])


def on_meta(torch: Any, transformers: Any, model: Model) -> Any:
    config = transformers.AutoConfig.for_model(**model.config)
    with torch.device("meta"):
        return model_class(transformers, model)(config)


def published(family: str, name: str, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """Return what a tensor of transformers 5 in memory is in the published file: names to shapes.

    transformers 5 keeps the experts of a layer as two stacked tensors, the gate and up matrices fused in one
    of them, and renames modules; its loader builds the one from the other. Here that is undone by hand.
    """
    if family == "gpt2":
        return {name.removeprefix("transformer."): shape}
    if family == "vit" and name.startswith("vit.layers."):
        _, _, layer, rest = name.split(".", 3)
        module, _, part = rest.rpartition(".")
        return {f"vit.encoder.layer.{layer}.{VIT_MODULES[module]}.{part}": shape}
    if family == "mixtral":
        name = name.replace(".mlp.", ".block_sparse_moe.")
    layer, stacked, kind = name.partition(".experts.")
    if not stacked:
        return {name: shape}
    gate, up, down = EXPERT_MATRICES[family]
    experts, rows, columns = shape
    split = {gate: (rows // 2, columns), up: (rows // 2, columns)}
    matrices = split if kind == "gate_up_proj" else {down: (rows, columns)}
    return {
        f"{layer}.experts.{expert}.{matrix}.weight": size
        for expert in range(experts)
        for matrix, size in matrices.items()
    }


def stripped(name: str) -> str:
    """Return a GPT-2 name as the published file has it: without the base model's prefix."""
    return name.removeprefix("transformer.")


def wanted_std(law: Any) -> float:
    """Return the std of a law about zero: of the truncated values where it is truncated."""
    if isinstance(law, ff.Uniform):
        return law.high / math.sqrt(3.0)
    if not isinstance(law, ff.TruncatedNormal):
        return float(law.std)
    _, high = law.bounds
    cut = high if law.unit == "sigma" else high / law.std
    if cut > 40.0:
        return float(law.std)
    normal = NormalDist()
    return float(law.std) * math.sqrt(1.0 - 2.0 * cut * normal.pdf(cut) / (2.0 * normal.cdf(cut) - 1.0))


@pytest.mark.parametrize("name", models.names())
def test_names_shapes_and_ties_are_those_of_the_meta_device(name: str, torch: Any, transformers: Any) -> None:
    model = models.find(name)
    theirs = on_meta(torch, transformers, model)
    listed: dict[int, list[str]] = {}  # the names of each tensor; a tied one has more than one
    shapes: dict[int, tuple[int, ...]] = {}
    for key, tensor in theirs.state_dict(keep_vars=True).items():
        if not key.endswith(".num_batches_tracked"):  # an int64 counter, which no law draws
            listed.setdefault(id(tensor), []).append(key)
            shapes[id(tensor)] = tuple(tensor.shape)
    wanted: dict[frozenset[str], tuple[int, ...]] = {}
    for tensor, names in listed.items():
        ours = [published(model.config["model_type"], key, shapes[tensor]) for key in names]
        for group in zip(*(each.items() for each in ours), strict=True):
            wanted[frozenset(key for key, _ in group)] = group[0][1]
    assert {frozenset((p.name, *p.tie)): p.shape for p in model.parameters} == wanted
    # The router's correction bias is a buffer to transformers and a parameter to DeepSeek's own code.
    bias = sum(p.numel for p in model.parameters if p.name.endswith("e_score_correction_bias"))
    assert model.numel == sum(parameter.numel() for parameter in theirs.parameters()) + bias
    buffers = {
        key for key, _ in theirs.named_buffers() if key.rpartition(".")[2] in ("running_mean", "running_var")
    }
    assert {p.name for p in model.parameters if p.buffer} == buffers
    counters = {key for key, _ in theirs.named_buffers() if key.endswith(".num_batches_tracked")}
    assert set(model.counters) == counters


def test_gpt2_opens_with_every_std_as_planned(
    torch: Any, transformers: Any, safetensors: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safetensors.torch import load_file

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert main(["init", "gpt2", "--out", str(tmp_path)]) == 0
    tensors = load_file(tmp_path / "model.safetensors")
    assert len(tensors) == 148
    assert sum(tensor.numel() for tensor in tensors.values()) == 124_439_808

    model, report = transformers.AutoModelForCausalLM.from_pretrained(tmp_path, output_loading_info=True)
    assert type(model).__name__ == "GPT2LMHeadModel"
    assert not any(report.values()), report
    assert model.dtype == torch.float32
    assert model.lm_head.weight.data_ptr() == model.transformer.wte.weight.data_ptr()

    plan = recipes.find("gpt2").plan(models.find("gpt2"), seed=0)
    for name, parameter in model.named_parameters():
        spec, values = plan[stripped(name)], parameter.detach().double()
        if isinstance(spec.law, ff.Constant):
            assert bool((values == spec.law.value).all()), name
            continue
        std = wanted_std(spec.law)
        assert abs(values.std().item() / std - 1.0) < SIGMAS / math.sqrt(2 * spec.numel), name
        assert abs(values.mean().item()) < SIGMAS * std / math.sqrt(spec.numel), name
    with torch.no_grad():
        loss = model(torch.arange(64)[None], labels=torch.arange(64)[None]).loss.item()
    assert abs(loss - math.log(50257)) < 0.5  # a fresh model knows nothing


@pytest.mark.parametrize("family", ["bert", "mixtral", "deepseek_v3", "vit", "resnet"])
def test_every_family_opens_with_the_planned_values(
    family: str, torch: Any, transformers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    model = small(family)
    assert model.config["model_type"] == family
    plan = recipes.find(model.recipe or "").plan(model, seed=0, dtype="float32")
    write_model(tmp_path, model, plan)
    opened, report = model_class(transformers, model).from_pretrained(tmp_path, output_loading_info=True)
    assert not any(report.values()), report
    seen = set()
    for name, tensor in opened.state_dict().items():
        if name.endswith(".num_batches_tracked"):
            assert tensor.item() == 0
            continue
        parts = published(family, name, tuple(tensor.shape))
        arrays = [torch.from_numpy(plan.array(part)) for part in parts]
        if len(parts) > 1:  # stacked experts, gate and up side by side
            matrices = len(parts) // tensor.shape[0]
            arrays = [
                torch.stack([torch.cat(arrays[at : at + matrices]) for at in range(0, len(arrays), matrices)])
            ]
        assert tensor.equal(arrays[0]), name
        seen |= set(parts)
    assert seen == set(model.by_name)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("dtype", ["bfloat16", "float32", "float16"])
def test_a_llama_opens_with_every_std_as_planned(
    tied: bool, dtype: str, torch: Any, transformers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    small = small_llama(tied)
    plan = recipes.find("llama3").plan(small, seed=0, dtype=dtype)
    write_model(tmp_path, small, plan)
    model, report = transformers.AutoModelForCausalLM.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(report.values()), report
    assert model.dtype == getattr(torch, dtype)
    assert (model.lm_head.weight.data_ptr() == model.model.embed_tokens.weight.data_ptr()) is tied
    for name, parameter in model.named_parameters():
        spec, values = plan[name], parameter.detach().double()
        if isinstance(spec.law, ff.Constant):
            assert bool((values == spec.law.value).all()), name
            continue
        # Rounding to bfloat16's 8 bits adds up to (2^-9)^2 / 3 of the variance.
        off = abs(values.std().item() / wanted_std(spec.law) - 1.0)
        assert off < SIGMAS / math.sqrt(2 * spec.numel) + 2.0**-19, name


@pytest.mark.parametrize("family", ["gpt2", "llama", "bert", "mixtral", "deepseek_v3"])
def test_hf_default_has_the_stds_that_transformers_draws(family: str, torch: Any, transformers: Any) -> None:
    if family == "gpt2":
        config: Any = transformers.GPT2Config(vocab_size=500, n_positions=64, n_embd=128, n_layer=3, n_head=4)
        theirs = transformers.GPT2LMHeadModel
    else:
        model = small_llama(False) if family == "llama" else small(family)
        config = transformers.AutoConfig.for_model(**{**model.config, "vocab_size": 500})
        theirs = model_class(transformers, model)
    torch.manual_seed(0)
    drawn = {
        part: tensor[0, : size[0]] if tensor.dim() == 3 else tensor  # any of the stacked experts will do
        for name, tensor in theirs(config).state_dict().items()
        for part, size in published(family, name, tuple(tensor.shape)).items()
        if part != "lm_head.weight" or family != "gpt2"
    }
    bare = [
        Parameter(name, tuple(tensor.shape), padding_row=0 if "word_embeddings" in name else None)
        for name, tensor in drawn.items()
    ]
    plan = recipes.find("hf-default").plan(Model("m", bare, depth=config.num_hidden_layers), seed=0)
    for spec in plan:
        values = drawn[spec.name].double()
        if spec.padding_row is not None:
            assert not values[spec.padding_row].any()
            assert not plan.array(spec.name)[spec.padding_row].any()
            values = values[1:]
        if isinstance(spec.law, ff.Constant):
            assert bool((values == spec.law.value).all()), spec.name
        else:
            off = abs(values.std().item() / wanted_std(spec.law) - 1.0)
            assert off < SIGMAS / math.sqrt(2 * values.numel()), spec.name


def assert_drawn_alike(recipe: str, drawn: dict[str, Any]) -> None:
    """Assert that tensors which others drew have the stds of a recipe's plan for their names and shapes."""
    listed = [Parameter(name, tuple(tensor.shape)) for name, tensor in drawn.items()]
    for spec in recipes.find(recipe).plan(Model("m", listed, depth=1), seed=0):
        values = drawn[spec.name].double()
        if isinstance(spec.law, ff.Constant):
            assert bool((values == spec.law.value).all()), spec.name
            continue
        off = abs(values.square().mean().sqrt().item() / wanted_std(spec.law) - 1.0)
        assert off < SIGMAS / math.sqrt(2 * values.numel()), spec.name
        if isinstance(spec.law, ff.Uniform):
            assert values.abs().max().item() <= spec.law.high * (1.0 + 2.0**-23), spec.name


def test_torch_default_has_the_stds_that_torch_draws(torch: Any) -> None:
    torch.manual_seed(0)
    modules = torch.nn.ModuleDict(
        {
            "fc": torch.nn.Linear(300, 200),
            "conv": torch.nn.Conv2d(16, 64, 5),
            "grouped": torch.nn.Conv1d(32, 64, 3, groups=4),
            "bn1": torch.nn.BatchNorm2d(64),
            "norm": torch.nn.LayerNorm(64),
            "token_embedding": torch.nn.Embedding(500, 64),
            "attention": torch.nn.MultiheadAttention(64, 4),
            "rnn": torch.nn.LSTM(48, 64, num_layers=2, bidirectional=True),
        }
    )
    drawn = modules.state_dict()
    del drawn["bn1.num_batches_tracked"]
    assert_drawn_alike("torch-default", drawn)


def test_t5_has_the_stds_that_transformers_draws(torch: Any, transformers: Any) -> None:
    torch.manual_seed(0)
    config = transformers.T5Config(
        vocab_size=500, d_model=128, d_kv=24, d_ff=320, num_layers=2, num_heads=4, decoder_start_token_id=0
    )
    model = transformers.T5ForConditionalGeneration(config)
    tied = {"lm_head.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"}
    assert_drawn_alike("t5", {k: v for k, v in model.state_dict().items() if k not in tied})


def test_resnet_has_the_stds_that_transformers_draws(torch: Any, transformers: Any) -> None:
    torch.manual_seed(0)
    theirs = transformers.ResNetForImageClassification(
        transformers.AutoConfig.for_model(**small("resnet").config)
    )
    drawn = {k: v for k, v in theirs.state_dict().items() if not k.endswith("num_batches_tracked")}
    assert_drawn_alike("resnet", drawn)


def test_a_plan_fills_a_model_in_memory(torch: Any, transformers: Any) -> None:
    small = small_llama(True)
    plan = recipes.find("llama3").plan(small, seed=0, dtype="float32")
    model = transformers.AutoModelForCausalLM.from_config(transformers.AutoConfig.for_model(**small.config))
    version = model.model.norm.weight._version
    plan.fill_(model.state_dict())  # lists the tied head too
    assert model.model.norm.weight._version > version
    assert model.lm_head.weight.data_ptr() == model.model.embed_tokens.weight.data_ptr()
    for name, parameter in model.named_parameters():
        assert parameter.detach().numpy().tobytes() == plan.array(name).tobytes(), name
