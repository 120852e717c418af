"""Knows what a ParamSpec accepts, refuses, and writes; it must not know plans or files."""

from __future__ import annotations

import dataclasses
import json
import pickle

import pytest

import fanfill as ff

SPEC = ff.ParamSpec("h.0.c.weight", (768, 2304), ff.Normal(0.0, 0.02), layout="io", tie=("head.weight",))


# A fused query, key and value of two layers stacked, as (in, out).
FUSED = ff.ParamSpec(
    "qkv",
    (2, 16, 24),
    (ff.Normal(0.0, 0.1), ff.Normal(0.0, 0.2), ff.Constant(0.0)),
    layout="io",
    parts=3,
    batch_axes=(-3,),
)
PADDED = ff.ParamSpec("embedding", (9, 4), ff.Normal(), padding_row=0)
BUFFER = ff.ParamSpec("running_mean", (9,), ff.Constant(0.0), buffer=True)


def test_counts_and_stream_follow_from_shape_dtype_and_name() -> None:
    spec = ff.ParamSpec("w", (3, 5, 7), ff.Normal(), dtype="bfloat16")
    assert (spec.numel, spec.nbytes, spec.fan_in) == (105, 210, 35)
    assert spec.stream == ff.stream_id("w")
    scalar = ff.ParamSpec("s", (), ff.Constant(1.0))
    assert (scalar.numel, scalar.nbytes, scalar.fan_in) == (1, 4, None)


def test_fan_in_follows_the_layout() -> None:
    assert SPEC.fan_in == 768
    assert dataclasses.replace(SPEC, layout="oi").fan_in == 2304
    assert ff.ParamSpec("b", (2304,), ff.Constant(0.0)).fan_in is None


def test_fan_in_leaves_out_the_batch_axes() -> None:
    assert FUSED.fan_in == 16
    assert ff.ParamSpec("stacked", (8, 64, 32), ff.Normal(), batch_axes=(0,)).fan_in == 32
    assert ff.ParamSpec("stacked", (8, 64, 32), ff.Normal()).fan_in == 64 * 32
    assert ff.ParamSpec("stacked.bias", (8, 64), ff.Constant(0.0), batch_axes=(0,)).fan_in is None


def test_parts_and_batch_axes_are_kept_in_one_form() -> None:
    assert (FUSED.parts, FUSED.batch_axes) == ((8, 8, 8), (0,))
    assert dataclasses.replace(FUSED, parts=(8, 8, 8), batch_axes=(0,)) == FUSED
    assert ff.ParamSpec("w", (2, 3, 4, 5), ff.Normal(), batch_axes=(-3, 0)).batch_axes == (0, 1)


def test_equal_laws_of_parts_are_one_law() -> None:
    one, three = (ff.ParamSpec("w", (6, 4), law, parts=3) for law in (ff.Normal(), (ff.Normal(),) * 3))
    assert one == three
    assert three.law == ff.Normal()
    assert ff.ParamSpec("w", (6, 4), (ff.Normal(),)).law == ff.Normal()  # of the one part that it is


def test_dict_round_trip() -> None:
    plain = ff.ParamSpec("w", (2,), ff.Uniform(-1.0, 1.0))
    for spec in (SPEC, plain, FUSED, PADDED, BUFFER):
        assert ff.ParamSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec
        assert ff.ParamSpec.from_dict(spec.to_dict()) == spec
        assert pickle.loads(pickle.dumps(spec)) == spec
        assert eval(repr(spec), vars(ff)) == spec


def test_members_at_their_default_stay_out_of_the_dict() -> None:
    assert set(ff.ParamSpec("w", (2,), ff.Normal()).to_dict()) == {"name", "shape", "dtype", "law"}
    assert set(SPEC.to_dict()) == {"name", "shape", "dtype", "law", "layout", "tie"}
    assert FUSED.to_dict() == {
        "name": "qkv",
        "shape": [2, 16, 24],
        "dtype": "float32",
        "law": [law.to_dict() for law in FUSED.laws],
        "layout": "io",
        "parts": [8, 8, 8],
        "batch_axes": [0],
    }
    assert set(PADDED.to_dict()) == {"name", "shape", "dtype", "law", "padding_row"}
    assert BUFFER.to_dict()["buffer"] is True


