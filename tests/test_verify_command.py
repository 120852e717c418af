"""Knows what ``fanfill verify`` prints and returns; not how a checkpoint is compared."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fanfill import models
from fanfill.cli import main
from test_verify import data_of, flip, rewrite
from tiny_model import TINY


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(models._MODELS, "tiny", lambda: TINY)


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def report(capsys: pytest.CaptureFixture[str], *arguments: object, status: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    assert run("verify", *arguments, "--json") == status
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert found["verified"] is (status == 0)
    return found


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert run("init", "tiny", "--out", tmp_path / "m", "--seed", 5, "--dtype", "bfloat16") == 0
    capsys.readouterr()
    return tmp_path / "m"


def test_a_checkpoint_is_verified_from_its_own_metadata(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("verify", folder) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("verified tiny, recipe gpt2, seed 5, contract version 1, plan hash ")
    assert second.startswith("3 tensors in 1 file, 1,232 bytes compared, ")
    assert run("verify", folder / "model.safetensors", "--threads", 1) == 0
    found = report(capsys, folder)
    assert (found["model"], found["seed"], found["tensors"], found["bytes"]) == ("tiny", 5, 3, 1232)
    assert found["bytes_checked"] == 1232
    assert found["difference"] is None


def test_the_first_difference_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "model.safetensors"
    at, _ = data_of(path, "wte.weight")
    flip(path, at + 2 * 13)
    assert run("verify", folder) == 1
    said = capsys.readouterr().out
    assert f"{path}: tensor wte.weight differs first at [1, 5], flat index 13: expected " in said
    assert "differs from tiny, recipe gpt2, seed 5" in said
    found = report(capsys, folder, status=1)["difference"]
    assert (found["tensor"], found["index"], found["multi_index"]) == ("wte.weight", 13, [1, 5])
    assert int(found["expected_bits"], 16) ^ int(found["found_bits"], 16) == 1


def test_flags_come_before_the_metadata(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify", folder, "tiny", "--seed", 5, "--dtype", "bfloat16", "--recipe", "gpt2") == 0
    assert report(capsys, folder, "--seed", 6, status=1)["seed"] == 6
    wider = report(capsys, folder, "--dtype", "float32", status=1)
    assert len(wider["unlike"]) == 3
    assert report(capsys, folder, "--recipe", "gpt2-released", status=0)["recipe"] == "gpt2-released"


def test_a_file_without_metadata_needs_flags(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "model.safetensors"
    data = path.read_bytes()
    tensors = {}
    for name in ("wte.weight", "h.0.attn.c_attn.weight", "h.0.attn.c_attn.bias"):
        at, tensor = data_of(path, name)
        tensors[name] = ("BF16", list(tensor.shape), data[at : at + tensor.stop - tensor.start])
    bare = folder / "bare.safetensors"
    rewrite(bare, tensors)
    assert run("verify", bare) == 2
    assert "wasn't written by fanfill" in capsys.readouterr().err
    assert run("verify", bare, "tiny") == 2
    assert "doesn't say its seed" in capsys.readouterr().err
    assert run("verify", bare, "tiny", "--seed", 5) == 0
    assert run("verify", bare, "tiny", "--seed", 4) == 1
    capsys.readouterr()
    assert run("verify", bare, "--stats") == 0
    said = capsys.readouterr().out
    assert said.splitlines()[0].split()[:3] == ["tensor", "shape", "dtype"]
    assert said.endswith(f"{bare} wasn't written by fanfill, and nothing was verified\n")
    assert run("verify", bare, "--stats", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["verified"] is None
    assert [each["name"] for each in found["statistics"]] == list(tensors)


def test_a_plan_of_its_own(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = tmp_path / "plan.json"
    assert run("plan", "tiny", "--seed", 5, "--dtype", "bfloat16", "--out", plan) == 0
    assert run("verify", folder, "--plan", plan) == 0
    assert run("plan", "tiny", "--seed", 6, "--dtype", "bfloat16", "--out", plan, "--force") == 0
    assert run("verify", folder, "--plan", plan) == 1
    plan.write_text("{}")
    capsys.readouterr()
    assert run("verify", folder, "--plan", plan) == 2
    assert f"--plan: {plan}: the plan lacks contract_version" in capsys.readouterr().err
    assert run("verify", folder, "--plan", tmp_path / "none") == 2
    assert f"--plan: {tmp_path / 'none'}: No such file or directory" in capsys.readouterr().err


def test_statistics_stand_beside_the_proof(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify", folder, "--stats") == 0
    said = capsys.readouterr().out
    assert "3 tensors against their laws, 0 more than 6 standard errors away\nverified tiny" in said
    found = report(capsys, folder, "--stats")["statistics"]
    assert {each["name"] for each in found} == {
        "wte.weight",
        "h.0.attn.c_attn.weight",
        "h.0.attn.c_attn.bias",
    }
    assert all(abs(each["z_mean"]) < 6 for each in found)
    assert found[0]["law"] == "Normal(mean=0.0, std=0.02)"


def test_parts_are_one_checkpoint_when_all_are_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for part in (3, 1):
        assert run("init", "tiny", "--out", tmp_path, "--max-shard-size", "800", "--part", f"{part}/3") == 0
    missing = report(capsys, tmp_path, status=1)
    assert len(missing["faults"]) == 1
    assert missing["faults"][0].endswith("is missing")
    assert missing["missing"]
    assert run("init", "tiny", "--out", tmp_path, "--max-shard-size", "800", "--part", "2/3") == 0
    assert report(capsys, tmp_path)["files"] == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["m", "tinny"], "did you mean 'tiny'?"),
        (["m", "--sample", "0"], "--sample"),
        (["m", "--sample", "1.1"], "--sample"),
        (["m", "--sample", "x"], "--sample"),
        (["m", "--sample", "nan"], "--sample"),
        (["m", "--seed", "-1"], "--seed"),
        (["m", "tiny", "--plan", "p"], "--plan: MODEL says already"),
        (["m", "--plan", "p", "--seed", "1"], "--seed: the plan says it"),
        (["m", "--plan", "p", "--recipe", "gpt2"], "--recipe: the plan says it"),
        ([], "PATH"),
        (["none"], "none: No such file or directory"),
        (["empty"], "has no model.safetensors, no model.safetensors.index.json and no shards"),
        (["text"], "is no safetensors file"),
        (["m", "--recipe", "llama3"], "llama3"),
    ],
)
def test_wrong_usage_and_what_can_not_be_read_is_status_2(
    arguments: list[str],
    message: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder.parent)
    os.mkdir("empty")
    Path("text").write_text("import this\n")
    assert run("verify", *arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err.splitlines()[-1]
    assert captured.out == ""


def test_another_contract_version_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rewrite(folder / "w.safetensors", {"w": ("F32", [1], bytes(4))}, **{"fanfill.contract_version": "99"})
    assert run("verify", folder / "w.safetensors", "tiny", "--seed", 0) == 2
    assert "is of contract version 99" in capsys.readouterr().err


@pytest.mark.parametrize("more", [[], ["--stats"]])
def test_an_interrupt_is_no_answer(
    more: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fanfill.progress.Progress.__call__", interrupt)
    assert run("verify", folder, *more) == 2  # 1 would say that it differs
    captured = capsys.readouterr()
    assert captured.err == "fanfill: error: interrupted; whether it is the plan isn't known\n"
    assert captured.out == ""


def test_a_reader_that_leaves_is_told_nothing(folder: Path) -> None:
    code = f"""
import os, sys
from fanfill.cli import main
reading, writing = os.pipe()
os.close(reading)
os.dup2(writing, 1)
sys.exit(main(["verify", {str(folder / "model.safetensors")!r}, "--stats", "--plan", "plan.json"]))
"""
    assert run("plan", "tiny", "--seed", 5, "--dtype", "bfloat16", "--out", folder / "plan.json") == 0
    done = subprocess.run([sys.executable, "-u", "-c", code], capture_output=True, text=True, cwd=folder)
    assert (done.returncode, done.stderr) == (1, "")
