"""Knows what the statistics of a checkpoint must be, and how far from its law a tensor may look."""

from __future__ import annotations

import json
import math
import statistics
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest

import fanfill as ff
from fanfill.checkpoint.statistics_table import statistics_table
from fanfill.checkpoint.tensor_statistics import Moments
from fanfill.dtype import DTYPES, as_dtype
from fanfill.element_values import element_values, has_values
from fanfill.law_moments import law_moments
from test_verify import data_of, flip, rewrite

FAR = 5.0  # standard errors; some 300 z-scores are asked for

LAWS = [
    ff.Normal(0.0, 0.02),
    ff.Normal(1.5, 0.3),
    ff.Uniform(-0.3, 0.7),
    ff.TruncatedNormal(0.0, 0.02),
    ff.TruncatedNormal(0.1, 0.5, bounds=(0.2, 0.9), unit="absolute"),
    ff.TruncatedNormal(0.0, 1.0, bounds=(-1.0, 3.0)),
    ff.TruncatedNormal(0.0, 0.05, correct_variance=True),
    ff.TruncatedNormal(0.0, 1.0, bounds=(5.0, math.inf)),
]


def test_statistics_are_those_of_the_values(tmp_path: Path) -> None:
    values = np.random.default_rng(7).gamma(2.0, size=(7, 3001))
    rewrite(tmp_path / "m.safetensors", {"w": ("F64", [7, 3001], values.tobytes())})
    (found,) = ff.weight_statistics(tmp_path / "m.safetensors")
    flat = values.reshape(-1)
    assert (found.count, found.nonfinite, found.shape, found.dtype) == (flat.size, 0, (7, 3001), "F64")
    assert (found.low, found.high) == (flat.min(), flat.max())
    assert found.mean == pytest.approx(statistics.fmean(flat), rel=1e-14)
    assert found.std == pytest.approx(float(flat.std(ddof=1)), rel=1e-13)
    centred = flat - flat.mean()
    assert found.kurtosis == pytest.approx(float((centred**4).mean() / (centred**2).mean() ** 2), rel=1e-12)
    assert found.law is found.z_mean is None


def test_accumulation_is_stable_far_from_zero() -> None:
    values = 1e9 + np.random.default_rng(1).standard_normal(100_000)
    parts = [Moments.of(values[at : at + 777]) for at in range(0, values.size, 777)]
    joined = sum(parts, Moments())
    assert joined.count == values.size
    exact = values - values.mean()
    assert joined.second / joined.count == pytest.approx(float((exact**2).mean()), rel=1e-8)
    assert joined.third / joined.count == pytest.approx(float((exact**3).mean()), rel=1e-6, abs=1e-6)
    assert joined.fourth / joined.count == pytest.approx(float((exact**4).mean()), rel=1e-8)


def test_many_blocks_have_the_statistics_of_the_whole(tmp_path: Path) -> None:
    values = np.random.default_rng(2).gamma(0.5, size=1_300_001) * np.repeat([1.0, 7.0], [700_000, 600_001])
    rewrite(tmp_path / "m.safetensors", {"w": ("F64", [values.size], values.tobytes())})
    (found,) = ff.weight_statistics(tmp_path / "m.safetensors")  # three blocks, forty pieces
    centred = values - values.mean()
    assert (found.count, found.low, found.high) == (values.size, values.min(), values.max())
    assert found.mean == pytest.approx(float(values.mean()), rel=1e-13)
    assert found.std == pytest.approx(float(values.std(ddof=1)), rel=1e-12)
    assert found.kurtosis == pytest.approx(float((centred**4).mean() / (centred**2).mean() ** 2), rel=1e-11)


