"""Models of transformers: their own rules of initialization, their rotary buffers, their published names."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import fanfill as ff
from fanfill import models, recipes

pytestmark = pytest.mark.framework

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import torch
    import transformers
    from torch.nn.init import orthogonal_, trunc_normal_

    from fanfill.torch import initialize_, model_of, plan

TINY = {
    "hidden_size": 48,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 90,
    "pad_token_id": 1,
    "bos_token_id": 2,
    "eos_token_id": 3,
}
SIZES: dict[str, dict[str, Any]] = {
    "llama": {"initializer_range": 0.05},
    "qwen3": {"head_dim": 16},
    "gemma": {"head_dim": 16},  # its norms start at 0, to which it adds 1
    "mixtral": {"num_local_experts": 3},  # stacked experts
    "gpt2": {"n_embd": 48, "n_layer": 3, "n_head": 4, "n_positions": 16, "initializer_range": 0.03},
    "bert": {"max_position_embeddings": 16},
    "opt": {"ffn_dim": 64, "max_position_embeddings": 16, "word_embed_proj_dim": 48},
    "t5": {
        "d_model": 48,
        "d_kv": 12,
        "d_ff": 64,
        "num_layers": 2,
        "num_heads": 4,
        "decoder_start_token_id": 0,
    },
    "falcon": {"num_kv_heads": 2, "alibi": False},
}
SIGMAS = 6.0


def config_of(family: str) -> Any:
    return transformers.AutoConfig.for_model(family, **{**TINY, **SIZES[family]})


def made(family: str, device: str) -> Any:
    config = config_of(family)
    auto = transformers.AutoModelForSeq2SeqLM if family == "t5" else transformers.AutoModelForCausalLM
    with torch.device(device), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return auto.from_config(config)


@pytest.mark.parametrize("family", SIZES)
def test_a_model_on_meta_becomes_what_its_own_code_would_have_made(family: str) -> None:
    torch.manual_seed(0)
    theirs, ours = made(family, "cpu"), made(family, "meta")
    assert initialize_(ours, seed=7) is ours
    drawn = plan(ours, seed=7)
    assert drawn.recipe == "hf-default"
    own = dict(theirs.named_parameters())
    assert dict(ours.named_parameters()).keys() == own.keys() == {spec.name for spec in drawn}
    for name, parameter in ours.named_parameters():
        assert parameter.detach().numpy().tobytes() == drawn.array(name).tobytes(), name
        theirs_now, law = own[name].detach().double(), drawn[name].law
        if isinstance(law, ff.Constant):
            assert bool((theirs_now == law.value).all()), name
            continue
        mean_square = parameter.detach().double().square().mean() / theirs_now.square().mean()
        assert abs(mean_square.item() - 1) < 2 * SIGMAS / np.sqrt(parameter.numel()), name
        assert bool(((theirs_now == 0).all(-1) == (parameter == 0).all(-1)).all()), name  # padding rows
    tied = [{id(p): n for n, p in m.named_parameters(remove_duplicate=False)} for m in (theirs, ours)]
    assert sorted(tied[0].values()) == sorted(tied[1].values())
    assert not any(t.is_meta for t in (*ours.parameters(), *ours.buffers()))
    for (name, ours_now), (_, theirs_now) in zip(ours.named_buffers(), theirs.named_buffers(), strict=True):
        assert ours_now.equal(theirs_now), name
    tokens = {"input_ids": torch.arange(5)[None]}
    if family == "t5":
        tokens["decoder_input_ids"] = tokens["input_ids"]
    with torch.no_grad():
        assert bool(ours.eval()(**tokens).logits.isfinite().all())


@pytest.mark.parametrize("rope", ["default", "llama3", "yarn", "linear"])
def test_rotary_frequencies_are_computed_as_on_the_host(rope: str) -> None:
    scaling: dict[str, Any] = {"rope_type": rope, "rope_theta": 10000.0}
    if rope != "default":
        scaling |= {"factor": 8.0, "original_max_position_embeddings": 64}
    if rope == "llama3":
        scaling |= {"low_freq_factor": 1.0, "high_freq_factor": 4.0}
    config = transformers.LlamaConfig(**TINY, rope_parameters=scaling, max_position_embeddings=512)
    with torch.device("meta"):
        ours = transformers.LlamaForCausalLM(config)
    assert ours.model.rotary_emb.inv_freq.is_meta
    initialize_(ours, seed=7)
    theirs = transformers.LlamaForCausalLM(config)
    assert ours.model.rotary_emb.inv_freq.equal(theirs.model.rotary_emb.inv_freq)
    assert ours.model.rotary_emb.original_inv_freq.equal(theirs.model.rotary_emb.original_inv_freq)
    assert ours.model.rotary_emb.attention_scaling == theirs.model.rotary_emb.attention_scaling


def test_weights_that_are_stored_the_other_way_round_have_their_own_fans() -> None:
    model = model_of(made("gpt2", "meta"))
    assert model.by_name["transformer.h.0.mlp.c_fc.weight"].fans == (ff.Fans(48, 192),)
    assert model.by_name["transformer.wpe.weight"].layout == "oi"


def test_the_default_recipe_is_the_one_by_names_where_that_knows_them() -> None:
    for family in ("gpt2", "llama"):
        config = config_of(family)
        config.initializer_range = 0.02
        with torch.device("meta"):
            module = transformers.AutoModelForCausalLM.from_config(config)
        assert plan(module, seed=5) == recipes.find("hf-default").plan(model_of(module), seed=5), family


def test_a_plan_with_published_names_fills_the_model_in_memory() -> None:
    published = models.find("gpt2")
    drawn = recipes.find("gpt2").plan(published, seed=3)
    with torch.device("meta"):
        module = transformers.AutoModelForCausalLM.from_config(
            transformers.AutoConfig.for_model(**published.config)
        )
    initialize_(
        module,
        drawn,
        only=["transformer.h.11", "transformer.wpe", "transformer.wte", *_layers(11), "transformer.ln_f"],
    )
    assert module.transformer.wpe.weight.detach().numpy().tobytes() == drawn.array("wpe.weight").tobytes()
    residual = module.transformer.h[11].mlp.c_proj.weight
    assert residual.detach().numpy().tobytes() == drawn.array("h.11.mlp.c_proj.weight").tobytes()
    assert module.lm_head.weight is module.transformer.wte.weight


def _layers(count: int) -> list[str]:
    return [f"transformer.h.{layer}" for layer in range(count)]


def test_orthogonal_matrices_are_no_law() -> None:
    config = transformers.RwkvConfig(
        hidden_size=32, attention_hidden_size=32, num_hidden_layers=2, vocab_size=9
    )
    with torch.device("meta"):
        module = transformers.RwkvForCausalLM(config)
    with pytest.raises(ValueError, match=r"_init_weights computes the values of .*rwkv.embeddings.weight"):
        initialize_(module)


def test_computed_values_are_no_law() -> None:
    config = transformers.MambaConfig(hidden_size=16, num_hidden_layers=1, vocab_size=30, state_size=4)
    with torch.device("meta"):
        module = transformers.MambaForCausalLM(config)
    match = r"_init_weights computes the values of these parameters.*backbone.layers.0.mixer.A_log"
    with pytest.raises(ValueError, match=match):
        initialize_(module)
    assert all(parameter.is_meta for parameter in module.parameters())


class Drawn(transformers.PreTrainedModel):
    """A model of a user's own, whose rule draws by functions of torch.nn.init under names of its own."""

    config_class = transformers.LlamaConfig

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.head = torch.nn.Linear(4, 3)
        self.gate = torch.nn.Linear(4, 4, bias=False)
        self.post_init()

    def _init_weights(self, module: torch.nn.Module) -> None:
        if module is self.head:
            trunc_normal_(module.weight, std=0.5, a=-1.0, b=1.0)
            trunc_normal_(module.bias, a=3.0, b=3.0)
            beside = torch.zeros(100)
            trunc_normal_(beside)
            assert beside.std() > 0.5
        elif module is self.gate:
            orthogonal_(module.weight)