@pytest.mark.parametrize("law", ["normal", None, 5, [5]])
def test_from_dict_names_the_parameter_whose_law_is_none(law: object) -> None:
    with pytest.raises(TypeError, match=r"^parameter 'w': law must be a mapping"):
        ff.ParamSpec.from_dict({"name": "w", "shape": [2], "dtype": "float32", "law": law})


def test_the_repr_evaluates_to_an_equal_spec() -> None:
    cut = ff.ParamSpec("w", (4, 2), ff.TruncatedNormal(bounds=(0, float("inf"))))
    for spec in (SPEC, PADDED, BUFFER, cut):
        assert eval(repr(spec), {name: getattr(ff, name) for name in ff.__all__}) == spec


def test_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        SPEC.name = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": ""}, "name"),
        ({"name": 3}, "name"),
        ({"name": "\ud800"}, "UTF-8"),
        ({"shape": (2, -1)}, "negative"),
        ({"shape": (2.0,)}, "shape"),
        ({"shape": (2**40, 2**40)}, r"2\*\*62"),
        ({"law": "normal"}, "law"),
        ({"law": ff.Normal(0.0, 1e38)}, "std"),
        ({"dtype": "int8"}, "int8"),
        ({"layout": "hwio"}, "layout"),
        ({"tie": "head.weight"}, "tie"),
        ({"tie": None}, "^tie of parameter 'w' must be a tuple of names, got None"),
        ({"parts": None}, "^parameter 'w': parts must be an int or a sequence of ints, not None"),
        ({"shape": None}, "^shape of parameter 'w' must be an int or a sequence of ints, not None"),
        ({"law": [ff.Normal()]}, "^parameter 'w': law must be .* or a tuple of them, got "),
        ({"parts": 2}, "parts"),  # a vector has no out axis
        ({"shape": (4, 2), "parts": 3}, "3 does not divide"),
        ({"shape": (4, 2), "parts": (1, 2)}, "add up to the 4"),
        ({"shape": (4, 2), "parts": 0}, "parts"),
        ({"shape": (4, 2), "parts": 2, "law": (ff.Normal(),) * 3}, "one for each of the parts"),
        ({"law": (ff.Normal(), ff.Constant(0.0))}, "one for each of the parts"),
        ({"shape": (4, 2), "parts": 2, "law": (ff.Normal(), "normal")}, "law"),
        ({"law": ()}, "law"),
        ({"batch_axes": (1,)}, "batch_axes"),
        ({"batch_axes": 0}, "batch_axes"),
        ({"shape": (2, 3), "batch_axes": (0, -2)}, "twice"),
        ({"padding_row": 0}, "padding_row"),  # a vector has no rows
        ({"shape": (4, 2), "padding_row": 4}, "padding_row"),
        ({"shape": (4, 2), "padding_row": -1}, "padding_row"),
        ({"shape": (4, 2), "padding_row": True}, "padding_row"),
        ({"shape": (4, 2), "padding_row": 0, "parts": 2}, "padding_row"),
        ({"buffer": 1}, "buffer"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, object], message: str) -> None:
    good: dict[str, object] = {"name": "w", "shape": (2,), "law": ff.Normal()}
    with pytest.raises((TypeError, ValueError, OverflowError), match=message):
        ff.ParamSpec(**{**good, **arguments})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("member", "message"),
    [
        ({"name": "w", "shape": [2], "dtype": "float32"}, "lacks law"),
        (
            {"name": "w", "shape": [2], "dtype": "float32", "law": {"law": "normal"}, "sparsity": 1},
            "sparsity",
        ),
        ("w", "object"),
        ({"name": "w", "shape": [2], "dtype": "float32", "law": {"law": "cauchy"}}, "^parameter 'w': law: "),
        ({"name": "w", "shape": [2], "dtype": "float32", "law": {"law": "constant"}}, "lacks value"),
    ],
)
def test_from_dict_refuses_what_to_dict_never_wrote(member: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ff.ParamSpec.from_dict(member)
