"""DTensors of which one process holds a part, and data parallelism, in fanfill.torch.init and accelerate."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.framework

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import torch
    import torch.distributed as dist
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import Shard, distribute_tensor

    from fanfill.torch import accelerate, init, initialize_, plan

NAMED = ["kaiming_normal_", "kaiming_uniform_", "normal_", "trunc_normal_", "uniform_", "xavier_normal_"]
NAMED += ["xavier_uniform_"]


@pytest.fixture(scope="module")
def mesh() -> Iterator[Any]:
    # Rank 1 of 3, which no other process joins: nothing here may communicate.
    dist.init_process_group("fake", rank=1, world_size=3)
    yield init_device_mesh("cpu", (3,))
    dist.destroy_process_group()


def test_data_parallelism_changes_no_name_and_no_value(mesh: Any) -> None:
    net = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2))
    drawn = plan(net, "torch-default", seed=7)
    wrapped = torch.nn.parallel.DistributedDataParallel(net)
    assert next(iter(dict(wrapped.named_parameters()))) == "module.0.weight"
    assert plan(wrapped, "torch-default", seed=7) == drawn
    initialize_(wrapped, "torch-default", seed=7, only=["module.0.weight", "0.bias"])
    assert torch.equal(net[0].weight, torch.from_numpy(drawn.array("0.weight")))
    assert torch.equal(net[0].bias, torch.from_numpy(drawn.array("0.bias")))


@pytest.mark.parametrize("name", NAMED)
def test_named_fills_write_the_part_of_this_process_with_fans_of_the_whole(name: str, mesh: Any) -> None:
    whole = getattr(init, name)(torch.empty(8, 5), seed=7, key="w")
    tensor = torch.nn.Parameter(distribute_tensor(torch.zeros(8, 5), mesh, [Shard(0)], src_data_rank=None))
    assert getattr(init, name)(tensor, seed=7, key="w") is tensor
    assert torch.equal(tensor.detach().to_local(), whole[3:6])
    assert tensor._version > 0


@pytest.mark.parametrize("name", [*NAMED, "orthogonal_"])
def test_without_a_name_the_processes_would_differ(name: str, mesh: Any) -> None:
    tensor = distribute_tensor(torch.zeros(8, 5), mesh, [Shard(0)], src_data_rank=None)
    with pytest.raises(TypeError, match="DTensor"):
        getattr(init, name)(tensor)
    assert not tensor.to_local().any()


@pytest.mark.parametrize("name", ["orthogonal_", "sparse_"])
def test_what_needs_the_whole_matrix_is_refused(name: str, mesh: Any) -> None:
    tensor = distribute_tensor(torch.zeros(8, 5), mesh, [Shard(0)], src_data_rank=None)
    arguments = {"sparsity": 0.5} if name == "sparse_" else {}
    with pytest.raises(TypeError, match="DTensor"):
        getattr(init, name)(tensor, **arguments, seed=7, key="w")
    assert not tensor.to_local().any()


@pytest.mark.filterwarnings("ignore:DTensor random operators may not have complete support")
def test_a_block_passes_them_on(mesh: Any) -> None:
    tensor = distribute_tensor(torch.zeros(8, 5), mesh, [Shard(0)], src_data_rank=None)
    with accelerate(seed=0) as report:
        with torch.no_grad():
            tensor.normal_()
        torch.randn(3)
    assert report.calls == 1
    (passed,) = report.passed_on
    assert passed.function == "normal_"
    assert "DTensor" in passed.reason
