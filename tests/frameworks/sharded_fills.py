"""One process of many: fills tensors and modules that are cut in every way, and compares them with the whole.

Run by torchrun; it must not know how many processes there are before it has asked.
"""

from __future__ import annotations

import itertools
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, Partial, Replicate, Shard, distribute_tensor
from torch.distributed.tensor._dtensor_spec import DTensorSpec, ShardOrderEntry, TensorMeta
from torch.distributed.tensor.debug import CommDebugMode
from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module
from torch.distributed.tensor.placement_types import _StridedShard

import fanfill as ff
from fanfill.torch import fill_, initialize_, plan, region_of

SHAPES = [(8, 6), (7, 5), (5, 7), (1, 3), (10,), (0, 4), (9, 2, 3)]
LAW = ff.Normal(0.0, 0.02)


def meshes() -> Iterator[DeviceMesh]:
    world = dist.get_world_size()
    yield init_device_mesh("cpu", (world,))
    if world == 4:
        yield init_device_mesh("cpu", (2, 2))
    if world in (2, 3):
        yield init_device_mesh("cpu", (1, world))


def placements(rank: int, mesh: DeviceMesh) -> Iterator[tuple[Any, ...]]:
    single = [Replicate(), *(Shard(axis) for axis in range(rank)), _StridedShard(0, split_factor=2)]
    if mesh.ndim == 1:
        yield from ((each,) for each in [*single, _StridedShard(rank - 1, split_factor=3)])
    else:
        yield from itertools.product(single, single)


def indices(region: ff.Region) -> np.ndarray:
    """The flat global index of each element that a region holds, by NumPy alone."""
    axes = [np.concatenate([np.arange(*run) for run in runs] or [np.arange(0)]) for runs in region.runs]
    flat = np.arange(int(np.prod(region.shape))).reshape(region.shape)
    return flat[np.ix_(*axes)]


def every_placement_of_a_tensor() -> None:
    for mesh, shape in itertools.product(meshes(), SHAPES):
        whole = ff.normal(shape, std=0.02, seed=7, key="w")
        counted = torch.arange(whole.size, dtype=torch.float32).reshape(shape)
        for each in placements(len(shape), mesh):
            # src_data_rank=None: every process cuts its own copy, and only torch's idea of the cut counts.
            tensor = distribute_tensor(counted.clone(), mesh, each, src_data_rank=None)
            region = region_of(tensor)
            np.testing.assert_array_equal(tensor.to_local().numpy(), indices(region), err_msg=f"{each}")
            with CommDebugMode() as communication:
                assert fill_(tensor, LAW, seed=7, key="w") is tensor
            assert communication.get_total_counts() == 0
            expected = whole.reshape(-1)[indices(region).astype(int)]
            np.testing.assert_array_equal(tensor.to_local().numpy(), expected, err_msg=f"{each}")
            assert tensor._version > 0
            if sum(isinstance(placement, _StridedShard) for placement in each) < 2:
                # torch itself can't put two strided shards of one dimension together again.
                np.testing.assert_array_equal(tensor.full_tensor().numpy(), whole, err_msg=f"{each}")


def a_tensor_cut_in_another_order() -> None:
    """The second dimension of the mesh cuts first, which torch keeps beside the placements."""
    if dist.get_world_size() != 4:
        return
    mesh = init_device_mesh("cpu", (2, 2))
    for rows in (8, 10, 5):
        even = distribute_tensor(torch.zeros(rows, 3), mesh, [Replicate(), Shard(0)])
        first, (outer, _) = even.to_local(), mesh.get_coordinate()
        order = (ShardOrderEntry(tensor_dim=0, mesh_dims=(1, 0)),)
        meta = TensorMeta(torch.Size((rows, 3)), (3, 1), torch.float32)
        spec = DTensorSpec(mesh, (Shard(0), Shard(0)), tensor_meta=meta, shard_order=order)
        chunks = [*first.chunk(2), first[:0]]
        tensor = DTensor(chunks[outer].clone(), spec, requires_grad=False)
        fill_(tensor, LAW, seed=7, key="w")
        whole = ff.normal((rows, 3), std=0.02, seed=7, key="w")
        np.testing.assert_array_equal(tensor.full_tensor().numpy(), whole)


def a_shard_that_is_still_on_its_way() -> None:
    mesh = init_device_mesh("cpu", (dist.get_world_size(),))
    sharded = distribute_tensor(torch.zeros(6, 5), mesh, [Shard(0)])
    whole = ff.normal((6, 5), std=0.02, seed=7, key="w")
    for placement in (Replicate(), Shard(1)):
        tensor = sharded.redistribute(mesh, [placement], async_op=True)
        if placement.is_replicate() and mesh.size() > 1:
            assert type(tensor._local_tensor).__name__ == "AsyncCollectiveTensor"
        fill_(tensor, LAW, seed=7, key="w")
        np.testing.assert_array_equal(tensor.full_tensor().numpy(), whole, err_msg=f"{placement}")


class Up(nn.Linear):
    """A linear module with a rule of its own, whose spread comes from the fans of the whole weight."""

    def reset_parameters(self) -> None:
        nn.init.kaiming_normal_(self.weight, mode="fan_out")
        nn.init.zeros_(self.bias)


