"""fanfill.torch.init beside torch.nn.init: what is refused, warned of or left alone, and in which words."""

from __future__ import annotations

import contextlib
import gc
import warnings
import weakref
from typing import Any

import numpy as np
import pytest

import fanfill as ff

pytestmark = pytest.mark.framework

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.overrides import TorchFunctionMode

    from fanfill.torch import init

RANDOM = [name for name in init.__all__ if name.endswith("_")]
RANDOM = [name for name in RANDOM if name not in ("constant_", "dirac_", "eye_", "ones_", "zeros_")]
EXTRA = {"sparse_": {"sparsity": 0.5}}
INF, NAN = float("inf"), float("nan")


def call(module: Any, name: str, tensor: Any, **arguments: Any) -> Any:
    return getattr(module, name)(tensor, **EXTRA.get(name, {}), **arguments)


def raised(module: Any, name: str, tensor: Any, arguments: dict[str, Any]) -> tuple[type, str]:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - which one is what is compared
        getattr(module, name)(tensor, **arguments)
    return type(caught.value), str(caught.value)


# What torch refuses: function, arguments, shape, dtype.
REFUSED = [
    ("normal_", {"std": -1.0}, (3,), torch.float32),
    ("normal_", {"std": NAN}, (3,), torch.float32),
    ("normal_", {"mean": "0"}, (3,), torch.float32),
    ("normal_", {}, (3,), torch.int32),
    ("uniform_", {"a": 2.0, "b": 1.0}, (3,), torch.float32),
    ("uniform_", {"b": INF}, (3,), torch.float32),
    ("uniform_", {"a": -3e38, "b": 3e38}, (3,), torch.float32),
    ("uniform_", {"b": 1e6}, (3,), torch.float16),
    ("uniform_", {}, (3,), torch.bool),
    ("uniform_", {"a": torch.zeros(2)}, (3,), torch.float32),
    ("uniform_", {"b": torch.ones(2)}, (3,), torch.float32),
    ("trunc_normal_", {}, (3,), torch.int64),
    ("trunc_normal_", {"a": 2.0, "b": -2.0}, (3,), torch.float32),
    ("xavier_uniform_", {}, (3,), torch.float32),
    ("xavier_uniform_", {}, (0, 0), torch.float32),
    ("xavier_uniform_", {"gain": -1.0}, (3, 3), torch.float32),
    ("xavier_normal_", {"gain": -1.0}, (3, 3), torch.float32),
    ("xavier_normal_", {}, (), torch.float32),
    ("xavier_normal_", {}, (3, 3), torch.int8),
    ("kaiming_uniform_", {}, (3,), torch.float32),
    ("kaiming_uniform_", {"mode": "fan"}, (3, 3), torch.float32),
    ("kaiming_uniform_", {"nonlinearity": "gelu"}, (3, 3), torch.float32),
    ("kaiming_normal_", {"a": "x"}, (3, 3), torch.float32),
    ("kaiming_normal_", {}, (3, 3), torch.int16),
    ("orthogonal_", {}, (3,), torch.float32),
    ("orthogonal_", {}, (3, 3), torch.int32),
    ("sparse_", {"sparsity": 0.5}, (3,), torch.float32),
    ("sparse_", {"sparsity": NAN}, (3, 3), torch.float32),
    ("sparse_", {"sparsity": 0.5, "std": -1.0}, (3, 3), torch.float32),
    ("sparse_", {"sparsity": 0.5}, (3, 3), torch.int32),
]


@pytest.mark.parametrize(("name", "arguments", "shape", "dtype"), REFUSED)
@pytest.mark.parametrize("source", [{}, {"seed": 7, "key": "w"}])
def test_what_torch_refuses_is_refused_in_its_words(
    name: str, arguments: dict[str, Any], shape: tuple[int, ...], dtype: torch.dtype, source: dict[str, Any]
) -> None:
    theirs = raised(torch.nn.init, name, torch.ones(shape, dtype=dtype), arguments)
    tensor, before = torch.ones(shape, dtype=dtype), torch.get_rng_state()
    assert raised(init, name, tensor, {**arguments, **source}) == theirs
    assert torch.equal(tensor, torch.ones(shape, dtype=dtype))
    assert torch.equal(before, torch.get_rng_state())


