"""Write a checkpoint from all processes that torchrun starts, on machines that share the folder.

torchrun --nproc-per-node 4 examples/checkpoint_torchrun.py llama-3-8b --out /shared --max-shard-size 5GB

The arguments are those of `fanfill init`. It must not know how the work is cut: `--part` does.
"""

import os
import sys

from fanfill.cli import main

part = f"{int(os.environ['RANK']) + 1}/{os.environ['WORLD_SIZE']}"
sys.exit(main(["init", *sys.argv[1:], "--part", part, "--resume"]))
