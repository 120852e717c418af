"""A block under fanfill.torch.accelerate: what it takes, in which order, and what it passes on."""

from __future__ import annotations

import gc
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import fanfill as ff

pytestmark = pytest.mark.framework

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import torch
    from torch import nn
    from torch._subclasses.fake_tensor import FakeTensorMode

    from fanfill.torch import accelerate, init


def stream(like: torch.Tensor, law: ff.Law, key: int, seed: int = 0) -> torch.Tensor:
    return ff.fill_(torch.empty_like(like, requires_grad=False), law, seed=seed, key=key)


# What is taken: the call, the name in the report, and its law.
TAKEN: list[tuple[str, Callable[[], torch.Tensor], str, ff.Law]] = [
    ("normal_", lambda: torch.empty(5, 3).normal_(), "normal_", ff.Normal()),
    ("normal_ with parameters", lambda: torch.empty(7).normal_(1, std=2), "normal_", ff.Normal(1, 2)),
    ("normal_ in bfloat16", lambda: torch.empty(7, dtype=torch.bfloat16).normal_(), "normal_", ff.Normal()),
    ("normal_ in strides", lambda: torch.zeros(8, 9).t()[::2].normal_(), "normal_", ff.Normal()),
    ("uniform_", lambda: torch.empty(5, dtype=torch.float64).uniform_(), "uniform_", ff.Uniform()),
    ("uniform_ with bounds", lambda: torch.empty(5).uniform_(-2, 3), "uniform_", ff.Uniform(-2, 3)),
    ("uniform_ of one value", lambda: torch.empty(5).uniform_(2, 2), "uniform_", ff.Constant(2)),
    ("randn", lambda: torch.randn(4, 2), "randn", ff.Normal()),
    ("randn of a scalar", lambda: torch.randn(()), "randn", ff.Normal()),
    (
        "randn with options",
        lambda: torch.randn((3,), dtype=torch.float16, requires_grad=True),
        "randn",
        ff.Normal(),
    ),
    ("randn into", lambda: torch.randn(4, out=torch.empty(4)), "normal_", ff.Normal()),
    ("rand", lambda: torch.rand(4, 2), "rand", ff.Uniform()),
    ("rand into", lambda: torch.rand(4, out=torch.empty(4)), "rand", ff.Uniform()),
    ("randn_like", lambda: torch.randn_like(torch.empty(3, 2)), "randn_like", ff.Normal()),
    ("rand_like", lambda: torch.rand_like(torch.empty(3, dtype=torch.float64)), "rand_like", ff.Uniform()),
    ("normal of numbers", lambda: torch.normal(2.0, 3.0, (4,)), "normal", ff.Normal(2, 3)),
    (
        "normal of numbers into",
        lambda: torch.normal(2.0, 3.0, (4,), out=torch.empty(4)),
        "normal",
        ff.Normal(2, 3),
    ),
    ("init.normal_", lambda: nn.init.normal_(nn.Parameter(torch.empty(3))), "normal_", ff.Normal()),
    (
        "init.trunc_normal_",
        lambda: nn.init.trunc_normal_(nn.Parameter(torch.empty(3, 4)), 0.5, 2.0, -1.0, 3.0),
        "trunc_normal_",
        ff.TruncatedNormal(0.5, 2, (-1, 3), "absolute"),
    ),
    ("own init.normal_", lambda: init.normal_(torch.empty(3)), "normal_", ff.Normal()),
]


@pytest.mark.parametrize(("call", "name", "law"), [row[1:] for row in TAKEN], ids=[row[0] for row in TAKEN])
def test_taken_in_the_order_of_the_calls(call: Callable[[], torch.Tensor], name: str, law: ff.Law) -> None:
    before = torch.get_rng_state()
    with accelerate(seed=5) as report:
        first, second = call(), call()
    assert torch.equal(before, torch.get_rng_state())
    torch.testing.assert_close(first.detach(), stream(first, law, 0, seed=5), rtol=0, atol=0)
    torch.testing.assert_close(second.detach(), stream(second, law, 1, seed=5), rtol=0, atol=0)
    theirs = call()
    assert (first.shape, first.dtype, first.stride(), first.requires_grad) == (
        theirs.shape,
        theirs.dtype,
        theirs.stride(),
        theirs.requires_grad,
    )
    assert list(report.fills) == [name]
    assert (report.calls, report.elements) == (2, 2 * first.numel())
    assert report.nbytes == 2 * first.numel() * first.element_size()
    assert report.seconds > 0
    assert report.passed_on == ()


def test_of_torchs_sparse_init_the_values_are_taken_and_the_places_are_not() -> None:
    with accelerate(seed=0) as report:
        nn.init.sparse_(torch.empty(10, 4), 0.5)
    assert {name: fill.calls for name, fill in report.fills.items()} == {"normal_": 1}
    assert [(each.function, each.calls) for each in report.passed_on] == [("randperm", 4)]


