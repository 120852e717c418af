"""One process of Keras on the backend it was started with: says as JSON what fanfill's initializers do there.

Run by test_keras_initializers.py; it must not know what is right.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import keras

import fanfill as ff
import fanfill.keras

BACKEND = keras.backend.backend()
CLASSES = [name for name in fanfill.keras.__all__ if name != "initialize_"]
DTYPES = ["float32", "float64", "bfloat16", "float16", "float8_e4m3fn", "float8_e5m2"]
SHAPE = (3, 3, 48, 64)
# Name of the case: class, and arguments other than the defaults.
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    **{name: (name, {}) for name in CLASSES if name != "Orthogonal"},
    "RandomNormal(1, 2)": ("RandomNormal", {"mean": 1.0, "stddev": 2.0}),
    "TruncatedNormal(1, 2)": ("TruncatedNormal", {"mean": 1.0, "stddev": 2.0}),
    "RandomUniform(0, 3)": ("RandomUniform", {"minval": 0.0, "maxval": 3.0}),
    "VarianceScaling untruncated": (
        "VarianceScaling",
        {"scale": 0.5, "mode": "fan_out", "distribution": "untruncated_normal"},
    ),
    "VarianceScaling normal": ("VarianceScaling", {"mode": "fan_avg", "distribution": "normal"}),
    "VarianceScaling uniform": (
        "VarianceScaling",
        {"mode": "fan_out", "distribution": "uniform", "scale": 3.0},
    ),
    "HeNormal axes": ("HeNormal", {"input_axes": [0, 2], "output_axes": [-1]}),
}


def array_of(tensor: Any) -> np.ndarray:
    if BACKEND == "torch":  # whose bfloat16 and float8 NumPy does not read
        import torch

        return tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy()
    return np.asarray(tensor).reshape(-1).view(np.uint8)


def digest(tensor: Any) -> str:
    return hashlib.sha256(array_of(tensor).tobytes()).hexdigest()


def moments(values: np.ndarray) -> list[float]:
    return [float(each) for each in (values.mean(), values.std(), values.min(), values.max())]


def kolmogorov_smirnov(left: np.ndarray, right: np.ndarray) -> float:
    values = np.concatenate([left, right])
    shares = [np.searchsorted(np.sort(sample), values, "right") / sample.size for sample in (left, right)]
    return float(np.abs(shares[0] - shares[1]).max() * math.sqrt(left.size * right.size / values.size))


def law_report() -> dict[str, Any]:
    """Moments of Keras' own and of ours, and how far the two samples lie apart."""
    report = {}
    for name, (class_name, arguments) in CASES.items():
        samples = [
            np.ravel(keras.ops.convert_to_numpy(getattr(module, class_name)(**arguments, seed=5)(SHAPE)))
            for module in (keras.initializers, fanfill.keras)
        ]
        report[name] = [*map(moments, samples), kolmogorov_smirnov(*samples)]
    return report


def seed_report(name: str) -> dict[str, bool]:
    """What a class does with each kind of seed."""
    make = getattr(fanfill.keras, name)
    shape = (6, 4)
    fixed, unseeded = make(seed=7), make()
    counting = make(seed=keras.random.SeedGenerator(7))
    first, second = digest(counting(shape)), digest(counting(shape))
    keras.utils.set_random_seed(3)
    one = digest(make()(shape))
    keras.utils.set_random_seed(3)
    return {
        "set_random_seed decides None": one == digest(make()(shape)),
        "an int gives the same twice": digest(fixed(shape)) == digest(fixed(shape)),
        "None gives the same twice": digest(unseeded(shape)) == digest(unseeded(shape)),
        "None differs between objects": digest(make()(shape)) != digest(make()(shape)),
        "a SeedGenerator begins as its int": first == digest(fixed(shape)),
        "a SeedGenerator counts on": first != second,
        "seeds differ": digest(fixed(shape)) != digest(make(seed=8)(shape)),
    }


def config_report(name: str) -> dict[str, bool]:
    """Whether a class comes back from its configuration."""
    kind = getattr(fanfill.keras, name)
    one = kind(seed=7)
    again = keras.initializers.deserialize(keras.initializers.serialize(one))
    generator = kind(seed=keras.random.SeedGenerator(7))
    of_generator = keras.initializers.deserialize(keras.initializers.serialize(generator))
    clone = kind.from_config(one.get_config())
    return {
        "is Keras' own too": isinstance(one, getattr(keras.initializers, name)),
        "registered": keras.saving.get_registered_name(kind) == f"fanfill>{name}",
        "by its string": type(keras.initializers.get(f"fanfill>{name}")) is kind,
        "by its class": type(keras.initializers.get(kind)) is kind,
        "serialized": type(again) is kind and digest(again((4, 4))) == digest(one((4, 4))),
        "serialized as JSON": json.loads(json.dumps(one.get_config())) == one.get_config(),
        "serialized with a SeedGenerator": digest(of_generator((4, 4))) == digest(one((4, 4))),
        "cloned": type(clone) is kind and digest(clone((4, 4))) == digest(one((4, 4))),
        "a tensor of the backend": bool(keras.ops.is_tensor(one((4, 4)))),
    }