@pytest.mark.parametrize("size", [1e308, 1e200, 1e100, 1e-100, 1e-200, 5e-324])
@pytest.mark.parametrize("law", [ff.Normal(), ff.Normal(0.0, 1e250), ff.Normal(0.0, 1e-250)])
def test_values_too_large_for_their_moments_are_told_in_json(
    size: float, law: ff.Law, tmp_path: Path
) -> None:
    values = size * np.repeat([1.0, -1.0, 0.5], 30_000)  # several pieces
    rewrite(tmp_path / "m.safetensors", {"w": ("F64", [values.size], values.tobytes())})
    plan = ff.Plan([ff.ParamSpec("w", values.shape, law, dtype="float64")], seed=0)
    (found,) = ff.verify(tmp_path / "m.safetensors", plan, statistics=True).statistics
    assert (found.low, found.high, found.nonfinite) == (-size, size, 0)
    json.dumps(found.to_dict(), allow_nan=False)
    statistics_table([found])
    if 1e-150 < size < 1e150:
        centred = values - values.mean()
        kurtosis = float(((centred / size) ** 4).mean() / ((centred / size) ** 2).mean() ** 2)
        assert found.std == pytest.approx(float(values.std(ddof=1)))
        assert found.kurtosis is None or found.kurtosis == pytest.approx(kurtosis)


def test_infinities_and_nans_are_counted_apart(tmp_path: Path) -> None:
    values = np.array([1.0, np.nan, 2.0, np.inf, 3.0, -np.inf], np.float32)
    nothing = np.full(4, np.nan, np.float16)
    huge = np.array([1e308, -1e308, 1e308], np.float64)
    tensors = {
        "w": ("F32", [6], values.tobytes()),
        "n": ("F16", [4], nothing.tobytes()),
        "h": ("F64", [3], huge.tobytes()),
    }
    rewrite(tmp_path / "m.safetensors", tensors)
    some, none, huge_found = ff.weight_statistics(tmp_path / "m.safetensors")
    assert (some.count, some.nonfinite, some.mean, some.std, some.low, some.high) == (
        3,
        3,
        2.0,
        1.0,
        1.0,
        3.0,
    )
    assert (none.count, none.nonfinite, none.mean, none.std, none.kurtosis) == (0, 4, None, None, None)
    assert huge_found.high == 1e308
    assert "w: 3 infinities or NaNs" in statistics_table([some, none, huge_found])


@pytest.mark.parametrize(
    ("dtype", "code", "values"),
    [
        ("BF16", "80ff", [-math.inf]),
        ("BF16", "803f00c00100", [1.0, -2.0, 2.0**-133]),
        ("F16", "003c0100", [1.0, 2.0**-24]),
        ("F8_E4M3", "7e7f0138c8", [448.0, math.nan, 2.0**-9, 1.0, -4.0]),
        ("F8_E5M2", "7b7c7d013c", [57344.0, math.inf, math.nan, 2.0**-16, 1.0]),
        ("F8_E4M3FNUZ", "7f800140", [240.0, math.nan, 2.0**-10, 1.0]),
        ("F8_E5M2FNUZ", "7f800140", [57344.0, math.nan, 2.0**-17, 1.0]),
        ("F8_E8M0", "7f80ff", [1.0, 2.0, math.nan]),
        ("F4", "2178", [0.5, 1.0, -0.0, 6.0]),
        ("I8", "ff80", [-1.0, -128.0]),
        ("U64", "ff" * 8, [float(2**64)]),
        ("BOOL", "0100", [0.0 + 1.0, 0.0]),
        ("C64", "0000803f00000040", [1.0, 2.0]),
    ],
)
def test_elements_of_every_type_have_their_values(dtype: str, code: str, values: list[float]) -> None:
    assert has_values(dtype)
    found = element_values(np.frombuffer(bytes.fromhex(code), np.uint8), dtype)
    np.testing.assert_array_equal(found, values)


def test_six_bit_elements_are_left_out(tmp_path: Path) -> None:
    rewrite(tmp_path / "m.safetensors", {"w": ("F6_E2M3", [4], bytes(3)), "v": ("F32", [1], bytes(4))})
    assert [each.name for each in ff.weight_statistics(tmp_path / "m.safetensors")] == ["v"]
    with pytest.raises(ValueError, match="F6_E2M3"):
        element_values(np.zeros(3, np.uint8), "F6_E2M3")


