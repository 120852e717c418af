"""The initializers where JAX is tracing: the values of a plain call, drawn when the program runs."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fanfill as ff

pytestmark = pytest.mark.framework

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import jax
    import jax.numpy as jnp

    from fanfill.jax import initializers

KEY = jax.random.key(7)
KEYS = jax.random.split(KEY, (2, 3))
MAKERS: dict[str, Callable[[Any], jax.Array]] = {
    "normal": lambda key: initializers.normal()(key, (3, 5)),
    "bfloat16": lambda key: initializers.he_normal()(key, (4, 6), "bfloat16"),
    "scalar": lambda key: initializers.uniform()(key, ()),
    "empty": lambda key: initializers.normal()(key, (0, 3)),
    "orthogonal": lambda key: initializers.orthogonal()(key, (4, 3)),
    "delta": lambda key: initializers.delta_orthogonal()(key, (3, 2, 4)),
}


@pytest.mark.parametrize("name", MAKERS)
def test_every_transform_gives_the_values_of_a_plain_call(name: str) -> None:
    make = MAKERS[name]
    plain = [[make(key) for key in row] for row in KEYS]
    both = np.stack([np.stack(row) for row in plain])
    assert np.array_equal(jax.jit(make)(KEYS[1, 2]), plain[1][2])
    assert np.array_equal(jax.jit(lambda: make(KEYS[1, 2]))(), plain[1][2])  # a key that is no tracer
    assert np.array_equal(jax.vmap(make)(KEYS[0]), both[0])
    assert np.array_equal(jax.jit(jax.vmap(jax.vmap(make)))(KEYS), both)
    assert np.array_equal(jax.lax.map(make, KEYS[0]), both[0])
    assert np.array_equal(jax.lax.scan(lambda carry, key: (carry, make(key)), 0, KEYS[0])[1], both[0])


def test_a_raw_key_within_jit() -> None:
    raw = jax.random.PRNGKey(7)
    expected = initializers.normal()(KEY, (3,))
    assert np.array_equal(jax.jit(lambda key: initializers.normal()(key, (3,)))(raw), expected)
    assert np.array_equal(jax.jit(lambda: initializers.normal()(raw, (3,)))(), expected)
    assert np.array_equal(jax.jit(lambda: initializers.normal()(np.asarray(raw), (3,)))(), expected)


@pytest.mark.parametrize("key", [KEY, jax.random.PRNGKey(7)], ids=["typed", "raw"])
def test_eval_shape_draws_nothing(key: jax.Array) -> None:
    enormous = (1 << 20, 1 << 20)  # four tebibytes
    for make in (
        lambda key: initializers.he_normal()(key, enormous),
        lambda key: initializers.orthogonal()(key, enormous),
    ):
        for abstract in (jax.eval_shape(make, key), jax.eval_shape(lambda make=make: make(key))):
            assert (abstract.shape, abstract.dtype) == (enormous, "float32")


def test_a_draw_stands_still_under_grad() -> None:
    def loss(scale: jax.Array) -> jax.Array:
        return (scale * initializers.normal(1.0)(KEY, (4,))).sum()

    expected = ff.normal(4, seed=7).sum()
    assert jax.grad(loss)(2.0) == pytest.approx(expected, rel=1e-6)
    assert jax.jit(jax.grad(loss))(2.0) == pytest.approx(expected, rel=1e-6)


def test_outside_of_jit_the_array_is_the_memory_that_was_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    from fanfill.jax import drawn

    filled: list[Any] = []
    aligned_empty = drawn.aligned_empty
    monkeypatch.setattr(
        drawn, "aligned_empty", lambda *args: filled.append(aligned_empty(*args)) or filled[-1]
    )
    for dtype in ("float32", "bfloat16", "float8_e5m2"):
        array = initializers.normal()(KEY, (100, 3), dtype)
        assert array.unsafe_buffer_pointer() == filled[-1].ctypes.data
    assert not array.committed


def test_it_goes_where_its_key_is() -> None:
    (device,) = jax.devices("cpu")[:1]
    here = initializers.normal()(jax.device_put(KEY, device), (3,))
    assert here.committed
    assert here.devices() == {device}
    mesh = jax.sharding.Mesh(np.array([device]), ("x",))
    everywhere = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
    spread = initializers.normal()(jax.device_put(KEY, everywhere), (3, 2))
    assert spread.sharding.is_equivalent_to(everywhere, 2)


def test_refusals_come_while_tracing() -> None:
    with pytest.raises(ValueError, match="dtype must be a float dtype"):
        jax.eval_shape(lambda key: initializers.normal()(key, (3,), jnp.int32), KEY)
    with pytest.raises(ValueError, match="std"):
        jax.eval_shape(lambda key: initializers.normal(1e38)(key, (3,), "float16"), KEY)
