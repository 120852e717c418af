"""fanfill.jax.initializers beside jax.nn.initializers: the same signatures, laws, dtypes and refusals."""

from __future__ import annotations

import copy
import inspect
import math
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fanfill as ff
from frameworks.jax_moments import CASES, CONV, draws, moments

pytestmark = pytest.mark.framework

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import jax
    import jax.numpy as jnp
    from jax.nn import initializers as theirs

    from fanfill.jax import initializers

KEY = jax.random.key(7)
BUILDERS = [name for name in dir(theirs) if name[0].islower() and name[0] != "_"]
ARRAYS = {"zeros", "ones"}  # initializers and not builders of them
ARGUMENTS: dict[str, tuple[Any, ...]] = {"variance_scaling": (1.0, "fan_in", "normal"), "constant": (2.0,)}


def built(module: Any, name: str) -> Any:
    builder = getattr(module, name)
    return builder if name in ARRAYS else builder(*ARGUMENTS.get(name, ()))


def parameters(function: Callable[..., Any]) -> list[tuple[str, Any, Any]]:
    return [(each.name, each.kind, each.default) for each in inspect.signature(function).parameters.values()]


def test_every_builder_of_jax_is_there_and_no_other() -> None:
    assert sorted(initializers.__all__) == sorted(BUILDERS)


@pytest.mark.parametrize("name", BUILDERS)
def test_signatures_are_jaxs(name: str) -> None:
    assert parameters(getattr(initializers, name)) == parameters(getattr(theirs, name))
    assert parameters(built(initializers, name)) == parameters(built(theirs, name))
    assert isinstance(built(initializers, name), theirs.Initializer)


def test_aliases_are_jaxs() -> None:
    for alias, name in (("kaiming", "he"), ("xavier", "glorot")):
        for law in ("normal", "uniform"):
            assert getattr(initializers, f"{alias}_{law}") is getattr(initializers, f"{name}_{law}")


UNBOUNDED = {
    name
    for name, (builder, arguments, _) in CASES.items()
    if "normal" in (builder, arguments.get("distribution"))
}


def kolmogorov_smirnov(left: np.ndarray, right: np.ndarray) -> float:
    """The statistic of two samples over its scale: 1.95 at most in 999 of 1000 pairs of one law."""
    values = np.concatenate([left, right])
    shares = [np.searchsorted(np.sort(sample), values, "right") / sample.size for sample in (left, right)]
    return float(np.abs(shares[0] - shares[1]).max() * math.sqrt(left.size * right.size / values.size))


@pytest.mark.parametrize("name", CASES)
def test_each_law_is_jaxs(name: str) -> None:
    their_array, our_array = draws(name, "float32")
    assert (our_array.shape, our_array.dtype) == (their_array.shape, their_array.dtype)
    one, other = moments(their_array), moments(our_array)
    # Five standard errors of the difference of two means, and of two standard deviations.
    assert abs(one.mean - other.mean) < 5 * one.std * math.sqrt(2 / our_array.size)
    assert other.std == pytest.approx(one.std, rel=5 * math.sqrt(1 / our_array.size))
    assert kolmogorov_smirnov(np.ravel(their_array), np.ravel(our_array)) < 2.2
    if name not in UNBOUNDED:
        reach = one.most - one.least
        assert abs(other.least - one.least) < 1e-3 * reach
        assert abs(other.most - one.most) < 1e-3 * reach


def test_uniform_is_one_sided_and_below_its_end() -> None:
    for dtype in ("float32", "bfloat16", "float16"):
        found = moments(initializers.uniform(0.5)(KEY, (200, 300), dtype))
        assert 0.0 <= found.least < found.most < 0.5


@pytest.mark.parametrize("name", ["uniform", "normal", "truncated_normal", "he_normal"])
def test_bfloat16_has_its_values_where_jaxs_has_128(name: str) -> None:
    one, other = map(moments, draws(name, "bfloat16"))
    assert one.distinct == 128
    assert other.distinct > 1000
    builder, arguments, shape = CASES[name]
    exact = moments(getattr(initializers, builder)(**arguments)(KEY, shape, "float32"))
    assert other.mean == pytest.approx(exact.mean, abs=1e-3 * exact.std)