def test_every_law_in_every_dtype_looks_like_itself(tmp_path: Path) -> None:
    specs = [
        ff.ParamSpec(f"{number}.{dtype.name}", (60_000,), law, dtype=dtype.name)
        for number, law in enumerate(LAWS)
        for dtype in DTYPES
        if law.complaint(dtype) is None
    ]
    fused = (ff.Normal(0.0, 1.0), ff.Uniform(3.0, 4.0))
    specs.append(ff.ParamSpec("fused", (900, 100), fused, parts=(600, 300)))
    specs.append(ff.ParamSpec("padded", (50, 2000), ff.Normal(), padding_row=3))
    plan = ff.Plan(specs, seed=11)
    plan.write(tmp_path / "m.safetensors")
    found = ff.verify(tmp_path / "m.safetensors", plan, statistics=True)
    assert found
    assert {each.name for each in found.statistics} == {spec.name for spec in specs}
    for each in found.statistics:
        for z in (each.z_mean, each.z_std, each.z_kurtosis):
            assert z is not None
            assert abs(z) < FAR, each
    assert f"{len(specs)} tensors against their laws, 0 more than 6" in statistics_table(found.statistics)


def test_constants_and_state_space_laws(tmp_path: Path) -> None:
    laws = {
        "third": ff.Constant(1.0 / 3.0),
        "log": ff.LogUniform(0.001, 0.1),
        "step": ff.LogUniform(0.001, 0.1, floor=0.002, inverse_softplus=True),
        "range": ff.Arange(1, 17, log=True),
    }
    for dtype in ("float32", "bfloat16", "float8_e5m2"):
        specs = [ff.ParamSpec(name, (5000, 16), law, dtype=dtype) for name, law in laws.items()]
        plan = ff.Plan(specs, seed=2)
        plan.write(tmp_path / "m.safetensors", replace=True)
        for each in ff.verify(tmp_path / "m.safetensors", plan, statistics=True).statistics:
            assert each.z_mean is not None
            if dtype != "float8_e5m2" or each.name == "third":  # narrow cells of a law that is no quadrature
                assert abs(each.z_mean) < FAR, each
            assert (each.expected_std == 0.0) is (each.name == "third")


def test_values_of_another_law_are_far_from_theirs(tmp_path: Path) -> None:
    plan = ff.Plan([ff.ParamSpec(name, (100_000,), ff.Normal(0.0, 0.02)) for name in "abcd"], seed=5)
    others = [ff.Normal(0.001, 0.02), ff.Normal(0.0, 0.0205), ff.Uniform(-0.02 * 3**0.5, 0.02 * 3**0.5)]
    made = ff.Plan(
        [plan["a"], *(ff.ParamSpec(n, (100_000,), law) for n, law in zip("bcd", others, strict=True))], seed=6
    )
    rewritten = {s.name: ("F32", [100_000], made.array(s.name).tobytes()) for s in made}
    rewrite(tmp_path / "m.safetensors", rewritten)
    found = ff.verify(tmp_path / "m.safetensors", plan, statistics=True)
    assert found.difference is not None  # another seed, so other bits, and the pass goes on
    a, b, c, d = found.statistics
    assert max(map(abs, _distances(a))) < FAR
    assert abs(b.z_mean or 0.0) > 10.0
    assert abs(c.z_std or 0.0) > 8.0
    assert abs(d.z_std or 0.0) < FAR
    assert (d.z_kurtosis or 0.0) < -50.0
    assert "3 more than 6 standard errors away: b, c, d" in statistics_table(found.statistics)


def test_a_constant_that_is_not_one_is_infinitely_far(tmp_path: Path) -> None:
    plan = ff.Plan([ff.ParamSpec("b", (10,), ff.Constant(0.1))], seed=5)
    path = tmp_path / "m.safetensors"
    plan.write(path)
    assert ff.verify(path, plan, statistics=True).statistics[0].z_mean == 0.0
    at, _ = data_of(path, "b")
    flip(path, at + 8)
    (found,) = ff.verify(path, plan, statistics=True).statistics
    assert found.z_mean == math.inf
    assert found.to_dict()["z_mean"] > 1e300


