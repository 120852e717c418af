"""Knows what the command line refuses, and that nothing is written then; not how it does what it accepts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fanfill import models
from fanfill.cli import main
from tiny_model import TINY


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(models._MODELS, "tiny", lambda: TINY)


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def refuse_dry_run_and_run(out: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """Check that both end alike, with nothing on stdout, and return what they say."""
    said = []
    for more in (("--dry-run",), ()):
        assert run("init", "tiny", "--out", out, *options, *more) == 1
        captured = capsys.readouterr()
        assert captured.out == ""
        said.append(captured.err)
    assert said[0] == said[1]
    return said[0]


def test_a_dry_run_refuses_what_the_run_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "taken.safetensors").write_bytes(b"")
    (tmp_path / "folder.safetensors").mkdir()
    (tmp_path / "m" / "config.json").mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    said = refuse_dry_run_and_run(tmp_path / "taken.safetensors", capsys)
    assert "taken.safetensors exists already; pass --force" in said
    for force in ((), ("--force",)):
        for out in ("file", "file/m", "file/m.safetensors"):
            said = refuse_dry_run_and_run(tmp_path / out, capsys, *force)
            assert f"{tmp_path / 'file'}: is no folder" in said
        said = refuse_dry_run_and_run(tmp_path / "folder.safetensors", capsys, *force)
        assert "folder.safetensors: is a folder" in said
        assert "config.json: is a folder" in refuse_dry_run_and_run(tmp_path / "m", capsys, *force)
    assert run("init", "tiny", "--out", tmp_path / "taken.safetensors", "--force", "--dry-run") == 0
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("FANFILL_ISA", ": 'bogus' is no instruction set here; "),
        ("FANFILL_NUM_THREADS", " must be a positive integer, not 'bogus'; "),
    ],
)
def test_a_wrong_environment_is_refused_before_a_word_is_printed(
    name: str, said: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "fanfill", "init", "gpt2", "--dry-run", "--out", str(tmp_path / "m")]
    environment = {**os.environ, name: "bogus"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"fanfill: error: {name}{said}")


@pytest.mark.parametrize("taken", ["model.safetensors", "config.json"])
def test_an_existing_target_needs_force(
    taken: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / taken).write_bytes(b"old")
    assert run("init", "tiny", "--out", tmp_path) == 1
    error = capsys.readouterr().err
    assert taken in error
    assert "--force" in error
    assert os.listdir(tmp_path) == [taken]
    assert (tmp_path / taken).read_bytes() == b"old"
    assert run("init", "tiny", "--out", tmp_path, "--force") == 0
    assert (tmp_path / taken).read_bytes() != b"old"


def test_info_of_a_text_says_that_it_is_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plan", "tiny", "--out", tmp_path / "p.json") == 0
    (tmp_path / "p.py").write_text("import fanfill as ff\n")
    capsys.readouterr()
    for name, kind in (("p.json", "JSON, as a plan is"), ("p.py", "a text, or of another format")):
        assert run("info", tmp_path / name) == 1
        expected = f"FILE: {tmp_path / name} is no safetensors file: it begins as {kind}"
        assert capsys.readouterr().err == f"fanfill: error: {expected}\n"


def test_info_names_the_file_it_can_not_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("info", tmp_path / "none") == 1
    assert (
        capsys.readouterr().err == f"fanfill: error: FILE: {tmp_path / 'none'}: No such file or directory\n"
    )
    (tmp_path / "m").write_bytes(b"short")
    assert run("info", tmp_path / "m") == 1
    assert f"{tmp_path / 'm'} is no safetensors file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "COMMAND"),
        ([""], "COMMAND"),
        (["int", "tiny", "--out", "x"], "unknown command 'int', did you mean 'init'? known: init, plan"),
        (["--seed", "3", "init", "tiny", "--out", "x"], "--seed: a command's options follow it, as in"),
        (["--json"], "--json: a command's options follow it"),
        (["init", "tiny"], "--out, e.g. `--out gpt2` for a folder"),
        (["init", "tiny", "--dry-run"], "--out, e.g. `--out gpt2` for a folder"),
        (["init", "tiny", "--out", ""], "--out: is empty"),
        (["plan", "tiny", "--out", ""], "--out: is empty"),
        (["plan", "tiny", "--threads", "0"], "fanfill plan: error: unrecognized arguments: --threads 0"),
        (["init", "tinny", "--out", "x"], "did you mean 'tiny'?"),
        (["plan", "TINY"], "did you mean 'tiny'?"),
        (["plan", "tiny", "--recipe", "MuP"], "did you mean 'mup"),
        (["plan", "tiny", "--recipe", "gpt3"], "unknown recipe 'gpt3', did you mean 'gpt2'?"),
        (["plan", "tiny", "--recipe", "llama3"], "--recipe: llama3 doesn't cover tiny; these do: gpt2"),
        (["plan", "tiny", "--dtype", "int8"], "--dtype"),
        (["plan", "tiny", "--force"], "--out"),
        (["info"], "FILE"),
        (["raw", "--layout", "none"], "--layout"),
        (["plan", "tiny", "--seed", "-1"], "--seed"),
        (["plan", "tiny", "--seed", str(2**64)], "--seed"),
        (["plan", "tiny", "--seed", "1.5"], "--seed"),
        (["init", "tiny", "--out", "x", "--threads", "0"], "--threads"),
        (["init", "tiny", "--out", "x", "--threads", "two"], "--threads"),
    ],
)
def test_wrong_usage_is_status_2_and_names_the_argument(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err.splitlines()[-1]
    assert captured.out == ""
    assert os.listdir(tmp_path) == []


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert run("init", "tiny", "--out", tmp_path / "file" / "m") == 1
    error = capsys.readouterr().err
    assert error.startswith("fanfill: error: --out: ")
    assert str(tmp_path / "file") in error
    assert error.count("\n") == 1


def test_folders_made_for_a_write_that_fails_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "pwrite", fail)
    assert run("init", "tiny", "--out", tmp_path / "a" / "b") == 1
    assert os.listdir(tmp_path) == []


def test_no_space_says_how_much_is_needed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1000})())
    assert run("init", "tiny", "--out", tmp_path / "m") == 1
    assert "has 1,000 free" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []
