"""The command of bench/pages runs, writes what it found, and refuses what it can't do before it measures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[2]


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench.pages", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )


def test_small_fills(tmp_path: Path) -> None:
    out = tmp_path / "small.json"
    done = command("small", "--rounds", "2", "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert "numpy: normal_" in done.stdout
    results = json.loads(out.read_text())
    assert 0 < results["small"]["numpy: normal_"]["best_s"] < 1
    assert {"cpu", "kernel", "commit", "huge_pages", "isa"} <= results["machine"].keys()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "invalid choice"),
        (["small", "--rounds", "1"], "--rounds"),
        (["small", "--mib", "0"], "--mib"),
        (["small", "--out", "/nowhere/small.json"], "--out: there is no folder /nowhere"),
    ],
)
def test_refusals(arguments: list[str], message: str) -> None:
    done = command(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