def test_a_refused_tensor_dies_with_its_last_name() -> None:
    gc.disable()
    try:
        tensor = torch.zeros(3, dtype=torch.complex64)
        gone = weakref.ref(tensor)
        for arguments in ({"seed": 7, "key": "w"}, {"seed": 7, "key": "w", "std": -1.0}):
            with contextlib.suppress(TypeError, RuntimeError):
                init.normal_(tensor, **arguments)
        del tensor
        assert gone() is None
    finally:
        gc.enable()


def test_overlapping_memory_is_refused_in_torchs_words() -> None:
    theirs = raised(torch.nn.init, "normal_", torch.zeros(1, 3).expand(4, 3), {})
    for name in RANDOM:
        arguments = {**EXTRA.get(name, {}), "seed": 7, "key": "w"}
        assert raised(init, name, torch.zeros(1, 3).expand(4, 3), arguments) == theirs


def test_inference_tensors_are_refused_in_torchs_words() -> None:
    with torch.inference_mode():
        tensor = torch.zeros(3, 3)
        assert init.normal_(tensor, seed=7, key="w").std() > 0
        tensor.zero_()
    theirs = raised(torch.nn.init, "zeros_", tensor, {})  # it writes before it raises
    for name in RANDOM:
        assert raised(init, name, tensor, {**EXTRA.get(name, {}), "seed": 7, "key": "w"}) == theirs
    assert not tensor.any()


def test_zero_std_of_the_truncated_law_is_torchs_error() -> None:
    assert raised(torch.nn.init, "trunc_normal_", torch.zeros(3), {"std": 0.0})[0] is ZeroDivisionError
    with pytest.raises(ZeroDivisionError, match="std is 0"):
        init.trunc_normal_(torch.zeros(3), std=0.0, seed=0, key=0)


# What torch draws, or would for ever, and fanfill refuses.
OWN_REFUSALS = [
    ("normal_", {"std": INF}, torch.float32, "std must be finite"),
    ("normal_", {"mean": NAN}, torch.float32, "mean is NaN"),
    ("normal_", {"mean": 1e39}, torch.float32, "mean"),
    ("trunc_normal_", {"std": -1.0}, torch.float32, "std must not be negative"),
    ("trunc_normal_", {"a": 1.0000001, "b": 1.0000002}, torch.bfloat16, "bounds"),
    ("sparse_", {"sparsity": -0.1}, torch.float32, "sparsity must not be negative"),
]


@pytest.mark.parametrize(("name", "arguments", "dtype", "match"), OWN_REFUSALS)
def test_what_fanfill_refuses_names_the_argument(
    name: str, arguments: dict[str, Any], dtype: torch.dtype, match: str
) -> None:
    tensor = torch.ones(3, 3, dtype=dtype)
    with pytest.raises(ValueError, match=match):
        getattr(init, name)(tensor, **arguments, seed=7, key="w")
    assert bool((tensor == 1).all())


@pytest.mark.filterwarnings("ignore:mean is more than 2 std")
def test_bounds_too_far_are_refused_at_once() -> None:
    with pytest.raises(ValueError, match="37"):
        init.trunc_normal_(torch.empty(3), a=50.0, b=1e6, seed=7, key="w")


@pytest.mark.parametrize("name", RANDOM)
def test_memory_that_fanfill_cannot_write(name: str) -> None:
    for tensor, kind in (
        (torch.zeros(3, 3, dtype=torch.complex64), TypeError),
        (torch.zeros(3, 3, dtype=torch.complex64).conj().imag, ValueError),
    ):
        with pytest.raises(kind, match=r"^tensor "):
            call(init, name, tensor, seed=7, key="w")
        assert not tensor.any()
    with pytest.raises((TypeError, AttributeError)):
        call(init, name, np.empty((3, 3), np.float32))
    with pytest.raises((TypeError, RuntimeError, NotImplementedError)):
        call(init, name, torch.zeros(3, 3).to_sparse())


@pytest.mark.parametrize("name", RANDOM)
def test_transforms_of_functions_are_refused(name: str) -> None:
    with pytest.raises(
        (TypeError, RuntimeError), match=r"tensor belongs to a torch\.func transform|incompatible|vmap"
    ):
        torch.func.vmap(lambda out: call(init, name, out, seed=7, key="w"))(torch.zeros(2, 3, 3))