class Block(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up = Up(width, hidden)
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.down(torch.relu(self.up(self.norm(x))))


class Net(nn.Module):
    """Small, with tied ends; 7, 10 and 6 divide by no or few numbers of processes."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(7, 6)
        self.blocks = nn.ModuleList(Block(6, 10) for _ in range(2))
        self.head = nn.Linear(6, 7, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.embed(tokens)
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def fsdp(net: Net, mesh: DeviceMesh, **options: Any) -> None:
    for block in net.blocks:
        fully_shard(block, mesh=mesh, **options)
    fully_shard(net, mesh=mesh, **options)


def tensor_parallel(net: Net, mesh: DeviceMesh) -> None:
    for block in net.blocks:
        parallelize_module(block, mesh, {"up": ColwiseParallel(), "down": RowwiseParallel()})


def ways_of_a_module() -> Iterator[tuple[str, Callable[[Net], None]]]:
    world = dist.get_world_size()
    mesh = init_device_mesh("cpu", (world,))
    yield "FSDP2", lambda net: fsdp(net, mesh)
    yield "tensor parallel", lambda net: tensor_parallel(net, mesh)
    if world == 2:
        yield (
            "FSDP2, second axis",
            lambda net: fsdp(net, mesh, shard_placement_fn=lambda p: Shard(p.ndim - 1)),
        )
    if world == 4:
        grid = init_device_mesh("cpu", (2, 2), mesh_dim_names=("outer", "inner"))
        yield "HSDP", lambda net: fsdp(net, grid)

        def both(net: Net) -> None:
            tensor_parallel(net, grid["inner"])
            fsdp(net, grid["outer"])

        yield "FSDP2 over tensor parallel", both


def every_way_of_a_module() -> None:
    with torch.device("meta"):
        model = Net()
    drawn = plan(model, "torch-default", seed=7)
    whole = initialize_(Net(), "torch-default", seed=7)
    tokens = torch.arange(7)[None]
    for way, cut in ways_of_a_module():
        for device in ("meta", "cpu"):
            with torch.device(device):
                net = Net()
            cut(net)
            versions = {id(parameter): parameter._version for parameter in net.parameters()}
            with CommDebugMode() as communication:
                assert initialize_(net, "torch-default", seed=7) is net
            assert communication.get_total_counts() == 0, way
            if device == "cpu":  # autograd knows that what it has saved is stale
                assert all(p._version > versions[id(p)] for p in net.parameters()), way
            assert net.head.weight is net.embed.weight, way
            compare(net, drawn, way)
        if "parallel" not in way:  # torch's tensor parallelism computes with even shards alone
            out = net(tokens)
            out.sum().backward()
            torch.testing.assert_close(out, whole(tokens))
            net(tokens)  # after a forward alone the root holds its gathered parameters
            assert not any(isinstance(p, DTensor) for p in net.embed.parameters()), way
            initialize_(net, "torch-default", seed=8)
            assert all(isinstance(p, DTensor) for p in net.parameters()), way
            compare(net, plan(model, "torch-default", seed=8), way)


def compare(net: nn.Module, drawn: ff.Plan, way: str) -> None:
    for name, parameter in net.named_parameters():
        assert parameter.requires_grad
        full = parameter.full_tensor() if isinstance(parameter, DTensor) else parameter
        np.testing.assert_array_equal(full.detach().numpy(), drawn.array(name), err_msg=f"{way}: {name}")


def refused(error: type[Exception], words: str, tensor: DTensor) -> None:
    before = tensor._local_tensor.clone()
    with pytest.raises(error, match=re.escape(words)):
        fill_(tensor, LAW, seed=7, key="w")
    assert tensor._local_tensor.equal(before)


def what_does_not_fit() -> None:
    world = dist.get_world_size()
    mesh = init_device_mesh("cpu", (world,))
    part = torch.zeros(3, 2)
    refused(TypeError, "placed as P", DTensor.from_local(part, mesh, [Partial()], run_check=False))
    shape, stride = torch.Size([3 * world + 1, 2]), (2, 1)
    misfit = DTensor.from_local(part, mesh, [Shard(0)], run_check=False, shape=shape, stride=stride)
    if region_shape(3 * world + 1, world) != 3:
        refused(ValueError, "has a shard of shape (3, 2) on this process", misfit)
    alone = DeviceMesh("cpu", [0])
    elsewhere = distribute_tensor(torch.zeros(4, 2), alone, [Shard(0)])
    if dist.get_rank() == 0:
        fill_(elsewhere, LAW, seed=7, key="w")
    else:
        refused(ValueError, "of which this process is not part", elsewhere)


def region_shape(rows: int, world: int) -> int:
    size = -(-rows // world)
    return max(0, min(rows - size * dist.get_rank(), size))


def main() -> None:
    torch.set_num_threads(1)
    logging.getLogger("torch.distributed.tensor").setLevel(logging.ERROR)  # advice on slow gathers
    dist.init_process_group("gloo")
    cases = [
        every_placement_of_a_tensor,
        a_tensor_cut_in_another_order,
        a_shard_that_is_still_on_its_way,
        every_way_of_a_module,
        what_does_not_fit,
    ]
    for case in cases:
        case()
        dist.barrier()
        if dist.get_rank() == 0:
            sys.stdout.write(f"{case.__name__} on {os.environ['WORLD_SIZE']}\n")
            sys.stdout.flush()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
