"""Every installed library of `fanfill bench` draws the law that it says, and the pictures are drawn.

It must not know what any speed ought to be.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fanfill import cli

pytestmark = pytest.mark.framework

# Each is installed for the framework tests.
RIVALS = ("torch", "jax", "keras-jax", "keras-numpy", "keras-torch")
# JAX draws bfloat16 normals from few bits. Keras on torch takes the first of four normals within the bounds,
# and one outside where all four are, four times in a million. The check may see either.
FLAWED = {
    ("jax", "normal bfloat16"),
    ("keras-jax", "normal bfloat16"),
    ("keras-torch", "truncated float32"),
}


def test_every_framework_passes_the_check_of_its_law(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["bench", "--task", "laws", "--rival", *RIVALS, "--size", "200kB", "--seconds", "0", "--json"]
    assert cli.main(command) == 0
    report = json.loads(capsys.readouterr().out)
    assert not report["absent"]
    assert not report["failed"]
    refused = {
        (rival, law)
        for name in report["refused"]
        for rival, law in FLAWED
        if name.startswith(rival) and law in name
    }
    assert len(refused) <= len(report["refused"]) <= len(refused) + 1, report["refused"]  # JAX has two ways
    asked = {
        (one["right"]["rival"], one["right"]["law"], one["right"]["dtype"]) for one in report["comparisons"]
    }
    for rival in RIVALS:
        laws = {law for name, law, _ in asked if name == rival}
        assert laws | {law.split()[0] for name, law in refused if name == rival} == {
            "normal",
            "uniform",
            "truncated",
        }


def test_a_run_is_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "folder"
    command = [
        "bench",
        "--task",
        "laws",
        "sizes",
        "memory",
        "threads",
        "--rival",
        "fanfill",
        "memset",
        "numpy",
    ]
    assert cli.main([*command, "--size", "200kB", "--seconds", "0", "--out", str(out)]) == 0
    assert "memset" in capsys.readouterr().out
    report = json.loads((out / "speed.json").read_text())
    assert report["pictures"] == ["speed", "sizes", "threads", "memory"]
    for name in report["pictures"]:
        assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in (out / f"{name}.svg").read_text()
