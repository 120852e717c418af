"""Knows which places of the global tensor this process holds of a DTensor, dimension by dimension.

It must not know laws, names or modules, and asks no other process.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, TypeAlias

from ..region import Region
from .region_block import runs_between

__all__ = ["is_dtensor", "local_part", "region_of"]

Runs: TypeAlias = list[tuple[int, int]]


def is_dtensor(tensor: Any) -> bool:
    """Return whether a tensor is a DTensor, without importing what defines them."""
    distributed = sys.modules.get("torch.distributed.tensor")
    return distributed is not None and isinstance(tensor, distributed.DTensor)


def region_of(tensor: Any, name: str = "tensor") -> Region:
    r"""Return the part of the global tensor that this process holds of a DTensor.

    A dimension of n indices that ``Shard`` cuts over m processes is cut as by ``torch.chunk``: process c
    holds c·⌈n/m⌉ … (c + 1)·⌈n/m⌉, the last ones less or nothing. ``_StridedShard`` of split factor s, which
    FSDP2 over tensor parallelism leaves, first cuts it into s pieces in that way and then takes the process'
    share of each.

    Parameters
    ----------
    tensor : torch.distributed.tensor.DTensor
        Sharded or replicated over each dimension of its mesh, in any combination.
    name : str, optional
        What to call the argument in an error.

    Returns
    -------
    Region
        Its ``local_shape`` is the shape of ``tensor.to_local()``.

    Raises
    ------
    TypeError
        If `tensor` is no DTensor, or is placed otherwise than by Shard, _StridedShard and Replicate.
    ValueError
        If this process is not part of the mesh, or its shard doesn't have the shape that the placements give.

    Examples
    --------
    >>> from torch.distributed.tensor import Shard, distribute_tensor  # doctest: +SKIP
    >>> weight = distribute_tensor(torch.zeros(7, 3), mesh, [Shard(0)])  # doctest: +SKIP
    >>> region_of(weight)  # on the second of two processes  # doctest: +SKIP
    Region((7, 3), (((4, 7),), ((0, 3),)))
    """
    if not is_dtensor(tensor):
        raise TypeError(
            f"{name} must be a DTensor, not {type(tensor).__module__}.{type(tensor).__qualname__}; a plain "
            f"tensor's region is for the caller to say: Region.box, Region.flat"
        )
    shape = tuple(tensor.shape)
    mesh = tensor.device_mesh
    coordinate = mesh.get_coordinate()
    if coordinate is None:
        raise ValueError(
            f"{name} is placed on {mesh}, of which this process is not part; fill it on the processes of the "
            f"mesh alone"
        )
    runs: list[Runs] = [[(0, extent)] for extent in shape]
    for mesh_dim in _order(tensor):
        placement = tensor.placements[mesh_dim]
        if not placement.is_replicate():
            axis, pieces = _cut(placement, len(shape), name)
            runs[axis] = _share(runs[axis], pieces, mesh.size(mesh_dim), coordinate[mesh_dim])
    region = Region(shape, runs)
    held = tuple(_local(tensor).shape)
    if held != region.local_shape:
        raise ValueError(
            f"{name} has a shard of shape {held} on this process, where the placements {tensor.placements} "
            f"of the global shape {shape} give {region.local_shape}; make it with DTensor.from_local(shape=, "
            f"stride=) or distribute_tensor"
        )
    return region


def local_part(tensor: Any, name: str = "tensor") -> tuple[Any, Region | None]:
    """Return the tensor that this process holds, and its region; (`tensor`, None) if that is the whole."""
    if not is_dtensor(tensor):
        return tensor, None
    region = region_of(tensor, name)
    is_whole = region.local_shape == region.shape
    return _local(tensor), None if is_whole else region


def _local(tensor: Any) -> Any:
    """Return the shard itself, which ``to_local()`` would wrap for autograd, once it has arrived."""
    local = tensor._local_tensor
    return local.wait() if type(local).__name__ == "AsyncCollectiveTensor" else local


def _order(tensor: Any) -> Sequence[int]:
    """Return the mesh dimensions in the order in which they cut the tensor.

    That is left to right unless the tensor was redistributed in another order, which newer versions of torch
    keep beside the placements, or, again left to right, inside them as strided shards.
    """
    mesh_dims = list(range(len(tensor.placements)))
    order = getattr(tensor._spec, "shard_order", None)
    if order is None or any(hasattr(placement, "split_factor") for placement in tensor.placements):
        return mesh_dims
    sharding = [mesh_dim for entry in order for mesh_dim in entry.mesh_dims]
    return [*sharding, *(mesh_dim for mesh_dim in mesh_dims if mesh_dim not in sharding)]


def _cut(placement: Any, rank: int, name: str) -> tuple[int, int]:
    """Return the axis that a placement cuts, and into how many pieces before each process takes its share."""
    kinds = {kind.__name__ for kind in type(placement).__mro__}
    if placement.is_partial() or not kinds & {"Shard", "_StridedShard"}:
        raise TypeError(
            f"{name} is placed as {placement}, and fanfill fills shards and replicas; redistribute it first"
        )
    axis = placement.dim + rank if placement.dim < 0 else placement.dim
    if not 0 <= axis < rank:
        raise ValueError(f"{name} is sharded along dimension {placement.dim} and has {rank} dimensions")
    return axis, int(getattr(placement, "split_factor", 1))


def _share(runs: Runs, pieces: int, processes: int, process: int) -> Runs:
    """Return the share of one process of each of the equal pieces of the runs."""
    total = sum(stop - start for start, stop in runs)
    shares: Runs = []
    for piece in range(pieces):
        low, high = _chunk(0, total, pieces, piece)
        low, high = _chunk(low, high, processes, process)
        shares += runs_between(runs, low, high)
    return shares


def _chunk(low: int, high: int, count: int, index: int) -> tuple[int, int]:
    """Return the ends of one chunk as ``torch.chunk`` cuts them, empty where it gives fewer."""
    size = -(-(high - low) // count)
    return min(low + size * index, high), min(low + size * (index + 1), high)
