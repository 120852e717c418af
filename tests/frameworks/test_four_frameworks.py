"""One plan in NumPy, torch, JAX and Keras: the same bytes; and no framework brings another along."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest

import fanfill as ff
from fanfill.dtype import as_dtype

pytestmark = pytest.mark.framework

os.environ.setdefault("KERAS_BACKEND", "torch")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import jax
    import keras
    import torch

    import fanfill.jax
    import fanfill.keras


def plan_of(dtype: str) -> ff.Plan:
    kernel = ff.ParamSpec("kernel", (48, 32), ff.TruncatedNormal(0.0, 0.02), dtype=dtype, layout="io")
    return ff.Plan([kernel, ff.ParamSpec("bias", (32,), ff.Uniform(-0.1, 0.1), dtype=dtype)], seed=7)


def in_numpy(plan: ff.Plan, name: str) -> np.ndarray[Any, Any]:
    return plan.array(name).reshape(-1).view(np.uint8)


def in_torch(plan: ff.Plan, name: str) -> np.ndarray[Any, Any]:
    spec = plan[name]
    tensor = torch.empty(spec.shape, dtype=getattr(torch, spec.dtype))
    plan.fill_({name: tensor}, only=[name])
    return tensor.view(torch.uint8).reshape(-1).numpy()


def in_jax(plan: ff.Plan, name: str) -> np.ndarray[Any, Any]:
    sharding = jax.sharding.SingleDeviceSharding(jax.devices("cpu")[0])
    return np.asarray(fanfill.jax.init_tree(plan, sharding)[name]).reshape(-1).view(np.uint8)


def in_keras(plan: ff.Plan, name: str) -> np.ndarray[Any, Any]:
    layer = keras.layers.Dense(32, dtype=plan[name].dtype)
    layer.build((None, 48))
    weight = next(weight for weight in fanfill.keras.initialize_(layer, plan).weights if weight.name == name)
    value = weight.value
    if isinstance(value, torch.Tensor):
        return value.detach().view(torch.uint8).reshape(-1).numpy()
    return np.asarray(value).reshape(-1).view(np.uint8)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("name", ["kernel", "bias"])
def test_one_tensor_has_the_same_bytes_in_all_four(name: str, dtype: str) -> None:
    plan = plan_of(dtype)
    expected = in_numpy(plan, name)
    assert expected.size == plan[name].numel * as_dtype(dtype).itemsize
    for fill in (in_torch, in_jax, in_keras):
        assert np.array_equal(fill(plan, name), expected), fill.__name__


def test_he_normal_of_jax_and_keras_is_one_draw() -> None:
    with_jax = fanfill.jax.initializers.he_normal()(jax.random.key(7), (48, 32))
    with_keras = fanfill.keras.HeNormal(seed=7)((48, 32))
    assert np.array_equal(with_jax, np.asarray(with_keras))
    assert np.array_equal(with_jax, ff.he_truncated_normal((48, 32), layout="io", seed=7))


@pytest.mark.parametrize(
    ("statement", "others"),
    [
        ("import fanfill", {"jax", "keras", "torch", "flax", "optax"}),
        ("import fanfill.jax", {"keras", "torch", "flax", "optax"}),
    ],
)
def test_an_import_brings_no_other_framework(statement: str, others: set[str]) -> None:
    code = f"{statement}; import sys; print(*sorted({others} & set(sys.modules)))"
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == []


@pytest.mark.parametrize(("name", "extra"), [("jax", "JAX"), ("keras", "Keras 3")])
def test_a_missing_framework_is_named_with_its_extra(name: str, extra: str) -> None:
    blocked = f"import sys; sys.modules[{name!r}] = None"
    code = f"{blocked}\ntry: import fanfill.{name}\nexcept ImportError as error: print(error)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert f'fanfill.{name} needs {extra}: pip install "fanfill[{name}]"' in found.stdout
