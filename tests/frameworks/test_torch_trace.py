"""Traces that torch records: in a block under fanfill.torch.accelerate they hold torch's own operations."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

import fanfill as ff

pytestmark = pytest.mark.framework

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import torch
    from torch import nn
    from torch._functorch.aot_autograd import aot_function, make_boxed_func
    from torch.fx.experimental.proxy_tensor import make_fx

    from fanfill.torch import accelerate, fill_, init

OPERATIONS = {
    "randn": lambda x: x + torch.randn(3),
    "rand_like": lambda x: x + torch.rand_like(x),
    "normal_": lambda x: x.clone().normal_(),
    "init.uniform_": lambda x: nn.init.uniform_(x.clone()),
}


def targets(graph: Any) -> list[str]:
    return [str(node.target) for node in graph.graph.nodes]


@pytest.mark.parametrize("way", [{"tracing_mode": "real"}, {"tracing_mode": "fake"}, {"pre_dispatch": True}])
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_trace_is_the_one_without_a_block(name: str, way: dict[str, Any]) -> None:
    before = make_fx(OPERATIONS[name], **way)(torch.zeros(3))
    with accelerate(seed=0) as report:
        traced = make_fx(OPERATIONS[name], **way)(torch.zeros(3))
    assert targets(traced) == targets(before)
    # Before dispatch the trace has the operation already, and what is left is one of the block.
    assert report.calls == ("pre_dispatch" in way)
    torch.manual_seed(1)
    values = traced(torch.zeros(3))
    torch.manual_seed(1)
    assert torch.equal(values, OPERATIONS[name](torch.zeros(3)))


@pytest.mark.filterwarnings("ignore")  # what torch's compiler says of itself
def test_a_compiled_function_draws_by_torch_after_the_block() -> None:
    graphs: list[Any] = []

    def keep(graph: Any, _: Any) -> Any:
        graphs.append(graph)
        return make_boxed_func(graph.forward)

    with accelerate(seed=0) as report:
        traced = aot_function(OPERATIONS["randn"], fw_compiler=keep)
        traced(torch.zeros(3, requires_grad=True))
        after = torch.randn(3)
    assert any("randn" in target for target in targets(graphs[0]))
    # The trace took no key.
    assert torch.equal(after, ff.fill_(torch.empty(3), ff.Normal(), seed=0, key=report.calls - 1))


def test_truncated_normals_are_no_more_traceable_than_without_a_block() -> None:
    def draw(x: torch.Tensor) -> torch.Tensor:
        return nn.init.trunc_normal_(x.clone())

    with accelerate(seed=0) as report, pytest.raises(RuntimeError, match="value out of a tracing tensor"):
        make_fx(draw)(torch.zeros(3))
    assert report.calls == 0


@pytest.mark.parametrize("name", ["normal_", "orthogonal_", "sparse_"])
def test_named_fills_of_what_is_followed_are_refused(name: str) -> None:
    arguments = {"sparsity": 0.5} if name == "sparse_" else {}

    def named(x: torch.Tensor) -> Any:
        return getattr(init, name)(x.clone(), **arguments, seed=7, key="w")

    with pytest.raises(TypeError, match=r"tensor is followed by make_fx, .* fill it before"):
        make_fx(named)(torch.zeros(3, 3))
    with pytest.raises(TypeError, match="tensor is followed by make_fx"):
        make_fx(lambda x: fill_(x.clone(), ff.Normal(), seed=7, key="w"))(torch.zeros(3))


def test_constants_of_a_trace_are_filled() -> None:
    weight = torch.zeros(3)
    traced = make_fx(lambda x: x + fill_(weight, ff.Normal(), seed=7, key="w"))(torch.zeros(3))
    assert torch.equal(traced(torch.zeros(3)), torch.from_numpy(ff.normal(3, seed=7, key="w")))
