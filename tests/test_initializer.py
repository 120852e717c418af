"""The initializers by name: each is a law whose parameters this file writes out by hand."""

from __future__ import annotations

import inspect
import math
import pickle
from typing import Any

import numpy as np
import pytest

import fanfill as ff

SHAPE = (40, 10)  # fan_in 10, fan_out 40, their mean 25, their geometric mean 20
CORRECTED = {"bounds": (-2.0, 2.0), "unit": "sigma", "correct_variance": True}
FAMILIES = {
    "he": math.sqrt(2.0) / math.sqrt(10.0),
    "kaiming": math.sqrt(2.0) / math.sqrt(10.0),
    "glorot": 1.0 / math.sqrt(25.0),
    "xavier": 1.0 / math.sqrt(25.0),
    "lecun": 1.0 / math.sqrt(10.0),
}
SCALED = [f"{family}_{law}" for family in FAMILIES for law in ("normal", "truncated_normal", "uniform")]


def law_of(name: str, std: float) -> ff.Law:
    if name.endswith("truncated_normal"):
        return ff.TruncatedNormal(0.0, std, **CORRECTED)  # type: ignore[arg-type]
    if name.endswith("uniform"):
        return ff.Uniform(-math.sqrt(3.0) * std, math.sqrt(3.0) * std)
    return ff.Normal(0.0, std)


def filled(law: ff.Law, shape: tuple[int, ...] = SHAPE, dtype: str = "float32") -> np.ndarray:
    return ff.fill_(np.zeros(shape, dtype), law, seed=7, key="w")


def in_place(name: str, shape: tuple[int, ...] = SHAPE, **options: Any) -> np.ndarray:
    out = np.zeros(shape, np.float32)
    assert getattr(ff, f"{name}_")(out, seed=7, key="w", **options) is out
    return out


@pytest.mark.parametrize("name", SCALED)
def test_the_law_is_in_the_name_and_the_scale_in_the_family(name: str) -> None:
    expected = filled(law_of(name, FAMILIES[name.partition("_")[0]]))
    np.testing.assert_array_equal(in_place(name), expected)


@pytest.mark.parametrize("name", SCALED)
def test_the_measured_standard_deviation_is_the_familys(name: str) -> None:
    out = in_place(name, (4000, 1000))
    std = {"he": math.sqrt(2 / 1000), "glorot": math.sqrt(2 / 5000), "lecun": math.sqrt(1 / 1000)}
    family = {"kaiming": "he", "xavier": "glorot"}.get(name.partition("_")[0], name.partition("_")[0])
    assert out.std(dtype=np.float64) == pytest.approx(
        std[family], rel=3e-3
    )  # 4 sigma of 4e6 values, and more


@pytest.mark.parametrize("alias", [name for name in SCALED if name.startswith(("kaiming", "xavier"))])
def test_aliases_are_the_functions_themselves(alias: str) -> None:
    name = alias.replace("kaiming", "he").replace("xavier", "glorot")
    assert getattr(ff, alias) is getattr(ff, name)
    assert getattr(ff, f"{alias}_") is getattr(ff, f"{name}_")


@pytest.mark.parametrize("name", SCALED)
def test_the_form_without_underscore_returns_a_new_array(name: str) -> None:
    out = getattr(ff, name)(SHAPE, seed=7, key="w")
    np.testing.assert_array_equal(out, in_place(name))
    assert (out.dtype, out.ctypes.data % 64) == (np.float32, 0)


@pytest.mark.parametrize(
    ("mode", "fan"), [("fan_in", 10.0), ("fan_out", 40.0), ("fan_avg", 25.0), ("fan_geo_avg", 20.0)]
)
def test_modes(mode: str, fan: float) -> None:
    np.testing.assert_array_equal(
        in_place("he_normal", mode=mode), filled(ff.Normal(0.0, math.sqrt(2.0) / math.sqrt(fan)))
    )
    np.testing.assert_array_equal(
        in_place("variance_scaling", scale=3.0, mode=mode),
        filled(ff.Normal(0.0, math.sqrt(3.0) / math.sqrt(fan))),
    )


