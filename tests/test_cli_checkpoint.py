"""`fanfill init` in several files, parts and attempts; it must not know how a file is written."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import fanfill as ff
from fanfill import models, recipes
from fanfill.checkpoint.shard_index import INDEX_NAME
from fanfill.cli import main
from tiny_model import TINY


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(models._MODELS, "tiny", lambda: TINY)


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


SHARDS = ("--max-shard-size", "1kB")


def test_parts_make_what_one_process_makes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("init", "tiny", "--out", tmp_path / "whole", *SHARDS) == 0
    names = set(contents(tmp_path / "whole"))
    assert {"config.json", INDEX_NAME, "model-00001-of-00002.safetensors"} <= names
    for part in ("2/2", "1/2"):
        assert run("init", "tiny", "--out", tmp_path / "parts", *SHARDS, "--part", part) == 0
    assert "part 1 of 2: 3 files" in capsys.readouterr().out
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")


def test_a_dry_run_of_a_part_lists_its_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("init", "tiny", "--out", tmp_path / "m", *SHARDS, "--part", "2/2", "--json")
    assert run(*options, "--dry-run") == 0
    announced = json.loads(capsys.readouterr().out)["files"]
    assert os.listdir(tmp_path) == []
    assert run(*options) == 0
    assert json.loads(capsys.readouterr().out)["files"] == announced
    assert [file["path"] for file in announced] == [str(path) for path in (tmp_path / "m").iterdir()]


def test_a_second_run_with_resume_has_nothing_to_write(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("init", "tiny", "--out", tmp_path, *SHARDS, "--resume")
    assert run(*options) == 0
    before = contents(tmp_path)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    capsys.readouterr()
    assert run(*options) == 0
    assert ", 0 of them written now, " in capsys.readouterr().out
    assert run(*options, "--json") == 0
    assert json.loads(capsys.readouterr().out)["bytes_written"] == 0
    assert contents(tmp_path) == before
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == times


def test_resume_does_not_take_another_seeds_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("init", "tiny", "--out", tmp_path) == 0
    before = contents(tmp_path)
    for more in (("--dry-run",), ()):
        assert run("init", "tiny", "--out", tmp_path, "--seed", 1, "--resume", *more) == 1
        error = capsys.readouterr().err
        assert "model.safetensors exists already and holds something else; pass --force" in error
    assert contents(tmp_path) == before
    assert run("init", "tiny", "--out", tmp_path, "--seed", 1, "--resume", "--force") == 0


def test_an_interrupt_with_resume_leaves_something_to_continue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("fanfill.progress.Progress.__call__", stop)
        assert run("init", "tiny", "--out", tmp_path / "m", "--resume") == 1
    assert "interrupted; the same command continues" in capsys.readouterr().err
    assert os.listdir(tmp_path / "m") == [".model.safetensors.partial"]
    assert run("init", "tiny", "--out", tmp_path / "m", "--resume") == 0
    assert sorted(os.listdir(tmp_path / "m")) == ["config.json", "model.safetensors"]


@pytest.mark.parametrize("recipe", ["gpt2", "gpt2-released"])
def test_a_saved_plan_gives_the_models_files(recipe: str, tmp_path: Path) -> None:
    options = ("tiny", "--seed", 9, "--dtype", "bfloat16", "--recipe", recipe)
    assert run("plan", *options, "--out", tmp_path / "plan.json") == 0
    assert run("init", "--plan", tmp_path / "plan.json", "--out", tmp_path / "planned") == 0
    assert run("init", *options, "--out", tmp_path / "m") == 0
    assert contents(tmp_path / "planned") == contents(tmp_path / "m")


def test_a_plan_of_ones_own_is_written_without_a_config(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = ff.Plan([ff.ParamSpec("w", (3, 5), ff.Uniform(), dtype="float8_e5m2")], seed=3, model="tiny")
    (tmp_path / "plan.json").write_text(plan.to_json())
    assert run("init", "--plan", tmp_path / "plan.json", "--out", tmp_path / "m") == 0
    assert os.listdir(tmp_path / "m") == ["model.safetensors"]
    assert "no scale tensors belong to them" in capsys.readouterr().out
    assert run("info", tmp_path / "m", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["float8_scales"] == "none"
    assert report["plan_hash"] == plan.hash
    assert report["kinds"] == [{**plan["w"].to_dict(), "tensors": 1, "fan_in": 5}]


def test_info_of_several_files_is_that_of_the_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("init", "tiny", "--out", tmp_path, *SHARDS) == 0
    capsys.readouterr()
    assert run("info", tmp_path, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["files"], report["parameters"], report["tensors"]) == (2, 616, 3)
    assert report["plan"] == "fanfill plan tiny --recipe gpt2 --seed 0 --dtype float32"
    (tmp_path / "model-00002-of-00002.safetensors").unlink()
    assert run("info", tmp_path) == 0
    assert ["missing", "files", "1"] in [line.split() for line in capsys.readouterr().out.splitlines()]


def test_info_has_a_row_for_each_kind_or_each_tensor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    specs = [ff.ParamSpec(f"h.{i}.w", (3, 5), ff.Normal(0.0, 0.25)) for i in range(3)]
    ff.Plan(specs, seed=0).write(tmp_path)
    assert run("info", tmp_path) == 0
    rows = capsys.readouterr().out.split("\n\n")[1].splitlines()
    assert [row.split() for row in rows] == [
        ["name", "count", "shape", "dtype", "law", "std", "bounds", "fan_in"],
        ["h.*.w", "3", "3x5", "float32", "normal", "0.25", "-", "5"],
    ]
    assert run("info", tmp_path, "--tensors", "--json") == 0
    kinds = json.loads(capsys.readouterr().out)["kinds"]
    assert kinds == [{**spec.to_dict(), "tensors": 1, "fan_in": 5} for spec in specs]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "m"], "give one of MODEL"),
        (["tiny", "--plan", "p.json", "--out", "m"], "give one of MODEL"),
        (["--plan", "p.json", "--seed", "1", "--out", "m"], "--seed: the plan says it"),
        (["--plan", "p.json", "--recipe", "gpt2", "--out", "m"], "--recipe: the plan says it"),
        (["--plan", "p.json", "--dtype", "float32", "--out", "m"], "--dtype: the plan says it"),
        (["tiny", "--out", "m", "--part", "1/2"], "give --max-shard-size too"),
        (["tiny", "--out", "m.safetensors", "--part", "1/2"], "a folder and --max-shard-size"),
        (["tiny", "--out", "m.safetensors", "--max-shard-size", "5GB"], "give a folder"),
        (["tiny", "--out", "m", "--part", "0/2"], "K counts from 1 to N"),
        (["tiny", "--out", "m", "--part", "3/2"], "K counts from 1 to N"),
        (["tiny", "--out", "m", "--part", "half"], "isn't K/N"),
        (["tiny", "--out", "m", "--part", "1/-2"], "isn't K/N"),
        (["tiny", "--out", "m", "--max-shard-size", "five"], "such as 5GB"),
        (["tiny", "--out", "m", "--max-shard-size", "0"], "at least one byte"),
    ],
)
def test_wrong_usage_is_status_2_and_writes_nothing(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.json").write_text(recipes.find("gpt2").plan(TINY, seed=0).to_json())
    assert run("init", *arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err.splitlines()[-1]
    assert captured.out == ""
    assert os.listdir(tmp_path) == ["p.json"]


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff", b'{"a":' * 5000])
def test_a_plan_that_is_none_is_named(
    content: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / "p.json").write_bytes(content)
    assert run("init", "--plan", tmp_path / "p.json", "--out", tmp_path / "m") == 1
    error = capsys.readouterr().err
    assert error.startswith(f"fanfill: error: --plan: {tmp_path / 'p.json'}: ")
    assert error.count("\n") == 1
    assert not (tmp_path / "m").exists()
