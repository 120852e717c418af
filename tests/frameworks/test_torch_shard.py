"""DTensors, FSDP2, HSDP, tensor parallelism and flat shards on 1 to 4 processes, and torchrun's examples.

The cases are in `sharded_fills`, which torchrun starts once for each number of processes.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.framework

ROOT = Path(__file__).parents[2]
CASES = (
    "every_placement_of_a_tensor",
    "a_tensor_cut_in_another_order",
    "a_shard_that_is_still_on_its_way",
    "every_way_of_a_module",
    "what_does_not_fit",
)


def torchrun(processes: int, file: Path, *arguments: str) -> str:
    command = [sys.executable, "-W", "ignore", "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", str(processes), str(file), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


@pytest.mark.parametrize("processes", [1, 2, 3, 4])
def test_every_process_fills_its_part(processes: int) -> None:
    said = torchrun(processes, Path(__file__).with_name("sharded_fills.py"))
    assert said.splitlines() == [f"{case} on {processes}" for case in CASES]


def test_the_example_of_flat_shards() -> None:
    said = torchrun(2, ROOT / "examples" / "flat_shards.py")
    assert said == "4 parameters in flat shards on 2 processes: equal to the plan, bit for bit\n"


def test_the_example_needs_no_more_memory_than_its_shard() -> None:
    said = torchrun(2, ROOT / "examples" / "torchrun_llama.py", "--layers", "4")
    found = re.findall(r"rank (\d): shard (\d+) MiB, peak (-?\d+) MiB above", said)
    assert sorted(rank for rank, _, _ in found) == ["0", "1"], said
    for _, shard, peak in found:
        assert int(shard) > 100  # or the bound below would say nothing
        assert int(shard) <= int(peak) <= int(shard) + 64
    assert "equal to the plan" in said
