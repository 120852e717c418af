"""Knows how a recipe makes a plan of a model; it must not know the numbers of any scheme."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

import fanfill as ff
from fanfill import models, recipes
from fanfill.model import Model, Parameter
from fanfill.recipe import Match
from fanfill.recipes import megatron, mup
from scheme import plan


def test_the_shipped_recipes() -> None:
    assert set(recipes.names()) == {
        *("torch-default", "hf-default", "gpt2", "gpt2-released", "megatron", "megatron-mup", "llama3"),
        *("olmo-normal", "olmo-mitchell", "olmo-full-megatron", "neox", "deepseek", "mup", "t5", "deepnorm"),
        "mamba",
        *("vit-timm", "vit-jax", "vit-moco", "resnet", "resnet-zero-gamma", "fixup", "efficientnet", "lora"),
    }


def test_a_rule_is_asked_once_for_each_part() -> None:
    # A grouped-query projection: 4 query heads, 2 key heads and 2 value heads of 8, fused.
    listed = [Parameter("qkv.weight", (64, 32), parts=(32, 16, 16))]

    def glorot(match: Match) -> ff.Normal:
        return ff.Normal(0.0, (2.0 / (match.fans.fan_in + match.fans.fan_out)) ** 0.5)

    spec = ff.Recipe("r", [("qkv.weight", glorot)]).plan(Model("m", listed, depth=1), seed=0)["qkv.weight"]
    assert spec.parts == (32, 16, 16)
    query, key, value = spec.laws
    assert query.std == pytest.approx(0.176776695296637)  # sqrt(2 / 64)
    assert key == value
    assert key.std == pytest.approx(0.204124145231932)  # sqrt(2 / 48)


def test_every_recipe_has_a_citation_with_a_year() -> None:
    assert len(recipes.names()) == len(set(recipes.names()))
    for name in recipes.names():
        assert "(20" in recipes.find(name).citation


def test_the_plan_keeps_what_the_model_says() -> None:
    tiny = Model("tiny", [Parameter("a.w", (2, 3), layout="io", tie=("b.w",))], depth=1, dtype="float16")
    made = ff.Recipe("flat", [(r".*", ff.Normal())]).plan(tiny, seed=3)
    assert made == ff.Plan(
        [ff.ParamSpec("a.w", (2, 3), ff.Normal(), dtype="float16", layout="io", tie=("b.w",))], seed=3
    )
    assert (made.model, made.recipe) == ("tiny", "flat")
    assert (
        ff.Recipe("flat", [(r".*", ff.Normal())]).plan(tiny, seed=3, dtype="float64")["a.w"].dtype
        == "float64"
    )


def test_the_first_pattern_that_matches_the_whole_name_decides() -> None:
    tiny = Model("tiny", [Parameter("fc.weight", (2,)), Parameter("fc.weight_scale", (2,))], depth=1)
    rules = [(r"fc\.weight", ff.Constant(1.0)), (r"fc\..*", ff.Constant(2.0)), (r".*", ff.Constant(3.0))]
    made = ff.Recipe("r", rules).plan(tiny, seed=0)
    assert made["fc.weight"].law == ff.Constant(1.0)
    assert made["fc.weight_scale"].law == ff.Constant(2.0)


def test_a_rule_sees_parameter_layer_and_depth() -> None:
    seen = []

    def rule(match: Match) -> ff.Normal:
        seen.append((match.parameter.name, match.layer, match.depth, match.width, match.fans.fan_in))
        return ff.Normal()

    tiny = Model("tiny", [Parameter("h.3.w", (2, 5)), Parameter("w", (4,))], depth=9, width=7)
    ff.Recipe("r", [(r"h\.(?P<layer>\d+)\.w", rule), (r"w", rule)]).plan(tiny, seed=0)
    assert seen == [("h.3.w", 3, 9, 7, 5), ("w", None, 9, 7, 4)]


def test_unmatched_parameters_are_an_error_that_lists_them() -> None:
    tiny = Model("tiny", [Parameter(name, (2,)) for name in ("a", "b", "c")], depth=1)
    recipe = ff.Recipe("r", [("b", ff.Normal())])
    assert recipe.unmatched(tiny) == ["a", "c"]
    with pytest.raises(ValueError, match=r"no rule for 2 of the 3 .*: a, c$"):
        recipe.plan(tiny, seed=0)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([("(", ff.Normal())], "regular expression"),
        ([("w", 0.02)], "law or a callable"),
        (5, r"^rules of recipe 'r' must be pairs \(pattern, law or callable\), got 5$"),
        ({"w": ff.Normal()}, "^rules of recipe 'r' must be pairs"),
        ([ff.Normal()], "^rules of recipe 'r' must be pairs .*, got Normal"),
        ([("w", ff.Normal(), "more")], "^rules of recipe 'r' must be pairs"),
        ([(5, ff.Normal())], "^pattern of recipe 'r' must be a str, got 5$"),
    ],
)
def test_bad_rules_are_refused_when_the_recipe_is_made(rules: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        ff.Recipe("r", rules)


@pytest.mark.parametrize(("name", "citation"), [(5, ""), ("r", 5), (None, "")])
def test_a_name_or_citation_that_is_no_str_is_refused(name: Any, citation: Any) -> None:
    with pytest.raises(TypeError, match=r"^(name|citation) of a recipe must be a str, got "):
        ff.Recipe(name, [], citation=citation)


def test_a_layer_that_is_no_number_is_refused() -> None:
    tiny = Model("tiny", [Parameter("h.a.w", (2,))], depth=1)
    with pytest.raises(ValueError, match=r"layer of recipe 'r' found 'a' in 'h\.a\.w'.*\(\?P<layer>\\d\+\)"):
        ff.Recipe("r", [(r"h\.(?P<layer>.)\.w", ff.Normal())]).plan(tiny, seed=0)


def test_a_rule_that_divides_by_a_zero_of_its_own_is_not_blamed_on_a_fan() -> None:
    tiny = Model("tiny", [Parameter("w", (2,))], depth=1)
    with pytest.raises(ZeroDivisionError):
        ff.Recipe("r", [("w", lambda match: ff.Normal(0.0, 1 / (match.depth - 1)))]).plan(tiny, seed=0)


@pytest.mark.parametrize("argument", [{"dtype": ""}, {"only": "w"}, {"only": 5}, {"dtype": "int8"}])
def test_a_wrong_argument_of_plan_is_named(argument: Any) -> None:
    tiny = Model("tiny", [Parameter("w", (2,))], depth=1)
    with pytest.raises(TypeError, match=f"^{next(iter(argument))}\\b"):
        ff.Recipe("r", [("w", ff.Normal())]).plan(tiny, seed=0, **argument)


@pytest.mark.parametrize("name", recipes.names())
def test_a_shipped_recipe_survives_pickle(name: str) -> None:
    assert pickle.loads(pickle.dumps(recipes.find(name))) == recipes.find(name)


def test_recipes_of_one_base_width_are_equal_and_the_width_is_checked() -> None:
    for make in (mup.mup, megatron.mup):
        assert make(192) == make(192) != make(193)
        with pytest.raises(ValueError, match=r"^base_width must be at least 1, not 0$"):
            make(0)
        with pytest.raises(TypeError, match=r"^base_width must be an integer"):
            make(192.0)  # type: ignore[arg-type]


def test_a_fan_of_zero_is_an_error_that_names_the_tensor() -> None:
    empty = Model("m", [Parameter("fc.weight", (4, 0))], depth=1)
    with pytest.raises(ValueError, match=r"fan of 'fc.weight', which is 0 in the shape \(4, 0\)"):
        recipes.find("torch-default").plan(empty, seed=0)


def test_a_rule_must_give_a_law() -> None:
    tiny = Model("tiny", [Parameter("w", (2,))], depth=1)
    with pytest.raises(TypeError, match="must give a law"):
        ff.Recipe("r", [("w", lambda match: 0.02)]).plan(tiny, seed=0)  # type: ignore[list-item,return-value]


@pytest.mark.parametrize(
    ("model", "digest"),
    [
        ("gpt2", "be591d6f1adf4fec365f04da844b5a0b81afeceb9c86f62f8bfd0d6d3bd5a9d3"),
        ("gpt2-xl", "4f52596aeb6cfe0c32cf1ade0489b57bf68efcf4d60880fc0359e720a2d811c3"),
        ("llama-3.2-1b", "b30f387a0e379a7745e305a19df0d614db43de437bb0d86659d273f900c31fa5"),
        ("llama-3-8b", "8981a799bbe5964641d96c0f7f89d0e0d9b654185f5e1f7b0a531d0aaf5e0d0c"),
        ("gpt2-medium", "0192684720709b500ffa7d765d840962eedd88add43a9b9c74c479f84e5ec3f8"),
        ("gpt2-large", "464f47bc3835f3cdb45e58239ecf167da7abee2c3e14d96be5ad3265608f7331"),
        ("bert-base", "7b9def96d156f44bcaf8b65a63079ca91d6a43985faf0d9d994a63a4aa44a4f2"),
        ("llama-2-7b", "5f708e02a1ac140fa206c7b2df3d13ee6732ccf8702d72e87dbd74d9d32b2bdc"),
        ("llama-3-70b", "53888cd6932784492fee1b6c5bad0d248589b488eb95433b96e28bfebafa7f5b"),
        ("llama-3.1-405b", "0f21ae7ce808f772cb0c8e2e94ae640bf6eb67abd0a2a8942dba0ccf10802d4d"),
        ("mixtral-8x7b", "9e74085ce726b94fd422cec3b14314d2dd68cbcb904875c8e36f4733ec1e6d1f"),
        ("deepseek-v3", "3f640041be6467e370133305431a0315280d1e0a57ffb57b5af4d740fa05cc48"),
        ("vit-b-16", "d26da83a983cea5feaacb7bb808ea0e6b244f666b9040371153ab76b45ec8973"),
        ("vit-l-16", "bb16d196828799bd22a969fc00f7e84fb083421ceb765f2038214ae13ee7ce57"),
        ("resnet-50", "8a1d5cd028a45cab3450f7b871ac634e60f8136dbd785003a70bb45793c743f5"),
    ],
)
def test_the_hash_of_a_default_plan_never_drifts(model: str, digest: str) -> None:
    # It stands in written files. What changes it changes what those files claim to be.
    assert plan(model, models.find(model).recipe or "").hash == digest
