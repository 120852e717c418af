"""Write a checkpoint from all nodes of a Ray cluster, which share the folder: one task takes a whole node.

python examples/checkpoint_ray.py llama-3-8b --out /shared/llama --max-shard-size 5GB

The arguments are those of `fanfill init`. It must not know how the work is cut: `--part` does.
"""

import sys

import ray


@ray.remote
def write(arguments: list[str], part: str) -> int:
    from fanfill.cli import main

    return main(["init", *arguments, "--part", part, "--resume"])


ray.init()
cores = [node["Resources"]["CPU"] for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
parts = [f"{number}/{len(cores)}" for number in range(1, len(cores) + 1)]
tasks = [write.options(num_cpus=n).remote(sys.argv[1:], part) for n, part in zip(cores, parts, strict=True)]
sys.exit(max(ray.get(tasks)))