@pytest.mark.parametrize(
    ("options", "gain"),
    [
        ({"nonlinearity": "tanh"}, 5.0 / 3.0),
        ({"nonlinearity": "leaky_relu", "param": 0.5}, math.sqrt(2.0 / 1.25)),
        ({"gain": 0.5}, 0.5),
        ({"gain": 3}, 3.0),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["he_uniform", "glorot_uniform"])
def test_gains(name: str, options: dict[str, Any], gain: float) -> None:
    fan = 10.0 if name.startswith("he") else 25.0
    expected = filled(law_of(name, gain / math.sqrt(fan)))
    np.testing.assert_array_equal(in_place(name, **options), expected)


@pytest.mark.parametrize(
    ("shape", "options", "fan"),
    [
        ((10, 40), {"layout": "io"}, 10.0),
        ((3, 3, 10, 40), {"layout": "io"}, 90.0),
        ((40, 10, 3, 3), {}, 90.0),
        ((40, 10, 3, 3), {"groups": 4}, 90.0),
        ((40, 10, 3, 3), {"transposed": True}, 360.0),
        ((8, 40, 10), {"batch_axes": (0,)}, 10.0),
        ((40, 10), {"fan_in": 7}, 7.0),
        ((40, 10), {"fan_out": 7.5, "mode": "fan_out"}, 7.5),
        ((40,), {}, 40.0),
        ((), {}, 1.0),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["lecun_normal", "variance_scaling"])
def test_fans_come_from_the_shape_and_its_layout(
    name: str, shape: tuple[int, ...], options: Any, fan: float
) -> None:
    np.testing.assert_array_equal(
        in_place(name, shape, **options), filled(ff.Normal(0.0, 1.0 / math.sqrt(fan)), shape)
    )


@pytest.mark.parametrize("name", [*SCALED, "variance_scaling", "normal", "uniform", "truncated_normal"])
@pytest.mark.parametrize("shape", [(0,), (0, 10), (10, 0), (4, 3, 0)])
def test_tensors_without_elements_are_left_as_they_are(name: str, shape: tuple[int, ...]) -> None:
    assert in_place(name, shape).shape == shape


@pytest.mark.parametrize("name", ["he_normal", "glorot_uniform", "variance_scaling"])
def test_a_shard_takes_its_fans_from_the_whole(name: str) -> None:
    region = ff.Region.box(SHAPE, (10, 5), (10, 5))
    whole = in_place(name)
    np.testing.assert_array_equal(in_place(name, (10, 5), region=region), whole[10:20, 5:])
    shard = getattr(ff, name)(SHAPE, seed=7, key="w", region=region)
    np.testing.assert_array_equal(shard, whole[10:20, 5:])


def test_a_flat_shard_takes_its_fans_from_the_whole() -> None:
    region = ff.Region.flat(SHAPE, 100, 130)
    np.testing.assert_array_equal(
        in_place("he_normal", (30,), region=region), in_place("he_normal").ravel()[100:130]
    )


@pytest.mark.parametrize("law", ["normal", "truncated_normal", "uniform"])
def test_variance_scaling_laws(law: str) -> None:
    expected = filled(law_of(law, math.sqrt(2.0) / math.sqrt(10.0)))
    np.testing.assert_array_equal(in_place("variance_scaling", scale=2.0, law=law), expected)
    np.testing.assert_array_equal(ff.variance_scaling(SHAPE, 2.0, "fan_in", law, seed=7, key="w"), expected)  # type: ignore[arg-type]


PLAIN = [
    ("normal", (0.5, 0.1), ff.Normal(0.5, 0.1)),
    ("normal", (), ff.Normal(0.0, 1.0)),
    ("uniform", (-0.5, 0.1), ff.Uniform(-0.5, 0.1)),
    ("uniform", (), ff.Uniform(0.0, 1.0)),
    ("truncated_normal", (), ff.TruncatedNormal(0.0, 1.0, (-2.0, 2.0), "sigma", False)),
    (
        "truncated_normal",
        (0.5, 0.1, (0.4, 0.7), "absolute"),
        ff.TruncatedNormal(0.5, 0.1, (0.4, 0.7), "absolute", False),
    ),
    (
        "truncated_normal",
        (0.0, 0.1, (-3, 3), "sigma", True),
        ff.TruncatedNormal(0.0, 0.1, (-3.0, 3.0), "sigma", True),
    ),
]


@pytest.mark.parametrize(("name", "arguments", "law"), PLAIN, ids=str)
def test_the_initializers_of_plain_laws(name: str, arguments: tuple[Any, ...], law: ff.Law) -> None:
    out = np.zeros(SHAPE, np.float32)
    assert getattr(ff, f"{name}_")(out, *arguments, seed=7, key="w") is out
    np.testing.assert_array_equal(out, filled(law))
    np.testing.assert_array_equal(getattr(ff, name)(SHAPE, *arguments, seed=7, key="w"), filled(law))


@pytest.mark.parametrize("name", [*SCALED, "variance_scaling", "normal", "uniform", "truncated_normal"])
def test_key_is_0_by_default_only_in_the_forms_that_return_an_array(name: str) -> None:
    make, fill = getattr(ff, name), getattr(ff, f"{name}_")
    np.testing.assert_array_equal(make(SHAPE, seed=7), make(SHAPE, seed=7, key=0))
    for missing in ("seed", "key"):
        assert inspect.signature(fill).parameters[missing].default is inspect.Parameter.empty
    assert inspect.signature(make).parameters["seed"].default is inspect.Parameter.empty


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", np.float16, np.dtype("f8")])
@pytest.mark.parametrize("name", ["normal", "he_uniform", "variance_scaling"])
def test_the_dtype_of_the_new_array(name: str, dtype: Any) -> None:
    out = getattr(ff, name)(SHAPE, seed=7, key="w", dtype=dtype)
    assert out.dtype == dtype
    np.testing.assert_array_equal(out, getattr(ff, f"{name}_")(np.zeros(SHAPE, dtype), seed=7, key="w"))


def test_byte_buffers_need_their_dtype_and_give_one_axis() -> None:
    out = ff.he_normal_(
        bytearray(1600), seed=7, key="w", dtype="float32", region=ff.Region.flat(SHAPE, 0, 400)
    )
    np.testing.assert_array_equal(np.frombuffer(out, np.float32), in_place("he_normal").ravel())


@pytest.mark.parametrize("name", [*SCALED, "variance_scaling", "normal", "uniform", "truncated_normal"])
def test_help_signature_and_pickle(name: str) -> None:
    for full in (name, f"{name}_"):
        function = getattr(ff, full)
        assert pickle.loads(pickle.dumps(function)) is function
        assert "Examples" in inspect.getdoc(function)  # type: ignore[operator]
        assert next(iter(inspect.signature(function).parameters)) == (
            "out" if full.endswith("_") else "shape"
        )
    if name in SCALED:
        mode = "fan_avg" if name.startswith(("glorot", "xavier")) else "fan_in"
        assert inspect.signature(getattr(ff, f"{name}_")).parameters["mode"].default == mode


def refused(name: str, error: type[Exception], match: str, **options: Any) -> None:
    out = np.full(SHAPE, 9.0, np.float32)
    with pytest.raises(error, match=match):
        getattr(ff, f"{name}_")(out, **({"seed": 7, "key": "w"} | options))
    assert (out == 9.0).all()
    with pytest.raises(error, match=match):
        getattr(ff, name)(SHAPE, **({"seed": 7, "key": "w"} | options))


def test_gain_together_with_nonlinearity_is_refused() -> None:
    refused("he_normal", ValueError, "give either gain= or nonlinearity=", gain=1.0, nonlinearity="relu")
    refused("glorot_uniform", ValueError, "give either gain= or nonlinearity=", gain=1.0, param=0.1)


@pytest.mark.parametrize("gain", [0.0, -1.0, math.inf, math.nan])
def test_a_gain_that_is_not_positive_is_refused(gain: float) -> None:
    refused("he_normal", ValueError, "^gain ", gain=gain)


def test_a_param_without_leaky_relu_is_refused() -> None:
    refused("he_normal", ValueError, "param is the slope of leaky_relu; 'relu' has no parameter", param=0.1)


def test_an_unknown_nonlinearity_is_refused() -> None:
    refused("lecun_normal", ValueError, "nonlinearity: 'gelu' has no gain", nonlinearity="gelu")


@pytest.mark.parametrize("scale", [0.0, -1.0, math.inf, math.nan])
def test_a_scale_that_is_not_positive_is_refused(scale: float) -> None:
    refused("variance_scaling", ValueError, "^scale ", scale=scale)


def test_an_unknown_mode_is_refused() -> None:
    refused("he_normal", ValueError, "mode must be", mode="fan")
    refused("variance_scaling", ValueError, "mode must be", mode="fan")


def test_an_unknown_law_is_refused() -> None:
    refused(
        "variance_scaling", ValueError, "law must be 'normal', 'truncated_normal' or 'uniform'", law="cauchy"
    )


def test_an_unknown_law_is_refused_for_empty_tensors_too() -> None:
    with pytest.raises(ValueError, match="law must be"):
        ff.variance_scaling((0, 3), law="cauchy", mode="fan_out", seed=7)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["he_normal", "glorot_truncated_normal", "variance_scaling"])
def test_zero_fans_are_refused(name: str) -> None:
    refused(name, ValueError, "fan_in must be positive", fan_in=0)


def test_a_bad_layout_is_refused() -> None:
    refused("he_normal", ValueError, "layout must be 'oi'", layout="keras")


def test_bad_parameters_of_plain_laws_are_refused() -> None:
    refused("normal", ValueError, "std must not be negative", std=-1.0)
    refused("uniform", ValueError, "low must be below high", low=1.0, high=1.0)
    refused("truncated_normal", ValueError, "bounds must ascend", bounds=(1.0, 1.0))


def test_a_region_that_is_none_is_refused() -> None:
    refused("he_normal", TypeError, "region must be a Region", region=(0, 1))
    refused("normal", TypeError, "region must be a Region", region=(0, 1))


def test_a_new_shard_needs_the_global_shape() -> None:
    region = ff.Region.box(SHAPE, (0, 0), (4, 4))
    with pytest.raises(
        ValueError, match=r"shape \(4, 4\) must be the global shape of the region, \(40, 10\)"
    ):
        ff.he_normal((4, 4), seed=7, region=region)
