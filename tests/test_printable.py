"""Knows what text out of files that others wrote may do to a terminal: be read; not how files are parsed."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

import fanfill as ff
from fanfill.cli import main


def test_no_file_steers_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b[2J\x9b31m\r\u202e"
    plan = ff.Plan([ff.ParamSpec(f"w{evil}", (2,), ff.Normal())], seed=0, model=evil, recipe=evil)
    file, saved = tmp_path / "m.safetensors", tmp_path / "plan.json"
    plan.write(file)
    saved.write_text(plan.to_json())
    more = {"w": {"dtype": "F32", "shape": [], "data_offsets": [0, 4]}}
    meta = {
        "fanfill.seed": "0",
        "fanfill.plan_hash": evil,
        f"fanfill.{evil}": "",
        "fanfill.float8_scales": evil,
    }
    text = json.dumps({**more, "__metadata__": meta}).encode()
    (tmp_path / "o.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + bytes(4))
    for arguments, status in (
        (["verify", file, "--stats"], 0),
        (["verify", file, "gpt2"], 2),
        (["verify", file, "gpt2", "--recipe", "gpt2"], 1),
        (["verify", tmp_path / "o.safetensors", "--plan", saved, "--stats"], 1),
        (["verify", tmp_path / "o.safetensors"], 2),
        (["info", file], 0),
        (["info", tmp_path / "o.safetensors"], 0),
        (["init", "--plan", saved, "--out", tmp_path / f"{evil}.safetensors"], 0),
        (["verify", tmp_path / f"{evil}.safetensors"], 0),
        (["verify", tmp_path / f"{evil}2.safetensors"], 2),
        (["init", "--plan", tmp_path / f"{evil}.json", "--out", tmp_path / "x"], 1),
    ):
        assert main(list(map(str, arguments))) == status, arguments
        said = capsys.readouterr()
        for line in (said.out + said.err).splitlines():
            assert line.isprintable(), (arguments, line)
    assert plan.table().count("\n") == 2
    assert all(line.isprintable() for line in plan.table().splitlines())


def test_a_tensors_name_of_megabytes_fills_no_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = ff.Plan([ff.ParamSpec("n" * 10**6, (2,), ff.Normal())], seed=0)
    plan.write(tmp_path / "m.safetensors")
    assert main(["verify", str(tmp_path / "m.safetensors"), "gpt2"]) == 1
    assert len(capsys.readouterr().out) < 10_000