def test_new_tensors_have_torchs_layout_and_default_dtype() -> None:
    like = torch.empty(2, 3, 4, 5).to(memory_format=torch.channels_last)
    torch.set_default_dtype(torch.float64)
    try:
        with accelerate(seed=0) as report:
            assert torch.randn(3).dtype is torch.float64
            assert torch.rand(3).dtype is torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    with accelerate(seed=0):
        assert torch.randn_like(like).stride() == like.stride()
        assert torch.rand_like(like, memory_format=torch.contiguous_format).is_contiguous()
    assert report.calls == 2


# What is passed on: the call, the name in the report and its reason.
PASSED_ON: list[tuple[Callable[[], Any], str, str]] = [
    (lambda: torch.randperm(9), "randperm", "no fill with one normal or uniform law"),
    (lambda: torch.randint(9, (5,)), "randint", "no fill"),
    (lambda: torch.empty(5).bernoulli_(0.3), "bernoulli_", "no fill"),
    (lambda: torch.empty(5).exponential_(), "exponential_", "no fill"),
    (lambda: torch.empty(5).log_normal_(), "log_normal_", "no fill"),
    (lambda: torch.empty(5, dtype=torch.int64).random_(), "random_", "no fill"),
    (lambda: torch.multinomial(torch.ones(6), 3), "multinomial", "no fill"),
    (lambda: torch.normal(torch.zeros(3), 1.0), "normal", "no fill"),
    (lambda: nn.functional.dropout(torch.ones(64)), "bernoulli_", "no fill"),
    (lambda: torch.randn(3, dtype=torch.complex64), "randn", "tensor has elements of torch.complex64"),
    (
        lambda: torch.empty(3, dtype=torch.complex64).normal_(),
        "normal_",
        "tensor has elements of torch.complex64",
    ),
    (lambda: torch.empty(3).normal_(0, float("inf")), "normal_", "std must be finite"),
    (lambda: torch.rand(3, out=torch.empty(0)), "rand", "out= is to be resized"),
]


@pytest.mark.parametrize(("call", "name", "reason"), PASSED_ON)
def test_passed_on_and_listed_with_torchs_values(call: Callable[[], Any], name: str, reason: str) -> None:
    torch.manual_seed(3)
    theirs = call()
    torch.manual_seed(3)
    with accelerate(seed=0) as report:
        own = call()
    assert torch.equal(own, theirs)
    assert report.calls == 0
    (passed,) = report.passed_on
    assert (passed.function, passed.calls, passed.elements) == (name, 1, own.numel())
    assert passed.reason.startswith(reason)


def test_what_is_passed_on_dies_with_its_last_name() -> None:
    gc.disable()
    try:
        with accelerate(seed=0):
            complex_ = torch.randn(3, dtype=torch.complex64)
            filled = torch.empty(3).normal_(0, float("inf"))
            gone = [weakref.ref(complex_), weakref.ref(filled)]
            del complex_, filled
            assert [each() for each in gone] == [None, None]
    finally:
        gc.enable()


def test_tensors_without_values_are_passed_on_and_listed() -> None:
    with accelerate(seed=0) as report:
        layer = nn.Linear(3, 4, device="meta")
        torch.randn(3, device="meta")
        with FakeTensorMode():
            torch.randn(5)
            torch.randperm(5)
        nn.init.trunc_normal_(layer.weight)
    assert report.calls == 0
    assert {each.function for each in report.passed_on} == {
        "uniform_",
        "randn",
    }  # torch leaves trunc_normal_ at once
    assert any("meta" in each.reason for each in report.passed_on)


def test_what_may_draw_and_does_not_is_not_listed() -> None:
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True).eval()
    with accelerate(seed=0) as report:
        layer(torch.rand(2, 3, 16))
        nn.functional.scaled_dot_product_attention(*torch.rand(3, 1, 2, 4, 8))
    assert report.passed_on == ()
    assert list(report.fills) == ["rand"]


@pytest.mark.parametrize(
    "call",
    [
        lambda: torch.empty(3).normal_(0, -1),
        lambda: torch.empty(3).uniform_(2, 1),
        lambda: torch.empty(3, dtype=torch.float16).uniform_(0, 1e6),
        lambda: torch.rand(3, dtype=torch.int64),
        lambda: torch.empty(1).expand(3).normal_(),
        lambda: torch.empty(3).normal_(generator=3),
        lambda: nn.Parameter(torch.empty(3)).normal_(),
        lambda: nn.init.trunc_normal_(torch.empty(3), std=0),
        lambda: nn.init.trunc_normal_(torch.empty(3), a=2, b=1),
    ],
)
def test_errors_are_torchs_own_and_use_up_nothing(call: Callable[[], Any]) -> None:
    with pytest.raises(Exception) as theirs:  # noqa: PT011 - which one is what is compared
        call()
    with accelerate(seed=0) as report:
        with pytest.raises(type(theirs.value)) as own:
            call()
        after = torch.randn(3)
    assert str(own.value) == str(theirs.value)
    assert torch.equal(after, stream(after, ff.Normal(), 0))
    assert report.calls == 1
    assert report.passed_on == ()


