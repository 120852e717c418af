"""Knows what a Plan promises: equality, JSON, hash, table, values; it must not know files."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import pytest

import fanfill as ff
from small_plan import empty, small


def test_order_counts_and_lookup() -> None:
    plan = small()
    assert [spec.name for spec in plan] == ["wte.weight", "fc.weight", "fc.bias"]
    assert (len(plan), plan.numel, plan.nbytes, plan.seed) == (3, 64, 256, 7)
    assert plan["fc.bias"].shape == (8,)
    assert "fc.bias" in plan
    assert "head.weight" not in plan  # a tie is a further name, not a parameter
    with pytest.raises(KeyError, match="nothing"):
        plan["nothing"]


def test_names_must_differ_ties_included() -> None:
    spec = ff.ParamSpec("w", (2,), ff.Normal())
    with pytest.raises(ValueError, match="'w' occurs twice"):
        ff.Plan([spec, spec], seed=0)
    with pytest.raises(ValueError, match="'w' occurs twice"):
        ff.Plan([spec, ff.ParamSpec("v", (2,), ff.Normal(), tie=("w",))], seed=0)


def test_immutable() -> None:
    plan = small()
    with pytest.raises(AttributeError):
        plan.seed = 1  # type: ignore[misc]
    assert isinstance(plan.parameters, tuple)


def test_json_round_trip() -> None:
    plan = small(
        seed=2**64 - 1, **{"fc.bias": ff.ParamSpec("fc.bias", (8,), ff.TruncatedNormal(bounds=(0.0, np.inf)))}
    )
    for indent in (None, 1):
        again = ff.Plan.from_json(plan.to_json(indent=indent))
        assert again == plan
        assert (again.hash, again.model, again.recipe) == (plan.hash, "tiny", "none")


def test_hash_is_sha256_of_the_canonical_json() -> None:
    plan = ff.Plan([ff.ParamSpec("w", (2, 3), ff.Normal(0.0, 0.02), tie=("ä",))], seed=5)
    canonical = (
        '{"contract_version":1,"parameters":[{"dtype":"float32","law":{"law":"normal","mean":0.0,"std":0.02},'
        '"name":"w","shape":[2,3],"tie":["ä"]}],"seed":5}'
    )
    assert plan.hash == hashlib.sha256(canonical.encode()).hexdigest()


def test_hash_and_equality_see_bits_and_not_labels() -> None:
    plan = small()
    assert plan == ff.Plan(plan.parameters, seed=7)
    assert plan.hash == ff.Plan(plan.parameters, seed=7).hash
    assert hash(plan) == hash(ff.Plan(plan.parameters, seed=7))
    for other in (
        small(seed=8),
        ff.Plan(plan.parameters[::-1], seed=7),
        ff.Plan(plan.parameters[:2], seed=7),
    ):
        assert plan != other
        assert plan.hash != other.hash


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda c: c.update(seed=8), "hash"),
        (lambda c: c.update(contract_version=99), "contract version"),
        (lambda c: c.pop("seed"), "lacks seed"),
        (lambda c: c.update(extra=1), "extra"),
        (lambda c: c.update(seed="7"), "seed"),
        (lambda c: c.update(parameters={}), "array"),
        (lambda c: c["parameters"][0].pop("law"), "lacks law"),
        (lambda c: c.update(model=3), "model"),
        (lambda c: c["parameters"][0].update(shape=3.5), "shape"),
        (lambda c: c["parameters"][0].update(shape=[2**40, 2**40]), "shape"),
        (lambda c: c["parameters"][0].update(dtype="int8"), "int8"),
        (lambda c: c["parameters"][0]["law"].update(law="cauchy"), "cauchy"),
    ],
)
def test_edited_json_is_refused(edit: Any, message: str) -> None:
    content = json.loads(small().to_json())
    edit(content)
    with pytest.raises(ValueError, match=message):
        ff.Plan.from_json(json.dumps(content))


@pytest.mark.parametrize("text", ["", "[]", "null", '{"seed": 1, "seed": 2}', "[" * 100_000])
def test_text_that_is_no_plan_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"plan|twice|Expecting|JSON"):
        ff.Plan.from_json(text)


def test_plans_are_equal_if_and_only_if_their_hashes_are() -> None:
    plus, minus = (ff.Plan([ff.ParamSpec("b", (4,), ff.Constant(zero))], seed=0) for zero in (0.0, -0.0))
    assert plus != minus
    assert plus.hash != minus.hash
    assert plus.diff(minus) == ["b: law Constant(value=0.0) -> Constant(value=-0.0)"]
    halves = ff.ParamSpec("w", (4, 1), (ff.Constant(0.0), ff.Constant(-0.0)), parts=2)
    drawn = ff.Plan([halves], seed=0).array("w")
    assert np.signbit(drawn).ravel().tolist() == [False, False, True, True]


def test_what_is_no_list_of_specs_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^parameters must be an iterable of ParamSpec, got 5$"):
        ff.Plan(5, seed=0)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^parameters must be ParamSpec, got 'wte.weight'$"):
        ff.Plan(["wte.weight"], seed=0)  # type: ignore[list-item]


def test_diff_names_what_changed() -> None:
    plan = small()
    assert plan.diff(small()) == []
    other = small(
        seed=8,
        **{
            "fc.bias": ff.ParamSpec("fc.bias", (9,), ff.Constant(1.0)),
            "z": ff.ParamSpec("z", (1,), ff.Normal()),
        },
    )
    assert plan.diff(other) == [
        "seed: 7 -> 8",
        "+ z",
        "fc.bias: shape (8,) -> (9,)",
        "fc.bias: law Constant(value=0.0) -> Constant(value=1.0)",
    ]
    assert other.diff(plan)[1] == "- z"
    assert plan.diff(ff.Plan(plan.parameters[::-1], seed=7)) == ["order of the parameters"]


def test_table_shows_law_std_bounds_fan_and_totals() -> None:
    lines = small().table().splitlines()
    assert lines[0].split() == ["name", "shape", "dtype", "law", "std", "bounds", "fan_in"]
    assert lines[1].split() == ["wte.weight", "6x4", "float32", "normal", "0.02", "-", "4"]
    assert lines[2].split() == [
        "fc.weight",
        "4x8",
        "float32",
        "truncated_normal",
        "0.1",
        "[-2,",
        "2]",
        "sigma",
        "4",
    ]
    assert lines[3].split() == ["fc.bias", "8", "float32", "constant", "0", "-", "-", "-"]
    assert "3 tensors, 64 parameters, 256 bytes" in lines[4]
    assert small().hash in lines[4]


@pytest.mark.parametrize(
    ("law", "columns"),
    [
        (ff.Uniform(-0.5, 0.5), "uniform - [-0.5, 0.5)"),
        (ff.Normal(1.5, 0.1), "normal mean 1.5 0.1 -"),
        (ff.TruncatedNormal(0.0, 0.02, (-2.0, 2.0), "absolute"), "truncated_normal 0.02 [-2, 2]"),
        (ff.TruncatedNormal(0.0, 0.02, (0.0, np.inf)), "truncated_normal 0.02 [0, inf] sigma"),
    ],
)
def test_table_shows_every_kind_of_law(law: ff.Law, columns: str) -> None:
    line = ff.Plan([ff.ParamSpec("w", (), law)], seed=0).table().splitlines()[1]
    assert line.split() == ["w", "scalar", "float32", *columns.split(), "-"]


def test_table_shows_the_laws_of_parts_and_the_padding_row() -> None:
    fused = ff.ParamSpec(
        "qkv", (6, 4), (ff.Normal(0.0, 0.5), ff.Normal(0.0, 0.25), ff.Normal(0.0, 0.25)), parts=3
    )
    padded = ff.ParamSpec("e", (6, 4), ff.Normal(), padding_row=1)
    lines = ff.Plan([fused, padded], seed=0).table().splitlines()
    assert lines[1].split() == ["qkv", "6x4", "float32", "normal", "0.5", "|", "0.25", "|", "0.25", "-", "4"]
    assert lines[2].split() == ["e", "6x4", "float32", "normal,", "row", "1", "zero", "1", "-", "4"]


def test_fill_gives_each_parameter_what_fill_gives_it_alone() -> None:
    plan = small()
    arrays = empty(plan)
    assert plan.fill_(arrays) is arrays
    for spec in plan:
        alone = np.empty(spec.shape, spec.dtype)
        ff.fill_(alone, spec.law, seed=7, key=spec.name)
        np.testing.assert_array_equal(arrays[spec.name], alone)
        np.testing.assert_array_equal(plan.array(spec.name), alone)


def test_values_depend_on_name_seed_and_law_alone() -> None:
    plan = small()
    wanted = plan.array("fc.weight")
    fewer = ff.Plan([plan["fc.weight"]], seed=7)
    more = small(z=ff.ParamSpec("z", (3,), ff.Normal()))
    turned = ff.Plan(plan.parameters[::-1], seed=7)
    for other in (fewer, more, turned):
        np.testing.assert_array_equal(other.array("fc.weight"), wanted)
    assert not np.array_equal(small(seed=8).array("fc.weight"), wanted)


def test_filling_one_layer_again_changes_no_other() -> None:
    layers = [ff.ParamSpec(f"h.{layer}.w", (5, 7), ff.Normal()) for layer in range(3)]
    plan = ff.Plan(layers, seed=7)
    arrays = plan.fill_(empty(plan))
    before = {name: array.copy() for name, array in arrays.items()}
    changed = ff.Plan([ff.ParamSpec("h.1.w", (5, 7), ff.Normal(0.0, 2.0))], seed=7)
    changed.fill_(arrays, only="h.1.w")
    np.testing.assert_array_equal(arrays["h.1.w"], 2.0 * before["h.1.w"])  # same words, another scale
    for name in ("h.0.w", "h.2.w"):
        np.testing.assert_array_equal(arrays[name], before[name])
    plan.fill_(arrays, only="h.1.w")
    np.testing.assert_array_equal(arrays["h.1.w"], before["h.1.w"])


def test_a_recipe_keeps_the_values_of_layers_that_a_deeper_model_shares() -> None:
    def model(depth: int) -> ff.Model:
        listed = [ff.Parameter(f"h.{layer}.w", (5, 7)) for layer in range(depth)]
        return ff.Model("m", listed, depth=depth)

    recipe = ff.Recipe("flat", [(r"h\.\d+\.w", ff.Normal(0.0, 0.02))])
    shallow, deep = recipe.plan(model(2), seed=0), recipe.plan(model(5), seed=0)
    for spec in shallow:
        np.testing.assert_array_equal(deep.array(spec.name), shallow.array(spec.name))


def test_values_do_not_depend_on_layout_parts_batch_axes_or_ties() -> None:
    wanted = ff.Plan([ff.ParamSpec("w", (4, 6, 8), ff.Normal())], seed=7).array("w")
    for members in ({"layout": "io"}, {"parts": 2}, {"batch_axes": (0,)}, {"tie": ("v",)}, {"buffer": True}):
        plan = ff.Plan([ff.ParamSpec("w", (4, 6, 8), ff.Normal(), **members)], seed=7)
        np.testing.assert_array_equal(plan.array("w"), wanted)


PARTS = (ff.Normal(0.0, 1.0), ff.Normal(0.0, 3.0), ff.Uniform(-1.0, 1.0))


@pytest.mark.parametrize(
    ("shape", "members", "axis"),
    [
        ((12, 5), {"parts": (6, 2, 4)}, 0),
        ((5, 12), {"parts": (6, 2, 4), "layout": "io"}, 1),
        ((2, 12, 5), {"parts": (6, 2, 4), "batch_axes": (0,)}, 1),
        ((2, 5, 12), {"parts": (6, 2, 4), "batch_axes": (0,), "layout": "io"}, 2),
    ],
)
def test_a_part_is_what_its_law_gives_the_whole_tensor_there(
    shape: tuple[int, ...], members: dict[str, Any], axis: int
) -> None:
    plan = ff.Plan([ff.ParamSpec("qkv", shape, PARTS, **members)], seed=7)
    wholes = [ff.Plan([ff.ParamSpec("qkv", shape, law)], seed=7).array("qkv") for law in PARTS]
    wanted = np.concatenate([np.split(whole, (6, 8), axis)[part] for part, whole in enumerate(wholes)], axis)
    np.testing.assert_array_equal(plan.array("qkv"), wanted)
    np.testing.assert_array_equal(plan.fill_(empty(plan))["qkv"], wanted)
    strided = np.full(tuple(2 * extent for extent in shape), np.nan, "f4")[
        tuple([slice(None, None, 2)] * len(shape))
    ]
    np.testing.assert_array_equal(plan.fill_({"qkv": strided})["qkv"], wanted)
    offsets, sizes = (1,) * len(shape), tuple(extent - 1 for extent in shape)
    box = tuple(slice(1, None) for _ in shape)
    np.testing.assert_array_equal(plan.array("qkv", ff.Region.box(shape, offsets, sizes)), wanted[box])
    flat = plan.array("qkv", ff.Region.flat(shape, 7, wanted.size - 3))
    np.testing.assert_array_equal(flat, wanted.ravel()[7:-3])


@pytest.mark.parametrize("row", [0, 3, 6])
def test_the_padding_row_is_zero_and_the_others_as_without_it(row: int) -> None:
    def made(rows: int, padding_row: int | None) -> Any:
        spec = ff.ParamSpec("e", (rows, 5), ff.Normal(), padding_row=padding_row, tie=("head",))
        return ff.Plan([spec], seed=7)

    wanted = made(7, None).array("e")
    wanted[row] = 0.0
    np.testing.assert_array_equal(made(7, row).array("e"), wanted)
    np.testing.assert_array_equal(made(11, row).array("e")[:7], wanted)
    arrays = {"e": np.full((7, 5), np.nan, "f4"), "head": np.full((7, 5), np.nan, "f4")}
    made(7, row).fill_(arrays)
    for array in arrays.values():
        np.testing.assert_array_equal(array, wanted)
    if row == 3:
        part = made(7, row).array("e", ff.Region((7, 5), [[(0, 2), (3, 5)], [(1, 4)]]))
        np.testing.assert_array_equal(part, wanted[[0, 1, 3, 4], 1:4])


def test_hashes_of_plans_without_parts_or_padding_stay() -> None:
    spec = ff.ParamSpec("w", (6, 4), ff.Normal(0.0, 0.02))
    assert ff.Plan([spec], seed=5).hash == "3e8495aba7952965415730d27bc002070542c51df1c386a26a94f2b4bdc6faf0"
    seen = {ff.Plan([spec], seed=5).hash}
    for members in ({"parts": 2}, {"batch_axes": (0,)}, {"padding_row": 0}, {"buffer": True}):
        plan = ff.Plan([ff.ParamSpec("w", (6, 4), ff.Normal(0.0, 0.02), **members)], seed=5)
        assert ff.Plan.from_json(plan.to_json()) == plan
        assert plan.diff(ff.Plan([spec], seed=5))[0].startswith(f"w: {next(iter(members))} ")
        seen.add(plan.hash)
    assert len(seen) == 5


def test_buffers_are_counted_apart() -> None:
    plan = small(mean=ff.ParamSpec("mean", (10,), ff.Constant(0.0), buffer=True))
    assert (plan.numel, plan.buffer_numel, plan.nbytes) == (74, 10, 296)
    assert "4 tensors, 64 parameters, 10 elements of buffers, 296 bytes" in plan.table()


def test_a_grown_vocabulary_keeps_its_old_rows() -> None:
    old, new = (ff.Plan([ff.ParamSpec("e", (rows, 5), ff.Normal())], seed=0).array("e") for rows in (11, 17))
    np.testing.assert_array_equal(new[:11], old)


def test_array_of_a_region_is_that_part() -> None:
    plan = small()
    whole = plan.array("wte.weight")
    np.testing.assert_array_equal(
        plan.array("wte.weight", ff.Region.box((6, 4), (2, 1), (3, 2))), whole[2:5, 1:3]
    )
    np.testing.assert_array_equal(
        plan.array("wte.weight", ff.Region.flat((6, 4), 5, 19)), whole.ravel()[5:19]
    )
    with pytest.raises(ValueError, match="region"):
        plan.array("wte.weight", ff.Region.flat((6, 5), 0, 3))
