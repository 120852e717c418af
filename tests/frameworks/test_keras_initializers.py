"""fanfill.keras on the NumPy, torch and JAX backends: Keras' laws, seeds, configurations and models."""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import math
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fanfill as ff

pytestmark = pytest.mark.framework

os.environ.setdefault("KERAS_BACKEND", "torch")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import keras

    import fanfill.keras

SCRIPT = Path(__file__).with_name("keras_backend.py")
CLASSES = [name for name in fanfill.keras.__all__ if name != "initialize_"]
DEVICES = 4  # of JAX
COUNT = 3 * 3 * 48 * 64  # elements of each sample in the script


@functools.cache
def report_of(backend: str) -> dict[str, Any]:
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={DEVICES}",
    }
    done = subprocess.run(
        [sys.executable, str(SCRIPT)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.fixture(scope="module", params=["numpy", "torch", "jax"])
def report(request: pytest.FixtureRequest) -> dict[str, Any]:
    found = report_of(request.param)
    assert found["backend"] == request.param
    return found


def digest(array: np.ndarray[Any, Any]) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()


UNBOUNDED = {"RandomNormal", "RandomNormal(1, 2)", "VarianceScaling untruncated"}


def test_each_class_has_the_law_of_keras_own(report: dict[str, Any]) -> None:
    assert set(CLASSES) - {"Orthogonal"} <= set(report["laws"])
    for name, (theirs, ours, statistic) in report["laws"].items():
        (mean, std, least, most), (own_mean, own_std, own_least, own_most) = theirs, ours
        # Five standard errors of the difference of two means, and of two standard deviations.
        assert abs(mean - own_mean) < 5 * std * math.sqrt(2 / COUNT), name
        assert own_std == pytest.approx(std, rel=5 * math.sqrt(1 / COUNT)), name
        assert statistic < 2.2, name
        if name not in UNBOUNDED:
            assert abs(own_least - least) < 2e-3 * (most - least), name
            assert abs(own_most - most) < 2e-3 * (most - least), name


def test_seeds_are_as_keras_documents_them(report: dict[str, Any]) -> None:
    assert {
        (name, what) for name, found in report["seeds"].items() for what in found if not found[what]
    } == set()
    assert set(report["seeds"]) == set(CLASSES)


def test_configurations_and_names(report: dict[str, Any]) -> None:
    assert {
        (name, what) for name, found in report["configs"].items() for what in found if not found[what]
    } == set()
    assert set(report["configs"]) == set(CLASSES)


def test_models_keep_their_initializers(report: dict[str, Any]) -> None:
    kernel = digest(ff.he_truncated_normal((8, 4), layout="io", seed=3))
    for name in ("sequential", "functional", "subclassed"):
        assert report["models"][name] == {
            "kernel": kernel,
            "same predictions": True,
            "initializer": "fanfill.keras",
            "initializer's kernel": kernel,
            "other initializer": "fanfill.keras",
        }, name


def test_a_plan_fills_every_kind_of_model(report: dict[str, Any]) -> None:
    plan = ff.Plan(
        [
            ff.ParamSpec("inner/kernel", (8, 4), ff.Normal(0.0, 0.02)),
            ff.ParamSpec("inner/bias", (4,), ff.Uniform()),
            ff.ParamSpec("outer/kernel", (4, 2), ff.TruncatedNormal()),
            ff.ParamSpec("outer/bias", (2,), ff.Constant(0.5)),
        ],
        seed=7,
    )
    expected = {spec.name: digest(plan.array(spec.name)) for spec in plan}
    for name in ("sequential", "functional", "subclassed"):
        assert report["plans"][name] == expected, name
    untouched = digest(ff.he_truncated_normal((8, 4), layout="io", seed=3))
    assert report["plans"]["only"] == [untouched, expected["inner/bias"]]
    half = ff.normal((8, 4), seed=7, key="kernel", dtype="bfloat16")
    assert report["plans"]["bfloat16"] == digest(half)


REFUSALS = {
    "integer dtype": ("ValueError", "dtype must be a float dtype"),
    "boolean dtype": ("ValueError", "dtype must be a float dtype"),
    "complex dtype": ("ValueError", "dtype must be a float dtype"),
    "unknown dtype": ("ValueError", "dtype: float99"),
    "orthogonal of integers": ("ValueError", "dtype must be a float dtype"),
    "axis": ("IndexError", "input_axes: there is no axis 5"),
    "other axis": ("IndexError", "output_axes: there is no axis -3"),
    "axis of a wrong kind": ("TypeError", "input_axes must be an integer"),
    "axes of a wrong kind": ("TypeError", "input_axes must be a list"),
    "shape of None": ("TypeError", "shape[0] must be an integer"),
    "fractional shape": ("TypeError", "shape[0] must be an integer"),
    "negative shape": ("ValueError", "shape must not have a negative extent"),
    "orthogonal of one axis": ("ValueError", "shape must have at least two axes"),
    "stddev": ("ValueError", "stddev must be finite and not negative"),
    "stddev of a wrong kind": ("TypeError", "stddev must be a number"),
    "stddev of several": ("TypeError", "stddev must be a number or a scalar tensor"),
    "minval": ("ValueError", "minval must not be above maxval"),
    "scale": ("ValueError", "`scale`"),
    "mode": ("ValueError", "`mode`"),
    "distribution": ("ValueError", "`distribution`"),
    "seed": ("ValueError", "seed must be in [0, 2**64)"),
    "seed of a wrong kind": ("ValueError", "`seed`"),
    "unknown name": ("KeyError", "only names parameters that the plan does not know"),
    "plan that lacks": ("KeyError", "the plan does not know, pass only="),
    "plan with more": ("KeyError", "the plan does not know, pass only="),
    "other shape": ("ValueError", "weight 'inner/kernel' is float32 of shape (8, 4) and the plan says"),
    "no plan": ("TypeError", "plan must be a Plan"),
    "no model": ("TypeError", "model must be a Keras model or layer"),
}


def test_refusals_are_of_keras_kind_and_name_the_argument(report: dict[str, Any]) -> None:
    assert set(report["refusals"]) == set(REFUSALS)
    for name, (kind, message) in REFUSALS.items():
        found_kind, found_message = report["refusals"][name]
        assert found_kind == kind, name
        assert message in found_message, name


def test_dtypes_have_numpys_bits(report: dict[str, Any]) -> None:
    for dtype, found in report["dtypes"].items():
        drawn = "float32" if dtype == "float64" and report["backend"] == "jax" else dtype
        assert found["dtype"] == found["orthogonal dtype"] == drawn
        expected = ff.he_truncated_normal((64, 32), layout="io", seed=7, dtype=drawn)
        assert found["digest"] == digest(expected.view(np.uint8)), dtype
        rounding = {"float8_e4m3fn": 0.25, "float8_e5m2": 0.5, "bfloat16": 0.04, "float16": 0.005}
        assert found["orthogonal error"] < rounding.get(dtype, 4e-6), dtype


def test_edges(report: dict[str, Any]) -> None:
    assert report["edges"] == {
        "empty": [0, 3],
        "orthogonal empty": [0, 3],
        "scalar": digest(ff.truncated_normal((), std=math.sqrt(2), correct_variance=True, seed=7)),
        "vector": digest(ff.glorot_uniform((5,), layout="io", seed=7)),
        "equal ends": digest(np.full(3, 0.5, np.float32)),
        "tensor parameters": digest(ff.normal(3, std=0.5, seed=7)),
        "large seed": digest(ff.normal(3, std=0.05, seed=2**63 + 5)),
    }


def test_the_tensor_is_the_memory_that_was_filled(report: dict[str, Any]) -> None:
    assert report["no copy"]


def test_shards_of_a_distribution() -> None:
    found = report_of("jax")["distribution"]
    first, second = (ff.he_truncated_normal((64, 32), layout="io", seed=3, key=key) for key in (0, 1))
    assert found["int"] == found["generator"] == [digest(first), [64, 16]]
    assert found["generator again"] == [digest(second), [64, 16]]
    assert found["orthogonal"][1] == [64, 16]


def test_signatures_are_keras_own() -> None:
    for name in CLASSES:
        ours, theirs = getattr(fanfill.keras, name), getattr(keras.initializers, name)
        assert inspect.signature(ours) == inspect.signature(theirs)
        assert list(inspect.signature(ours.__call__).parameters)[:3] == ["self", "shape", "dtype"]


WITHOUT_US = """
import sys, warnings
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import keras
model = keras.models.load_model(sys.argv[1])
layer = model.layers[0]
assert "fanfill" not in sys.modules
initializer = layer.kernel_initializer
print(type(initializer).__module__, initializer.seed, float(layer.kernel.value[0, 0]))
"""


def test_a_saved_model_opens_without_fanfill(tmp_path: Path) -> None:
    initializer = fanfill.keras.HeNormal(seed=3)
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4, kernel_initializer=initializer)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(tmp_path / "model.keras")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_US, str(tmp_path / "model.keras")],
        env={**os.environ, "KERAS_BACKEND": "numpy"},
        capture_output=True,
        text=True,
        check=True,
    )
    module, seed, first = done.stdout.split()
    assert module.startswith("keras.")
    assert seed == "3"
    assert float(first) == ff.he_truncated_normal((8, 4), layout="io", seed=3)[0, 0]
