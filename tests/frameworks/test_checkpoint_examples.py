"""The examples that share a checkpoint out; it must not know how the work is shared."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fanfill.cli import main

pytestmark = pytest.mark.framework

EXAMPLES = Path(__file__).parents[2] / "examples"
ARGUMENTS = ["gpt2", "--dtype", "float8_e5m2", "--max-shard-size", "30MB"]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    assert main(["init", *ARGUMENTS, "--out", str(folder)]) == 0
    return contents(folder)


def test_torchruns_processes_write_what_one_writes(whole: dict[str, bytes], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += [str(EXAMPLES / "checkpoint_torchrun.py"), *ARGUMENTS, "--out", str(tmp_path / "m")]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    assert contents(tmp_path / "m") == whole


# Two nodes of one core each, of which the example's `ray.init` finds the address.
RAY = """
import os, runpy, sys
from ray.cluster_utils import Cluster
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
cluster.add_node(num_cpus=1)
cluster.wait_for_nodes()
os.environ["RAY_ADDRESS"] = cluster.address
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_rays_tasks_write_what_one_writes(whole: dict[str, bytes], tmp_path: Path) -> None:
    script = str(EXAMPLES / "checkpoint_ray.py")
    command = [sys.executable, "-c", RAY, script, *ARGUMENTS, "--out", str(tmp_path / "m")]
    environment = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0"}
    done = subprocess.run(command, capture_output=True, env=environment, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "m") == whole


def test_the_tasks_of_a_slurm_array_write_what_one_writes(whole: dict[str, bytes], tmp_path: Path) -> None:
    script = str(EXAMPLES / "checkpoint_slurm.sh")
    subprocess.run(["bash", "-n", script], check=True)
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "fanfill").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m fanfill "$@"\n')
    (folder / "fanfill").chmod(0o755)
    for task in ("2", "1"):
        slurm = {"SLURM_ARRAY_TASK_ID": task, "SLURM_ARRAY_TASK_COUNT": "2", "SLURM_CPUS_PER_TASK": "1"}
        environment = {**os.environ, **slurm, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
        command = ["bash", script, *ARGUMENTS, "--out", str(tmp_path / "m")]
        subprocess.run(command, check=True, capture_output=True, env=environment, timeout=300)
    assert contents(tmp_path / "m") == whole