class Subclassed(keras.Model):
    """A model that makes its layers itself."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.inner = keras.layers.Dense(4, kernel_initializer=fanfill.keras.HeNormal(seed=3), name="inner")
        self.outer = keras.layers.Dense(2, kernel_initializer="fanfill>LecunUniform", name="outer")

    def call(self, x: Any) -> Any:
        return self.outer(self.inner(x))


def models() -> dict[str, Any]:
    def layers() -> list[Any]:
        return [
            keras.layers.Dense(4, kernel_initializer=fanfill.keras.HeNormal(seed=3), name="inner"),
            keras.layers.Dense(2, kernel_initializer="fanfill>LecunUniform", name="outer"),
        ]

    inputs = keras.Input((8,))
    inner, outer = layers()
    subclassed = keras.saving.register_keras_serializable(package="test")(Subclassed)()
    subclassed(np.ones((1, 8), np.float32))
    return {
        "sequential": keras.Sequential([keras.Input((8,)), *layers()]),
        "functional": keras.Model(inputs, outer(inner(inputs))),
        "subclassed": subclassed,
    }


def model_report(folder: Path) -> dict[str, Any]:
    """Each kind of model, before and after it was saved."""
    report = {}
    x = np.ones((2, 8), np.float32)
    for name, model in models().items():
        before = np.asarray(model.predict(x, verbose=0))
        file = folder / f"{name}.keras"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.save(file)
            loaded = keras.models.load_model(file)
        inner = loaded.get_layer("inner")
        report[name] = {
            "kernel": digest(model.get_layer("inner").kernel.value),
            "same predictions": np.array_equal(before, np.asarray(loaded.predict(x, verbose=0))),
            "initializer": type(inner.kernel_initializer).__module__,
            "initializer's kernel": digest(inner.kernel_initializer((8, 4))),
            "other initializer": type(loaded.get_layer("outer").kernel_initializer).__module__,
        }
    return report


PLAN = ff.Plan(
    [
        ff.ParamSpec("inner/kernel", (8, 4), ff.Normal(0.0, 0.02), layout="io"),
        ff.ParamSpec("inner/bias", (4,), ff.Uniform()),
        ff.ParamSpec("outer/kernel", (4, 2), ff.TruncatedNormal(), layout="io"),
        ff.ParamSpec("outer/bias", (2,), ff.Constant(0.5)),
    ],
    seed=7,
)


def plan_report() -> dict[str, Any]:
    """What a plan makes of each kind of model, and of half-precision weights."""
    report: dict[str, Any] = {}
    for name, model in models().items():
        assert fanfill.keras.initialize_(model, PLAN) is model
        report[name] = {
            weight.path.removeprefix(f"{model.name}/"): digest(weight.value) for weight in model.weights
        }
    only = fanfill.keras.initialize_(models()["functional"], PLAN, only=["inner/bias"])
    report["only"] = [digest(weight.value) for weight in only.weights[:2]]
    layer = keras.layers.Dense(4, dtype="bfloat16", name="half", use_bias=False)
    layer.build((None, 8))
    half = ff.Plan([ff.ParamSpec("kernel", (8, 4), ff.Normal(), dtype="bfloat16")], seed=7)
    report["bfloat16"] = digest(fanfill.keras.initialize_(layer, half).kernel.value)
    return report


def refusal_report() -> dict[str, list[str]]:
    own = fanfill.keras
    functional = models()["functional"]
    wrong = ff.Plan([ff.ParamSpec("inner/kernel", (8, 5), ff.Normal())], seed=7)
    calls: dict[str, Callable[[], Any]] = {
        "integer dtype": lambda: own.HeNormal()((3, 4), "int32"),
        "boolean dtype": lambda: own.RandomUniform()((3, 4), "bool"),
        "complex dtype": lambda: own.RandomNormal()((3, 4), "complex64"),
        "unknown dtype": lambda: own.TruncatedNormal()((3, 4), "float99"),
        "orthogonal of integers": lambda: own.Orthogonal()((3, 4), "int32"),
        "axis": lambda: own.HeNormal(input_axes=[5], output_axes=[0])((3, 4)),
        "other axis": lambda: own.HeNormal(input_axes=[0], output_axes=[-3])((3, 4)),
        "axis of a wrong kind": lambda: own.HeNormal(input_axes=["a"], output_axes=[0])((3, 4)),
        "axes of a wrong kind": lambda: own.HeNormal(input_axes=0, output_axes=1)((3, 4)),
        "shape of None": lambda: own.RandomNormal()((None, 3)),
        "fractional shape": lambda: own.HeNormal()((2.5, 3)),
        "negative shape": lambda: own.HeNormal()((-1, 3)),
        "orthogonal of one axis": lambda: own.Orthogonal()((3,)),
        "stddev": lambda: own.RandomNormal(stddev=-1.0)((3,)),
        "stddev of a wrong kind": lambda: own.TruncatedNormal(stddev="a")((3,)),
        "stddev of several": lambda: own.TruncatedNormal(stddev=keras.ops.ones(3))((3,)),
        "minval": lambda: own.RandomUniform(1.0, 0.0)((3,)),
        "scale": lambda: own.VarianceScaling(0.0),
        "mode": lambda: own.VarianceScaling(mode="fan"),
        "distribution": lambda: own.VarianceScaling(distribution="cauchy"),
        "seed": lambda: own.RandomNormal(seed=-1)((3,)),
        "seed of a wrong kind": lambda: own.RandomNormal(seed="a"),
        "unknown name": lambda: own.initialize_(functional, PLAN, only=["inner/cernel"]),
        "plan that lacks": lambda: own.initialize_(functional, ff.Plan(PLAN.parameters[:2], seed=7)),
        "plan with more": lambda: own.initialize_(functional.get_layer("inner"), PLAN),
        "other shape": lambda: own.initialize_(functional, wrong, only=["inner/kernel"]),
        "no plan": lambda: own.initialize_(functional, {}),
        "no model": lambda: own.initialize_({}, PLAN),
    }
    report = {}
    for name, call in calls.items():
        try:
            call()
        except Exception as error:  # noqa: BLE001 - any kind is the answer
            report[name] = [type(error).__name__, str(error)]
    return report


def dtype_report() -> dict[str, Any]:
    report: dict[str, Any] = {}
    for dtype in DTYPES:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # JAX cuts float64, and says so
            tensor = fanfill.keras.HeNormal(seed=7)((64, 32), dtype)
            square = fanfill.keras.Orthogonal(2.0, seed=7)((3, 4, 6), dtype)
        wide = np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(square, "float32"))).reshape(12, 6)
        report[dtype] = {
            "dtype": keras.backend.standardize_dtype(tensor.dtype),
            "digest": digest(tensor),
            "orthogonal dtype": keras.backend.standardize_dtype(square.dtype),
            "orthogonal error": float(np.abs(wide.T @ wide - 4 * np.eye(6)).max()),
        }
    return report


def edge_report() -> dict[str, Any]:
    return {
        "empty": list(fanfill.keras.HeNormal(seed=7)((0, 3)).shape),
        "orthogonal empty": list(fanfill.keras.Orthogonal(seed=7)((0, 3)).shape),
        "scalar": digest(fanfill.keras.HeNormal(seed=7)(())),
        "vector": digest(fanfill.keras.GlorotUniform(seed=7)((5,))),
        "equal ends": digest(fanfill.keras.RandomUniform(0.5, 0.5, seed=7)((3,))),
        "tensor parameters": digest(fanfill.keras.RandomNormal(0.0, keras.ops.array(0.5), seed=7)((3,))),
        "large seed": digest(fanfill.keras.RandomNormal(seed=2**63 + 5)((3,))),
    }


def copy_report() -> bool:
    """Whether the tensor is the memory that was filled."""
    if BACKEND == "jax":
        from fanfill.jax import drawn as module
    else:
        from fanfill.keras import drawn_tensor as module
    made: list[Any] = []
    aligned_empty = module.aligned_empty
    module.aligned_empty = lambda *args: made.append(aligned_empty(*args)) or made[-1]
    tensor = fanfill.keras.HeNormal(seed=7)((64, 32), "bfloat16")
    module.aligned_empty = aligned_empty
    place = {
        "numpy": lambda: tensor.ctypes.data,
        "torch": lambda: tensor.data_ptr(),
        "jax": lambda: tensor.unsafe_buffer_pointer(),
    }[BACKEND]()
    return bool(place == made[-1].ctypes.data)


def distribution_report() -> dict[str, Any]:
    """Layers under a distribution, which takes JAX and several devices."""
    distribution = keras.distribution
    mesh = distribution.DeviceMesh((2, 2), ["batch", "model"], distribution.list_devices("cpu"))
    layouts = distribution.LayoutMap(mesh)
    layouts[".*kernel"] = (None, "model")
    distribution.set_distribution(distribution.ModelParallel(layout_map=layouts, batch_dim_name="batch"))
    generator = keras.random.SeedGenerator(3)
    report = {}
    for name, initializer in (
        ("int", fanfill.keras.HeNormal(seed=3)),
        ("generator", fanfill.keras.HeNormal(seed=generator)),
        ("generator again", fanfill.keras.HeNormal(seed=generator)),
        ("orthogonal", fanfill.keras.Orthogonal(seed=generator)),
    ):
        layer = keras.layers.Dense(32, kernel_initializer=initializer)
        layer.build((None, 64))
        value = layer.kernel.value
        report[name] = [digest(value), list(value.addressable_shards[0].data.shape)]
    distribution.set_distribution(None)
    return report


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        report = {
            "backend": BACKEND,
            "laws": law_report(),
            "seeds": {name: seed_report(name) for name in CLASSES},
            "configs": {name: config_report(name) for name in CLASSES},
            "models": model_report(Path(folder)),
            "plans": plan_report(),
            "refusals": refusal_report(),
            "dtypes": dtype_report(),
            "edges": edge_report(),
            "no copy": copy_report(),
        }
    if BACKEND == "jax":
        report["distribution"] = distribution_report()
    json.dump(report, sys.stdout)


main()