def test_the_values_are_fanfills() -> None:
    weight = initializers.he_normal()(KEY, (64, 32))
    assert np.array_equal(weight, ff.he_truncated_normal((64, 32), layout="io", seed=7, key=0))
    stacked = initializers.glorot_uniform(batch_axis=0)(KEY, (4, 64, 32), "bfloat16")
    expected = ff.glorot_uniform((4, 64, 32), layout="io", batch_axes=(0,), seed=7, dtype="bfloat16")
    assert np.array_equal(np.asarray(stacked).view("u2"), expected.view("u2"))
    third = initializers.truncated_normal(0.5, lower=-3.0, upper=np.inf)(KEY, (9,))
    assert np.array_equal(third, ff.truncated_normal(9, std=0.5, bounds=(-3, np.inf), seed=7))


@pytest.mark.parametrize("shape", [(), (1,), (3, 0), np.array([3, 4]), [2, 3]])
def test_shapes_of_every_kind(shape: Any) -> None:
    ours = initializers.normal()(KEY, shape)
    assert ours.shape == theirs.normal()(KEY, shape).shape


def test_the_default_dtype_and_the_64_bit_mode() -> None:
    assert initializers.normal()(KEY, (3,)).dtype == "float32"
    assert initializers.normal(dtype="bfloat16")(KEY, (3,)).dtype == "bfloat16"
    assert initializers.normal(dtype="bfloat16")(KEY, (3,), "float16").dtype == "float16"
    assert initializers.normal(dtype=float)(KEY, (3,)).dtype == "float32"
    with pytest.warns(UserWarning, match="will be truncated to dtype float32"):
        narrowed = initializers.normal()(KEY, (3,), "float64")
    assert np.array_equal(narrowed, initializers.normal()(KEY, (3,)))
    with jax.enable_x64(True):
        wide = initializers.normal(1.0)(KEY, (3,))
        assert wide.dtype == "float64"
        assert np.array_equal(wide, ff.normal(3, dtype="float64", seed=7))
        assert np.array_equal(wide, jax.jit(lambda key: initializers.normal(1.0)(key, (3,)))(KEY))


@pytest.mark.parametrize("dtype", ["float8_e4m3fn", "float8_e5m2"])
def test_eight_bits_without_nan(dtype: str) -> None:
    weight = np.asarray(initializers.he_normal()(KEY, (200, 300), dtype)).astype("float32")
    assert np.isfinite(weight).all()
    assert weight.std() == pytest.approx(math.sqrt(2 / 200), rel=0.03)


RANDOM = [name for name in BUILDERS if name not in {"constant", "ones", "zeros", "delta_orthogonal"}]


@pytest.mark.parametrize("dtype", ["int32", "bool", "complex64", "float8_e4m3b11fnuz"])
@pytest.mark.parametrize("name", ["uniform", "truncated_normal", "he_normal", "orthogonal"])
def test_dtypes_that_are_no_floats_of_ours_are_refused(name: str, dtype: str) -> None:
    with pytest.raises(ValueError, match=f"dtype must be a float dtype, .*got {dtype}"):
        getattr(initializers, name)()(KEY, (3, 4), dtype)


def raised(call: Callable[[], Any]) -> type[BaseException]:
    """What JAX raises, whatever it says."""
    try:
        call()
    except Exception as error:  # noqa: BLE001 - any kind is the answer
        return type(error)
    raise AssertionError("JAX refuses nothing here")


