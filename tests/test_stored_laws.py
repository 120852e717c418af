"""Laws in a file's metadata: nothing lost, few entries, and refusals of what fanfill doesn't write."""

from __future__ import annotations

from typing import Any

import pytest

import fanfill as ff
from fanfill import models, recipes
from fanfill.checkpoint.stored_laws import StoredLaws


def specs_of(laws: StoredLaws, plan: ff.Plan) -> list[ff.ParamSpec | None]:
    return [laws.spec(spec.name, spec.shape, spec.element.safetensors_name) for spec in plan]


@pytest.mark.parametrize("name", ["gpt2", "llama-3-8b", "deepseek-v3", "resnet-50", "vit-b-16"])
def test_a_models_laws_read_back_and_are_few(name: str) -> None:
    model = models.find(name)
    plan = recipes.find(model.recipe or "").plan(model, seed=0)
    laws = StoredLaws.of(plan)
    assert specs_of(StoredLaws.from_json(laws.to_json()), plan) == list(plan)
    assert len(laws.to_json()) < 100_000


def test_names_of_one_kind_with_different_laws_are_listed_one_by_one() -> None:
    specs = [ff.ParamSpec(f"h.{i}.w", (2,), ff.Normal(0.0, 1.0 + i)) for i in range(3)]
    specs += [ff.ParamSpec("h.*.w", (2,), ff.Constant(1.0)), ff.ParamSpec("g.1.w", (2,), ff.Uniform())]
    plan = ff.Plan(specs, seed=0)
    laws = StoredLaws.of(plan)
    assert list(laws.members) == ["h.0.w", "h.1.w", "h.2.w", "h.*.w", "g.*.w"]
    assert specs_of(laws, plan) == specs


def test_all_that_a_spec_says_is_kept() -> None:
    specs = [
        ff.ParamSpec("q", (9, 7), (ff.Normal(), ff.Uniform(), ff.Constant(0.5)), parts=3),
        ff.ParamSpec("e", (11, 5), ff.Normal(), padding_row=4, tie=("head",), dtype="bfloat16"),
        ff.ParamSpec("x", (5, 7, 6), ff.TruncatedNormal(), batch_axes=(0,), layout="io", buffer=True),
    ]
    assert specs_of(StoredLaws.of(ff.Plan(specs, seed=0)), ff.Plan(specs, seed=0)) == specs


def test_a_tensor_of_others_has_no_law() -> None:
    laws = StoredLaws({"a": {"law": ff.Normal().to_dict()}})
    assert laws.spec("b", (2,), "F32") is None
    assert laws.spec("a", (2,), "I64") is None


@pytest.mark.parametrize(
    "member",
    [
        1,
        [],
        {},
        {"law": 1},
        {"law": {"law": "none"}},
        {"law": ff.Normal().to_dict(), "shape": [3]},
        {"law": ff.Normal().to_dict(), "x": 1},
    ],
)
def test_what_fanfill_does_not_write_is_refused(member: Any) -> None:
    with pytest.raises(ValueError, match=r"'a'|law"):
        StoredLaws({"a": member}).spec("a", (2,), "F32")


def test_what_is_no_object_is_refused() -> None:
    with pytest.raises(ValueError, match="the laws"):
        StoredLaws.from_json("[]")