@pytest.mark.parametrize("name", RANDOM)
def test_sources_that_contradict_each_other(name: str) -> None:
    tensor = torch.ones(3, 3)
    generator = torch.Generator()
    for arguments, kind, match in (
        ({"seed": 1}, TypeError, "key is missing"),
        ({"key": "w"}, TypeError, "seed is missing"),
        ({"seed": 1, "key": "w", "generator": generator}, ValueError, "generator: give either"),
        ({"seed": -1, "key": "w"}, ValueError, r"seed must be in \[0, 2\*\*64\)"),
        ({"seed": 1, "key": 1.5}, TypeError, "key must be an int or a str"),
        ({"generator": 3}, TypeError, "generator must be a torch.Generator, not int"),
    ):
        with pytest.raises(kind, match=match):
            call(init, name, tensor, **arguments)
    assert bool((tensor == 1).all())


@pytest.mark.parametrize("name", ["kaiming_uniform_", "kaiming_normal_", "trunc_normal_"])
def test_warnings_are_torchs_and_point_at_the_caller(name: str) -> None:
    shape, arguments = ((3,), {"mean": 5.0}) if name == "trunc_normal_" else ((0, 3), {})
    caught = []
    for module in (torch.nn.init, init):
        with pytest.warns(UserWarning) as record:  # noqa: PT030 - the texts are compared below
            getattr(module, name)(torch.empty(shape), **arguments)
        assert len(record) == 1
        caught.append(record[0])
    assert str(caught[0].message) == str(caught[1].message)
    assert caught[0].category is caught[1].category
    assert caught[1].filename == __file__


@pytest.mark.parametrize("name", RANDOM)
@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
def test_nothing_to_fill_is_left_alone_and_draws_nothing(name: str) -> None:
    before = torch.get_rng_state()
    with FakeTensorMode() as fake:
        pretended = fake.from_tensor(torch.empty(3, 4))
    for tensor in (
        torch.empty(3, 4, device="meta"),
        torch.nn.Parameter(torch.empty(3, 4, dtype=torch.bfloat16, device="meta")),
        *([torch.empty(3, 4, dtype=torch.int32, device="meta")] if name == "trunc_normal_" else []),
        torch.empty(0, 4),
        torch.empty(4, 0),
        pretended,
    ):
        assert call(init, name, tensor) is tensor
        assert call(init, name, tensor, seed=7, key="w") is tensor
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("name", RANDOM)
def test_written_as_under_no_grad(name: str) -> None:
    leaf = torch.nn.Parameter(torch.zeros(3, 4))
    version = leaf._version
    assert call(init, name, leaf) is leaf
    assert leaf.requires_grad
    assert leaf.grad_fn is None
    assert leaf._version > version
    assert torch.is_grad_enabled()
    # What autograd has saved is known to be stale.
    loss = (leaf * leaf).sum()
    call(init, name, leaf)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize("name", RANDOM)
def test_any_strides(name: str) -> None:
    plain = call(init, name, torch.empty(6, 4), seed=7, key="w")
    base = torch.zeros(8, 12)
    out = base.t()[::2, 1:5]
    assert call(init, name, out, seed=7, key="w") is out
    assert torch.allclose(out, plain, atol=1e-5)
    assert not base.t()[1::2].any()


class Logged(torch.Tensor):
    calls: list[str] = []  # noqa: RUF012 - of the class on purpose

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        cls.calls.append(func.__name__)
        return super().__torch_function__(func, types, args, kwargs or {})


class Seen(TorchFunctionMode):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Any] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.calls.append(func)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", RANDOM)
def test_torch_functions_see_the_call(name: str) -> None:
    tensor = torch.zeros(3, 4).as_subclass(Logged)
    Logged.calls = []
    assert call(init, name, tensor, seed=7, key="w") is tensor
    assert Logged.calls[0] == name
    out = torch.zeros(3, 4)
    with Seen() as seen:
        call(init, name, out, seed=7, key="w")
    assert seen.calls[0] is getattr(init, name)
    assert torch.equal(out, tensor.as_subclass(torch.Tensor))
    with torch.device("meta"):  # a mode too
        assert torch.equal(call(init, name, torch.zeros(3, 4, device="cpu"), seed=7, key="w"), out)


def test_float8_is_filled_though_torch_cannot() -> None:
    with pytest.raises(NotImplementedError):
        torch.nn.init.normal_(torch.empty(3, dtype=torch.float8_e5m2))
    out = init.normal_(torch.empty(64, dtype=torch.float8_e5m2), seed=7, key="w")
    assert torch.equal(
        out.view(torch.uint8), ff.normal_(torch.empty_like(out), seed=7, key="w").view(torch.uint8)
    )
