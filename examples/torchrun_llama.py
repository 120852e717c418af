"""A Llama over many processes: built without memory, sharded by FSDP2, each process drawing its own part.

It must not need a GPU, a checkpoint or a network. On Linux, with pip install "fanfill[torch,hf]", run it as

    torchrun --nproc-per-node 2 examples/torchrun_llama.py --layers 8

Every process says how much memory it took at most above what it had after its imports: little more than its
shard.
"""

import argparse
import math
import re
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from transformers import AutoModelForCausalLM, LlamaConfig
from transformers.models.llama import modeling_llama  # noqa: F401, which else is imported while we measure

import fanfill as ff
from fanfill.torch import initialize_, plan

RECIPE = "llama3"


def memory(line: str) -> int:
    """Return this process' memory in bytes: now (VmRSS), or the most since it was last reset (VmHWM)."""
    found = re.search(rf"^{line}:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) << 10


def build(layers: int, width: int) -> torch.nn.Module:
    """Return the model on the meta device, as names and shapes alone."""
    config = LlamaConfig(
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=layers,
        num_attention_heads=16,
        num_key_value_heads=4,
        vocab_size=32000,
    )
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(
            config, dtype=torch.bfloat16
        )  # rotary frequencies stay float32


def shard(model: torch.nn.Module) -> None:
    """Cut every parameter along its first axis, over all processes."""
    mesh = init_device_mesh("cpu", (dist.get_world_size(),))
    for layer in model.model.layers:
        fully_shard(layer, mesh=mesh)
    fully_shard(model, mesh=mesh)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--layers", type=int, default=8, help="default: 8")
    parser.add_argument("--width", type=int, default=1024, help="default: 1024")
    parser.add_argument("--seed", type=int, default=7, help="default: 7")
    arguments = parser.parse_args()
    dist.init_process_group("gloo")
    rank = dist.get_rank()

    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = memory("VmRSS")
    model = build(arguments.layers, arguments.width)
    shard(model)
    initialize_(model, RECIPE, seed=arguments.seed)
    peak = memory("VmHWM") - before

    held = sum(parameter.to_local().nbytes for parameter in model.parameters())
    print(
        f"rank {rank}: shard {held >> 20} MiB, peak {peak >> 20} MiB above what it had after its imports",
        flush=True,
    )

    # Whatever the number of processes, the model is the one that a single process would have made.
    name, parameter = "model.layers.0.mlp.up_proj.weight", model.model.layers[0].mlp.up_proj.weight
    drawn = plan(model, RECIPE, seed=arguments.seed)
    whole = np.empty(drawn[name].shape, np.uint16)  # the bits of bfloat16
    ff.fill_(whole, drawn[name].law, seed=drawn.seed, key=name, dtype=drawn[name].dtype)
    assert np.array_equal(parameter.full_tensor().view(torch.uint16).numpy(), whole)
    tokens = torch.arange(64)[None]
    loss = model(tokens, labels=tokens).loss.item()
    if rank == 0:
        print(f"{drawn.numel:,} parameters, equal to the plan {drawn.hash[:12]}")
        print(f"loss {loss:.2f}; of a model that knows nothing about {math.log(32000):.2f}")
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
