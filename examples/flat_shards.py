"""Flat shards: engines that lay weights end to end and cut the line, FSDP1 and ZeRO-3, filled piece by piece.

It must not know how values are drawn, only which elements of which parameter a piece holds. Run it as

    torchrun --nproc-per-node 2 examples/flat_shards.py
"""

import gc
import warnings

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.fsdp import FullyShardedDataParallel

import fanfill as ff
from fanfill.torch import fill_, plan


def fill_fsdp1_(module: FullyShardedDataParallel, drawn: ff.Plan) -> None:
    """Fill this process' piece of the one line in which FSDP1 keeps all parameters of a module."""
    line = module._handle.flat_param
    for name, shape, own in zip(line._fqns, line._shapes, line._shard_param_infos, strict=True):
        if own.in_shard:
            piece = line.detach()[own.offset_in_shard :][: own.numel_in_shard]
            elements = ff.Region.flat(shape, own.intra_param_start_idx, own.intra_param_end_idx + 1)
            fill_(piece, drawn[name].law, seed=drawn.seed, key=name, region=elements)


def fill_zero3_(piece: torch.Tensor, name: str, rank: int, drawn: ff.Plan) -> None:
    """Fill the piece of one parameter that ZeRO-3 keeps on a process; all pieces are of one size."""
    spec = drawn[name]
    start = min(rank * piece.numel(), spec.numel)
    stop = min(start + piece.numel(), spec.numel)  # what is left of the last piece is padding
    elements = ff.Region.flat(spec.shape, start, stop)
    fill_(piece[: stop - start], spec.law, seed=drawn.seed, key=name, region=elements)


def compare() -> None:
    """Fill one network in both ways, and compare each with the plan."""
    rank, world = dist.get_rank(), dist.get_world_size()
    network = nn.Sequential(nn.Linear(5, 7), nn.Linear(7, 3))
    drawn = plan(network, "torch-default", seed=7)

    # ZeRO-3 cuts each parameter by itself.
    pieces = {}
    for spec in drawn:
        pieces[spec.name] = torch.zeros(-(-spec.numel // world))
        fill_zero3_(pieces[spec.name], spec.name, rank, drawn)

    # FSDP1 cuts the line of all of them.
    sharded = FullyShardedDataParallel(network, device_id=torch.device("cpu"))
    fill_fsdp1_(sharded, drawn)

    with FullyShardedDataParallel.summon_full_params(sharded):
        for name, parameter in network.named_parameters():
            whole = torch.from_numpy(drawn.array(name))
            assert torch.equal(parameter, whole), name
            line = [torch.zeros_like(pieces[name]) for _ in range(world)]
            dist.all_gather(line, pieces[name])
            assert torch.equal(torch.cat(line)[: whole.numel()].view(whole.shape), whole), name
    if rank == 0:
        print(f"{len(drawn)} parameters in flat shards on {world} processes: equal to the plan, bit for bit")


def main() -> None:
    warnings.simplefilter("ignore")  # FSDP1 is on its way out, and says so
    dist.init_process_group("gloo")
    compare()
    gc.collect()  # the module holds the group, and a thread of the group that outlives Python may abort
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
