"""The command of bench/large_checkpoint runs, writes what it found, and leaves nothing behind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fanfill import models

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[2]


def test_a_model_is_written_verified_and_removed(tmp_path: Path) -> None:
    out, folder = tmp_path / "large.json", tmp_path / "disk"
    folder.mkdir()
    command = [sys.executable, "-m", "bench.large_checkpoint", str(folder), "--model", "resnet-50"]
    command += ["--dtype", "bfloat16", "--max-shard-size", "20MB", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert not list(folder.iterdir())
    found = json.loads(out.read_text())
    assert found["bytes"] > found["bytes_checked"] > 2 * models.find("resnet-50").numel
    for step in ("init", "verify"):
        assert found[step]["seconds"] > 0
        assert 2**20 < found[step]["peak_bytes"] < 2**29
        assert f"{step} " in done.stdout


def test_what_fanfill_refuses_is_no_measurement(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench.large_checkpoint", str(tmp_path), "--model", "nothing"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 1
    assert "fanfill init nothing" in done.stderr
    assert not list(tmp_path.iterdir())
