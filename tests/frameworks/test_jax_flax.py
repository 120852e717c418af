"""The initializers and trees in Flax's two interfaces, up to a training step with Optax."""

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
    import optax
    from flax import linen, nnx

    import fanfill.jax
    from fanfill.jax import initializers

KEY = jax.random.key(7)
INPUT = jnp.ones((2, 8))


class Block(linen.Module):
    """One of each kind of layer, all initialized by fanfill."""

    @linen.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = linen.Dense(16, kernel_init=initializers.he_normal(), bias_init=initializers.uniform(), name="d")(
            x
        )
        x = x[:, None, :]
        x = linen.Conv(8, (3,), kernel_init=initializers.glorot_uniform(), name="c")(x)
        rows = linen.Embed(
            5, 8, embedding_init=initializers.variance_scaling(1.0, "fan_in", "normal", out_axis=0), name="e"
        )(jnp.array([1, 2]))
        x = x[:, 0, :] + rows
        heads = linen.DenseGeneral((2, 4), axis=-1, kernel_init=initializers.orthogonal(), name="g")(x)
        return heads.reshape(2, 8)


def same_trees(left: Any, right: Any) -> None:
    assert jax.tree.structure(left) == jax.tree.structure(right)
    assert jax.tree.all(jax.tree.map(lambda a, b: bool(jnp.array_equal(a, b)), left, right))


def test_linen_plain_jitted_and_abstract() -> None:
    module = Block()
    plain = module.init(KEY, INPUT)
    same_trees(plain, jax.jit(module.init)(KEY, INPUT))
    same_trees(plain, jax.jit(lambda: module.init(KEY, INPUT))())
    for abstract in (
        jax.eval_shape(module.init, KEY, INPUT),
        jax.eval_shape(lambda: module.init(KEY, INPUT)),
    ):
        assert jax.tree.map(lambda a: (a.shape, a.dtype), abstract) == jax.tree.map(
            lambda a: (a.shape, a.dtype), plain
        )
    assert module.apply(plain, INPUT).shape == (2, 8)
    assert plain["params"]["d"]["kernel"].std() == pytest.approx(0.5, rel=0.3)


def test_linen_lifted_over_layers() -> None:
    class Layer(linen.Module):
        @linen.compact
        def __call__(self, x: jax.Array, _: Any) -> tuple[jax.Array, None]:
            return linen.Dense(8, kernel_init=initializers.he_normal())(x), None

    scanned = linen.scan(Layer, variable_axes={"params": 0}, split_rngs={"params": True}, length=3)()
    kernels = scanned.init(KEY, INPUT, None)["params"]["Dense_0"]["kernel"]
    assert kernels.shape == (3, 8, 8)
    assert len({float(kernel[0, 0]) for kernel in kernels}) == 3


def test_linen_partitioned() -> None:
    module = linen.Dense(4, kernel_init=linen.with_partitioning(initializers.he_normal(), (None, "x")))
    boxed = module.init(KEY, INPUT)["params"]["kernel"]
    assert boxed.names == (None, "x")
    assert boxed.value.shape == (8, 4)


class Model(nnx.Module):
    """Two layers, initialized by fanfill."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.first = nnx.Linear(8, 16, kernel_init=initializers.lecun_normal(), rngs=rngs)
        self.second = nnx.Linear(16, 8, kernel_init=initializers.truncated_normal(0.02), rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.second(nnx.relu(self.first(x)))


def test_nnx_plain_jitted_and_abstract() -> None:
    plain = nnx.state(Model(nnx.Rngs(7)), nnx.Param)
    same_trees(plain, nnx.state(nnx.jit(lambda: Model(nnx.Rngs(7)))(), nnx.Param))
    abstract = nnx.state(nnx.eval_shape(lambda: Model(nnx.Rngs(7))), nnx.Param)
    assert jax.tree.map(lambda a: a.shape, abstract) == jax.tree.map(lambda a: a.shape, plain)


def test_nnx_over_layers() -> None:
    @nnx.split_rngs(splits=3)
    @nnx.vmap(in_axes=(0,), out_axes=0)
    def make(rngs: nnx.Rngs) -> nnx.Linear:
        return nnx.Linear(8, 8, kernel_init=initializers.he_normal(), rngs=rngs)

    kernels = make(nnx.Rngs(7)).kernel[...]
    assert kernels.shape == (3, 8, 8)
    assert len({float(kernel[0, 0]) for kernel in kernels}) == 3


def plan_of(abstract: Any, law: Callable[[tuple[int, ...]], ff.Law]) -> ff.Plan:
    """A plan for a tree of abstract parameters, named by their paths."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(abstract)
    names = [jax.tree_util.keystr(path, simple=True, separator=".") for path, _ in leaves]
    return ff.Plan(
        [
            ff.ParamSpec(name, leaf.shape, law(leaf.shape), dtype=leaf.dtype, layout="io")
            for name, (_, leaf) in zip(names, leaves, strict=True)
        ],
        seed=7,
    )


def law_of(shape: tuple[int, ...]) -> ff.Law:
    return ff.Constant(0.0) if len(shape) < 2 else ff.TruncatedNormal(0.0, 0.1)


def test_a_training_step_runs_on_a_tree() -> None:
    module = Block()
    abstract = jax.eval_shape(module.init, KEY, INPUT)
    mesh = jax.make_mesh((1,), ("x",))
    sharding = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
    plan = plan_of(abstract, law_of)
    params = fanfill.jax.init_tree(plan, jax.tree.map(lambda _: sharding, abstract))
    assert jax.tree.structure(params) == jax.tree.structure(abstract)
    assert np.array_equal(params["params"]["d"]["kernel"], plan.array("params.d.kernel"))
    optimizer = optax.adam(1e-2)

    def loss(params: Any) -> jax.Array:
        return ((module.apply(params, INPUT) - 1.0) ** 2).mean()

    @jax.jit
    def step(params: Any, state: Any) -> tuple[Any, Any, jax.Array]:
        value, gradient = jax.value_and_grad(loss)(params)
        updates, state = optimizer.update(gradient, state, params)
        return optax.apply_updates(params, updates), state, value

    state, losses = optimizer.init(params), []
    for _ in range(3):
        params, state, value = step(params, state)
        losses.append(float(value))
    assert losses[0] > losses[1] > losses[2]


def test_a_training_step_runs_on_an_nnx_model_with_a_tree() -> None:
    graph, abstract = nnx.split(nnx.eval_shape(lambda: Model(nnx.Rngs(7))))
    pure = nnx.to_pure_dict(abstract)
    mesh = jax.make_mesh((1,), ("x",))
    sharding = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
    plan = plan_of(pure, law_of)
    nnx.replace_by_pure_dict(abstract, fanfill.jax.init_tree(plan, jax.tree.map(lambda _: sharding, pure)))
    model = nnx.merge(graph, abstract)
    optimizer = nnx.Optimizer(model, optax.sgd(0.5), wrt=nnx.Param)

    @nnx.jit
    def step(model: Model, optimizer: nnx.Optimizer) -> jax.Array:
        value, gradient = nnx.value_and_grad(lambda model: ((model(INPUT) - 1.0) ** 2).mean())(model)
        optimizer.update(model, gradient)
        return value

    losses = [float(step(model, optimizer)) for _ in range(3)]
    assert losses[0] > losses[1] > losses[2]