def test_functions_of_torch_are_seen_under_any_name_and_do_their_work_beside_the_model() -> None:
    with torch.device("meta"):
        module = Drawn(transformers.LlamaConfig())
    drawn = plan(module, only=["head"])
    assert drawn["head.weight"].law == ff.TruncatedNormal(0.0, 0.5, (-1.0, 1.0), "absolute")
    assert drawn["head.bias"].law == ff.Constant(3.0)
    with pytest.raises(ValueError, match=r"_init_weights computes the values of .*: gate.weight$"):
        plan(module)


def test_watching_a_model_changes_nothing_about_it() -> None:
    module = made("gpt2", "cpu")
    before = {
        name: (id(t), t._version, t.clone())
        for name, t in (*module.named_parameters(), *module.named_buffers())
    }
    state = torch.get_rng_state()
    plan(module)
    assert torch.get_rng_state().equal(state)
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        assert (id(tensor), tensor._version) == before[name][:2]
        assert tensor.equal(before[name][2])


def test_a_backbone_inside_another_module_keeps_its_own_rule() -> None:
    head = torch.nn.Linear(48, 3)
    module = torch.nn.ModuleDict({"backbone": made("llama", "cpu"), "head": head})
    drawn = plan(module, seed=7)
    assert drawn["backbone.model.layers.0.mlp.up_proj.weight"].law == ff.Normal(0.0, 0.05)
    assert drawn["head.weight"].law == ff.Normal(0.0, 0.02)
    assert drawn["head.bias"].law == ff.Constant(0.0)