REFUSALS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "integer dtype": (lambda m: m.normal()(KEY, (3,), "int32"), "dtype"),
    "unknown dtype": (lambda m: m.normal()(KEY, (3,), "float99"), "float99"),
    "long double": (lambda m: m.normal()(KEY, (3,), np.longdouble), "longdouble"),
    "in axis of extent 0": (lambda m: m.he_normal()(KEY, (0, 3)), "shape"),
    "out axis of extent 0": (lambda m: m.he_uniform()(KEY, (3, 0)), "shape"),
    "kernel axis of extent 0": (lambda m: m.lecun_normal()(KEY, (0, 3, 4)), "shape"),
    "in_axis": (lambda m: m.he_normal(in_axis=5)(KEY, (3, 4)), "in_axis: there is no axis 5"),
    "out_axis": (lambda m: m.he_normal(out_axis=(0, -3))(KEY, (3, 4)), "out_axis: there is no axis -3"),
    "batch_axis": (lambda m: m.he_normal(batch_axis=2)(KEY, (3, 4)), "batch_axis: there is no axis 2"),
    "axis of a wrong kind": (lambda m: m.he_normal(in_axis=1.0)(KEY, (3, 4)), "in_axis"),
    "one axis": (lambda m: m.glorot_normal()(KEY, (3,)), "in_axis"),
    "no axis": (lambda m: m.glorot_normal()(KEY, ()), "in_axis"),
    "mode": (lambda m: m.variance_scaling(1.0, "fan", "normal")(KEY, (3, 4)), "mode"),
    "distribution": (lambda m: m.variance_scaling(1.0, "fan_in", "cauchy")(KEY, (3, 4)), "distribution"),
    "scale of a wrong kind": (lambda m: m.variance_scaling("a", "fan_in", "normal")(KEY, (3, 4)), "scale"),
    "fractional shape": (lambda m: m.normal()(KEY, (2.5, 3)), "shape"),
    "shape of None": (lambda m: m.he_normal()(KEY, (None, 3)), "shape"),
    "traced shape": (lambda m: jax.jit(lambda n: m.normal()(KEY, (n, 3)))(3), "shape"),
    "orthogonal of one axis": (lambda m: m.orthogonal()(KEY, (3,)), "shape"),
    "delta of two axes": (lambda m: m.delta_orthogonal()(KEY, (3, 3)), "shape"),
    "delta with more inputs": (lambda m: m.delta_orthogonal()(KEY, (3, 4, 3)), "shape"),
    "delta without a kernel": (lambda m: m.delta_orthogonal()(KEY, (0, 3, 4)), "shape"),
    "orthogonal sharding": (
        lambda m: m.orthogonal()(KEY, (3, 3), None, jax.sharding.PartitionSpec()),
        "out_sharding",
    ),
    "sharding of a wrong kind": (lambda m: m.normal()(KEY, (3,), None, "x"), "out_sharding"),
    "sharding without a mesh": (
        lambda m: m.normal()(KEY, (3,), None, jax.sharding.PartitionSpec("x")),
        "out_sharding",
    ),
    "no key": (lambda m: m.normal()(None, (3,)), "key"),
    "int for a key": (lambda m: m.normal()(0, (3,)), "key"),
    "floats for a key": (lambda m: m.normal()(jnp.zeros(2), (3,)), "key"),
    "several keys": (lambda m: m.normal()(jax.random.split(KEY, 3), (3,)), "key"),
    "several raw keys": (lambda m: m.normal()(jnp.zeros((3, 2), "uint32"), (3,)), "key"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals_are_of_jaxs_kind_and_name_the_argument(name: str) -> None:
    call, argument = REFUSALS[name]
    with pytest.raises(raised(lambda: call(theirs)), match=argument):
        call(initializers)


@pytest.mark.parametrize(
    ("build", "argument"),
    [
        (lambda: initializers.normal(-1.0), "stddev"),
        (lambda: initializers.normal(math.nan), "stddev"),
        (lambda: initializers.uniform(-1.0), "scale"),
        (lambda: initializers.uniform(math.inf), "scale"),
        (lambda: initializers.truncated_normal(1.0, lower=2.0, upper=2.0), "lower"),
        (lambda: initializers.variance_scaling(-1.0, "fan_in", "normal"), "scale"),
        (lambda: initializers.orthogonal(math.inf), "scale"),
        (lambda: initializers.normal(1e38)(KEY, (3,), "float16"), "std"),
    ],
)
def test_parameters_that_jax_would_draw_rubbish_with_are_refused(build: Any, argument: str) -> None:
    with pytest.raises(ValueError, match=argument):
        build()


def test_traced_parameters_are_refused() -> None:
    with pytest.raises(TypeError, match="stddev is being traced"):
        jax.jit(lambda stddev: initializers.normal(stddev)(KEY, (3,)))(1.0)
    assert np.array_equal(
        initializers.normal(jnp.float32(0.5))(KEY, (3,)), initializers.normal(0.5)(KEY, (3,))
    )


def test_zero_scales_give_zeros() -> None:
    for init in (
        initializers.uniform(0.0),
        initializers.normal(0.0),
        initializers.truncated_normal(0.0),
        initializers.variance_scaling(0.0, "fan_in", "normal"),
    ):
        assert not np.any(init(KEY, (3, 4)))


def test_an_initializer_is_a_value() -> None:
    one = initializers.he_normal(in_axis=[0, 1], dtype="bfloat16")
    for other in (
        initializers.he_normal(in_axis=(0, 1), dtype="bfloat16"),
        pickle.loads(pickle.dumps(one)),
        copy.deepcopy(one),
    ):
        assert other == one
        assert hash(other) == hash(one)
    assert one != initializers.he_normal()
    assert "fan_in" in repr(one)
    assert "in_axis=(0, 1)" in repr(one)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16", "float64"])
@pytest.mark.parametrize(
    ("shape", "axis"), [((6, 4), -1), ((4, 6), -1), ((5, 5), -1), ((3, 2, 4, 5), -1), ((4, 3, 2), 0)]
)
def test_orthogonal(shape: tuple[int, ...], axis: int, dtype: str) -> None:
    with jax.enable_x64(True):
        array = initializers.orthogonal(2.0, axis)(KEY, shape, dtype)
        assert (array.shape, array.dtype) == (shape, dtype)
        matrix = np.moveaxis(np.asarray(array).astype("float64"), axis, -1).reshape(-1, shape[axis])
    if matrix.shape[0] < matrix.shape[1]:
        matrix = matrix.T
    tolerance = {"float64": 1e-14, "float32": 5e-6, "float16": 0.02, "bfloat16": 0.1}[dtype]
    np.testing.assert_allclose(matrix.T @ matrix, 4 * np.eye(matrix.shape[1]), atol=tolerance)


def test_orthogonal_matrices_are_uniform() -> None:
    # Every entry of a uniform 4 x 4 has mean 0 and variance 1/4; 2000 of them know both to 5 sigma.
    keys = jax.random.split(KEY, 2000)
    drawn = np.asarray(jax.vmap(lambda key: initializers.orthogonal()(key, (4, 4)))(keys))
    assert np.abs(drawn.mean(0)).max() < 5 * math.sqrt(0.25 / 2000)
    assert np.abs((drawn**2).mean(0) - 0.25).max() < 5 * math.sqrt(1 / 16 / 2000)
    assert np.abs(np.linalg.det(drawn.astype("float64")).mean()) < 5 / math.sqrt(2000)


def test_delta_orthogonal_is_zero_but_in_the_middle() -> None:
    for kernel in ((3,), (4, 3), (1, 2, 3)):
        shape = (*kernel, 4, 6)
        array = np.array(initializers.delta_orthogonal()(KEY, shape))
        middle = tuple((extent - 1) // 2 for extent in kernel)
        matrix = array[middle].copy()
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(4), atol=1e-6)
        array[middle] = 0.0
        assert not array.any()
        assert np.array_equal(
            np.asarray(theirs.delta_orthogonal()(KEY, shape)) != 0,
            initializers.delta_orthogonal()(KEY, shape) != 0,
        )


def test_the_fans_are_jaxs_for_every_way_to_name_axes() -> None:
    for axes in (
        {"in_axis": 0, "out_axis": 0},
        {"in_axis": (0, 0)},
        {"in_axis": (-1, -2), "out_axis": (0,), "batch_axis": 1},
        {"batch_axis": (0, 1)},
        {"in_axis": ()},
    ):
        for mode in ("fan_in", "fan_out", "fan_avg", "fan_geo_avg"):
            arguments = (3.0, mode, "uniform")
            one = theirs.variance_scaling(*arguments, **axes)(KEY, CONV)
            other = initializers.variance_scaling(*arguments, **axes)(KEY, CONV)
            assert float(abs(other).max()) == pytest.approx(float(abs(one).max()), rel=1e-3), (axes, mode)
