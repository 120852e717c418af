"""The libraries, each by the calls that its own manual names for a weight: normal, truncated normal, uniform.

It must not know what is tested. Every sample is of one call on one thread's default settings, seeded.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

SEED = 20260101

Draw = Callable[[str, int, int], np.ndarray]  # dtype, count, seed


@dataclass(frozen=True)
class Library:
    """A library and how it draws; narrow dtypes come as codes. None where it has no such call."""

    name: str
    version: str
    normal: Draw
    truncated: Draw | None  # within ±2 sigma
    uniform: Draw  # on [0, 1)
    dtypes: tuple[str, ...]
    calls: tuple[str, str, str]  # as a user writes them
    set_threads: Callable[[int], None] | None


def _codes(array: Any) -> np.ndarray:
    if type(array).__module__ == "torch":
        return _torch_codes(array)
    values = np.asarray(array)
    return values.view(np.uint16) if values.dtype.itemsize == 2 else values


def _torch_codes(tensor: Any) -> np.ndarray:
    import torch

    if tensor.itemsize != 2:
        return tensor.detach().numpy()
    return tensor.detach().view(torch.int16).numpy().view(np.uint16)  # NumPy does not know bfloat16


def _fanfill() -> Library:
    import fanfill as ff

    def draw(make: Any) -> Draw:
        def of(dtype: str, count: int, seed: int) -> np.ndarray:
            return _codes(
                ff.fill_(
                    np.empty(count, np.uint16 if dtype == "bfloat16" else dtype),
                    make,
                    seed=seed,
                    key=0,
                    dtype=dtype,
                )
            )

        return of

    return Library(
        "fanfill",
        ff.__version__,
        draw(ff.Normal()),
        draw(ff.TruncatedNormal()),
        draw(ff.Uniform()),
        ("bfloat16", "float16", "float32"),
        ("normal_(out, seed, key)", "fill_(out, TruncatedNormal(), seed, key)", "uniform_(out, seed, key)"),
        ff.set_num_threads,
    )


def _torch() -> Library:
    import torch

    def draw(call: Callable[[Any, Any], Any]) -> Draw:
        def one(dtype: str, count: int, seed: int) -> np.ndarray:
            generator = torch.Generator().manual_seed(seed)
            return _codes(call(torch.empty(count, dtype=getattr(torch, dtype)), generator))

        return one

    return Library(
        "PyTorch",
        torch.__version__.partition("+")[0],
        draw(lambda out, generator: out.normal_(generator=generator)),
        draw(lambda out, generator: torch.nn.init.trunc_normal_(out, generator=generator)),
        draw(lambda out, generator: out.uniform_(generator=generator)),
        ("bfloat16", "float16", "float32"),
        ("tensor.normal_()", "nn.init.trunc_normal_(tensor)", "tensor.uniform_()"),
        torch.set_num_threads,
    )


def _jax() -> Library:
    import jax

    def draw(call: Callable[..., Any]) -> Draw:
        return lambda dtype, count, seed: _codes(call(jax.random.key(seed), (count,), dtype))

    return Library(
        "JAX",
        jax.__version__,
        draw(jax.random.normal),
        draw(lambda key, shape, dtype: jax.random.truncated_normal(key, -2.0, 2.0, shape, dtype)),
        draw(jax.random.uniform),
        ("bfloat16", "float16", "float32"),
        ("jax.random.normal", "jax.random.truncated_normal(key, -2, 2)", "jax.random.uniform"),
        None,
    )


def _keras() -> Library:
    os.environ.setdefault("KERAS_BACKEND", "jax")
    import keras

    def draw(name: str, *arguments: float) -> Draw:
        def one(dtype: str, count: int, seed: int) -> np.ndarray:
            maker = getattr(keras.initializers, name)(*arguments, seed=seed)
            return _codes(maker((count,), dtype))

        return one

    return Library(
        f"Keras on {keras.backend.backend()}",
        keras.__version__,
        draw("RandomNormal", 0.0, 1.0),
        draw("TruncatedNormal", 0.0, 1.0),
        draw("RandomUniform", 0.0, 1.0),
        ("bfloat16", "float16", "float32"),
        (
            "initializers.RandomNormal(0, 1)",
            "initializers.TruncatedNormal(0, 1)",
            "initializers.RandomUniform(0, 1)",
        ),
        None,
    )


def _tensorflow() -> Library:
    import tensorflow as tf

    def draw(call: Callable[..., Any]) -> Draw:
        def one(dtype: str, count: int, seed: int) -> np.ndarray:
            return _codes(call((count,), seed=(seed, 0), dtype=getattr(tf, dtype)).numpy())

        return one

    return Library(
        "TensorFlow",
        tf.__version__,
        draw(tf.random.stateless_normal),
        draw(tf.random.stateless_truncated_normal),
        draw(tf.random.stateless_uniform),
        ("bfloat16", "float16", "float32"),
        ("random.stateless_normal", "random.stateless_truncated_normal", "random.stateless_uniform"),
        None,
    )


def _numpy() -> Library:
    return Library(
        "NumPy",
        np.__version__,
        lambda dtype, count, seed: np.random.default_rng(seed).standard_normal(count, dtype),  # type: ignore[call-overload]
        None,
        lambda dtype, count, seed: np.random.default_rng(seed).random(count, dtype),  # type: ignore[call-overload]
        ("float32",),
        ("Generator.standard_normal", "none", "Generator.random"),
        None,
    )


LIBRARIES: dict[str, Callable[[], Library]] = {
    "fanfill": _fanfill,
    "torch": _torch,
    "jax": _jax,
    "keras": _keras,
    "tensorflow": _tensorflow,
    "numpy": _numpy,
}


def present(names: list[str]) -> list[Library]:
    """Return those of the named libraries that are installed."""
    found = []
    for name in names:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                found.append(LIBRARIES[name]())
            except ImportError:
                continue
    return found