def _distances(each: Any) -> list[float]:
    return [each.z_mean, each.z_std, each.z_kurtosis]


@pytest.mark.parametrize(
    ("law", "low", "high"),
    [
        (ff.Normal(2.0, 3.0), -math.inf, math.inf),
        (ff.TruncatedNormal(2.0, 3.0), -2.0, 2.0),
        (ff.TruncatedNormal(2.0, 3.0, bounds=(-1.0, 0.5)), -1.0, 0.5),
        (ff.TruncatedNormal(2.0, 3.0, bounds=(-1.0, 2.0), unit="absolute"), -1.0, 0.0),
        # Far out it looks like the exponential law.
        (ff.TruncatedNormal(2.0, 3.0, bounds=(30.0, math.inf)), 30.0, math.inf),
        (ff.TruncatedNormal(2.0, 3.0, bounds=(-9.0, -8.5)), -9.0, -8.5),
    ],
)
def test_moments_of_normal_laws(law: ff.Law, low: float, high: float) -> None:
    found = law_moments((law,), (1.0,), as_dtype("float64"))
    assert found is not None
    with mpmath.workdps(30):
        ends = [low, 0.0 if low < 0.0 < high else (low + min(high, low + 1.0)) / 2.0, high]

        def moment(order: int, about: float) -> Any:
            nearest = 0.0 if low < 0.0 < high else min(abs(low), abs(high))
            return mpmath.quad(lambda x: (x - about) ** order * mpmath.exp((nearest**2 - x * x) / 2), ends)

        mass = moment(0, 0.0)
        mean = moment(1, 0.0) / mass
        central = [moment(order, mean) / mass for order in range(9)]
        std = mpmath.sqrt(central[2])
        assert found.mean == pytest.approx(float(2 + 3 * mean), rel=1e-12)
        assert found.std == pytest.approx(float(3 * std), rel=1e-11)
        for order, standardized in enumerate(found.standardized, start=3):
            wanted = float(central[order] / std**order)
            assert standardized == pytest.approx(wanted, rel=1e-8, abs=1e-9), order


def test_moments_of_other_laws() -> None:
    uniform = law_moments((ff.Uniform(0.0, 1.0),), (1.0,), as_dtype("float64"))
    assert uniform is not None
    assert uniform.kurtosis == pytest.approx(1.8, rel=1e-12)
    assert uniform.kurtosis_variance == pytest.approx(9 - 4 * 1.8 * 27 / 7 + 4 * 1.8**3 - 1.8**2, rel=1e-12)
    normal = law_moments((ff.Normal(),), (1.0,), as_dtype("float64"))
    assert normal is not None
    assert normal.kurtosis_variance == pytest.approx(24.0, rel=1e-9)
    corrected = law_moments((ff.TruncatedNormal(correct_variance=True),), (1.0,), as_dtype("float64"))
    assert corrected is not None
    assert corrected.std == pytest.approx(1.0, rel=1e-12)
    mixed = law_moments((ff.Constant(0.0), ff.Constant(1.0)), (3.0, 1.0), as_dtype("float64"))
    assert mixed is not None
    assert (mixed.mean, mixed.std) == (0.25, pytest.approx(math.sqrt(3.0) / 4.0))
    # In a type of steps of 2 there, [15, 17] leaves one value.
    narrow = law_moments((ff.Uniform(15.1, 17.0),), (1.0,), as_dtype("float8_e5m2"))
    assert narrow is not None
    assert (narrow.mean, narrow.std) == (16.0, 0.0)


def test_statistics_do_not_depend_on_threads(tmp_path: Path) -> None:
    plan = ff.Plan([ff.ParamSpec("w", (3 * 2**20,), ff.Normal())], seed=1)
    plan.write(tmp_path / "m.safetensors")
    found = [ff.weight_statistics(tmp_path / "m.safetensors", threads=threads) for threads in (1, 3)]
    assert found[0] == found[1]