def test_a_fault_of_fanfills_own_is_not_hidden_behind_torchs_values(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise TypeError("out of order")

    monkeypatch.setattr("fanfill.torch.fill_mode.fill_tensor_", broken)
    before = torch.get_rng_state()
    with accelerate(seed=0) as report, pytest.raises(TypeError, match="out of order"):
        torch.randn(3)
    assert report.passed_on == ()
    assert torch.equal(before, torch.get_rng_state())


def test_generators_of_the_calls_own_give_their_seed_as_in_init() -> None:
    drawn = []
    for tensor in (torch.empty(4), torch.empty(4)):
        generator = torch.Generator().manual_seed(9)
        with accelerate(seed=0) as report:
            tensor.normal_(generator=generator)
            drawn += [tensor, torch.randn(4, generator=generator), torch.randn(4)]
    own = torch.Generator().manual_seed(9)
    expected = [init.normal_(torch.empty(4), generator=own) for _ in range(2)]
    assert torch.equal(drawn[0], expected[0])
    assert torch.equal(drawn[1], expected[1])
    assert torch.equal(drawn[2], stream(drawn[2], ff.Normal(), 0))  # they use up no key of the block
    assert all(torch.equal(a, b) for a, b in zip(drawn[:3], drawn[3:], strict=True))
    assert report.passed_on == ()


def test_truncated_normals_are_one_fill_however_they_are_reached() -> None:
    from torch.nn.init import trunc_normal_ as imported_before

    with accelerate(seed=0) as report:
        a = imported_before(torch.empty(1000), std=0.02)
        b = torch.nn.init.trunc_normal_(torch.empty(1000, dtype=torch.bfloat16), a=0.3, b=0.4)
        with pytest.warns(UserWarning, match="more than 2 std"):
            c = nn.init.trunc_normal_(torch.empty(1000), a=10.0, b=11.0)
    assert report.fills["trunc_normal_"].calls == report.calls == 3
    assert abs(float(a.std()) - 0.02) < 0.002
    assert float(b.min()) >= 0.3
    assert float(c.min()) >= 10.0
    assert float(c.max()) <= 11.0


@pytest.mark.filterwarnings("ignore:mean is more than 2 std")
def test_truncated_normals_beyond_fanfills_bounds_are_drawn_by_their_parts() -> None:
    before = torch.get_rng_state()
    with accelerate(seed=0) as report:
        out = nn.init.trunc_normal_(torch.empty(50), a=40.0, b=40.1)
    assert list(report.fills) == ["uniform_"]
    assert torch.equal(before, torch.get_rng_state())
    assert float(out.min()) >= 40.0
    assert float(out.max()) <= 40.1


def test_own_initializers_in_a_block() -> None:
    with accelerate(seed=3) as report:
        named = init.normal_(torch.empty(4), seed=1, key="w")
        first = init.kaiming_uniform_(torch.empty(4, 4))
        sparse = init.sparse_(torch.empty(8, 3), 0.5)
        init.orthogonal_(torch.empty(3, 3))
        last = torch.randn(3)
    assert torch.equal(named, init.normal_(torch.empty(4), seed=1, key="w"))
    assert torch.equal(first, init.kaiming_uniform_(torch.empty(4, 4), seed=3, key=0))
    assert torch.equal(sparse, init.sparse_(torch.empty(8, 3), 0.5, seed=3, key=1))
    assert torch.equal(last, stream(last, ff.Normal(), 3, seed=3))
    assert {name: fill.calls for name, fill in report.fills.items()} == {
        "uniform_": 1,
        "sparse_": 1,
        "orthogonal_": 1,
        "randn": 1,
    }
    assert report.passed_on == ()


def test_autograd_and_inference_mode_go_on_as_ever() -> None:
    with accelerate(seed=0) as report:
        weight = nn.Parameter(torch.empty(3))
        with torch.no_grad():
            weight.normal_()
        (weight * torch.randn(3, requires_grad=True)).sum().backward()
        with torch.inference_mode():
            assert torch.randn(3).is_inference()
        noisy = (weight * 2).normal_()
    assert weight.grad is not None
    assert noisy.requires_grad
    assert report.calls == 4


@pytest.mark.filterwarnings("ignore")  # what torch's compiler says of itself
def test_control_flow_of_torch_goes_on_as_ever() -> None:
    with accelerate(seed=0) as report:
        out = torch.cond(torch.tensor(True), torch.sin, torch.cos, (torch.rand(3),))
    assert torch.equal(out, stream(out, ff.Uniform(), 0).sin())
    assert report.passed_on == ()
