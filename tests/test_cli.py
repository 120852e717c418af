"""Knows the command line's words, exit statuses and files; it must not know how a value is drawn."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fanfill as ff
from fanfill import models, random, recipes
from fanfill.cli import main
from fanfill.model import Model, Parameter
from fanfill.progress import Progress
from tiny_model import TINY


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(models._MODELS, "tiny", lambda: TINY)


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def test_init_writes_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("init", "tiny", "--out", tmp_path / "new" / "m") == 0
    assert sorted(os.listdir(tmp_path / "new" / "m")) == ["config.json", "model.safetensors"]
    assert json.loads((tmp_path / "new" / "m" / "config.json").read_text()) == {
        "model_type": "gpt2",
        "torch_dtype": "float32",
    }
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "tiny, recipe gpt2, float32, seed 0"
    assert lines[-1].startswith("616 parameters in 3 tensors, ")
    assert lines[-1].endswith(" GB/s")


def test_init_writes_one_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("init", "tiny", "--out", tmp_path / "m.safetensors") == 0
    assert os.listdir(tmp_path) == ["m.safetensors"]
    assert capsys.readouterr().err == ""  # stderr is no terminal: no progress


def test_seed_dtype_and_recipe_reach_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "m.safetensors"
    options = (
        "--seed",
        2**64 - 1,
        "--dtype",
        "bfloat16",
        "--recipe",
        "gpt2-released",
        "--threads",
        1,
        "--json",
    )
    assert run("init", "tiny", "--out", path, *options) == 0
    report = json.loads(capsys.readouterr().out)
    plan = recipes.find("gpt2-released").plan(TINY, seed=2**64 - 1, dtype="bfloat16")
    assert report["seed"] == 2**64 - 1
    assert report["plan_hash"] == plan.hash
    assert report["parameters"] == plan.numel == 616
    assert report["files"] == [{"path": str(path), "bytes": path.stat().st_size}]
    assert report["seconds"] > 0.0
    content = path.read_bytes()
    assert content.endswith(bytes(plan["h.0.attn.c_attn.bias"].nbytes))
    assert plan.hash.encode() in content


def test_threads_do_not_change_the_file(tmp_path: Path) -> None:
    for threads in (1, 3):
        assert run("init", "tiny", "--out", tmp_path / f"{threads}.safetensors", "--threads", threads) == 0
    assert (tmp_path / "1.safetensors").read_bytes() == (tmp_path / "3.safetensors").read_bytes()


def test_dry_run_says_what_init_then_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ("init", "tiny", "--out", tmp_path / "m", "--json")
    assert run(*out, "--dry-run") == 0
    assert os.listdir(tmp_path) == []
    announced = json.loads(capsys.readouterr().out)
    assert run(*out) == 0
    done = json.loads(capsys.readouterr().out)
    assert announced["files"] == done["files"]
    assert {file["path"]: file["bytes"] for file in done["files"]} == {
        str(path): path.stat().st_size for path in (tmp_path / "m").iterdir()
    }
    assert run("init", "tiny", "--out", tmp_path / "n", "--dry-run") == 0
    assert "would write" in capsys.readouterr().out


def test_plan_prints_the_table_or_the_json(capsys: pytest.CaptureFixture[str]) -> None:
    plan = recipes.find("gpt2").plan(TINY, seed=5)
    assert run("plan", "tiny", "--seed", 5) == 0
    assert capsys.readouterr().out == plan.table() + "\n"
    assert run("plan", "tiny", "--seed", 5, "--json") == 0
    assert ff.Plan.from_json(capsys.readouterr().out) == plan


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_plan_saves_what_it_would_print(
    options: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("plan", "tiny", *options) == 0
    printed = capsys.readouterr().out
    assert run("plan", "tiny", *options, "--out", tmp_path / "p") == 0
    assert capsys.readouterr().out == ""
    assert (tmp_path / "p").read_text() == printed
    (tmp_path / "p").write_text("old")
    assert run("plan", "tiny", *options, "--out", tmp_path / "p") == 1
    assert "--force" in capsys.readouterr().err
    assert (tmp_path / "p").read_text() == "old"
    assert run("plan", "tiny", *options, "--out", tmp_path / "p", "--force") == 0
    assert (tmp_path / "p").read_text() == printed
    assert os.listdir(tmp_path) == ["p"]


def test_plan_saves_json_under_a_name_that_ends_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "p.json"
    assert run("plan", "tiny", "--out", path) == 0
    assert ff.Plan.from_json(path.read_text()) == recipes.find("gpt2").plan(TINY, seed=0)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"saved {path}, {path.stat().st_size:,} bytes\n"


def test_info_of_a_folder_is_that_of_its_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("init", "tiny", "--out", tmp_path / "m", "--json") == 0
    capsys.readouterr()
    for path in (tmp_path / "m", tmp_path / "m" / "model.safetensors"):
        assert run("info", path, "--json") == 0
        report = json.loads(capsys.readouterr().out)
        assert report["path"] == str(path)
        assert report["tensors"] == 3
    assert run("info", tmp_path) == 1
    assert f"{tmp_path} has no model.safetensors, no" in capsys.readouterr().err


def test_info_shows_what_init_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "m.safetensors"
    assert run("init", "tiny", "--out", path, "--seed", 12345, "--dtype", "bfloat16", "--json") == 0
    made = json.loads(capsys.readouterr().out)
    assert run("info", path, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report == {
        "path": str(path),
        "model": "tiny",
        "recipe": "gpt2",
        "seed": 12345,
        "contract_version": 1,
        "plan_hash": made["plan_hash"],
        "float8_scales": None,
        "parameters": 616,
        "buffer_elements": None,
        "tensors": 3,
        "files": 1,
        "missing_files": None,
        "dtypes": {"BF16": {"tensors": 3, "elements": 616}},
        "data_bytes": 1232,
        "file_bytes": path.stat().st_size,
        "plan": "fanfill plan tiny --recipe gpt2 --seed 12345 --dtype bfloat16",
        "kinds": [
            {**spec.to_dict(), "tensors": 1, "fan_in": spec.fan_in}
            for spec in recipes.find("gpt2").plan(TINY, seed=12345, dtype="bfloat16")
        ],
    }
    assert run(*report["plan"].split()[1:], "--json") == 0
    assert ff.Plan.from_json(capsys.readouterr().out).hash == made["plan_hash"]
    assert run("info", path) == 0
    lines = capsys.readouterr().out.splitlines()
    assert ["seed", "12345"] in [line.split() for line in lines]
    assert ["plan", "hash", made["plan_hash"]] in [line.split() for line in lines]
    assert "BF16              3 tensors, 616 elements" in lines


def test_info_counts_buffers_and_counters_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = [
        Parameter("wte.weight", (5, 8)),
        Parameter("h.0.ln_1.weight", (8,), buffer=True),
    ]
    model = Model("tiny", listed, depth=1, recipe="gpt2", counters=("n.num_batches_tracked",))
    monkeypatch.setitem(models._MODELS, "tiny", lambda: model)
    assert run("init", "tiny", "--out", tmp_path / "m.safetensors") == 0
    assert "8 elements of buffers and 40 parameters in 2 tensors" in capsys.readouterr().out
    assert run("info", tmp_path / "m.safetensors", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["parameters"], report["buffer_elements"], report["tensors"]) == (40, 8, 3)
    assert report["dtypes"] == {
        "I64": {"tensors": 1, "elements": 1},
        "F32": {"tensors": 2, "elements": 48},
    }


@pytest.mark.parametrize(
    "change",
    [
        {"model": "unknown"},
        {"recipe": "torch-default"},  # it gives other bits than the file has
        {"seed": 3},
        {"seed": 2**64},
        {"contract_version": 2},
        {"plan_hash": "0" * 64},
    ],
)
def test_info_names_no_plan_but_that_of_the_file(
    change: dict[str, object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = {
        "contract_version": 1,
        "seed": 0,
        "model": "tiny",
        "recipe": "gpt2-released",
        "plan_hash": recipes.find("gpt2-released").plan(TINY, seed=0).hash,
    }
    for members, known in ((own, True), ({**own, **change}, False)):
        entries: dict[str, Any] = {"w": {"dtype": "F32", "shape": [], "data_offsets": [0, 4]}}
        entries["__metadata__"] = {f"fanfill.{key}": str(value) for key, value in members.items()}
        text = json.dumps(entries).encode()
        (tmp_path / "m").write_bytes(len(text).to_bytes(8, "little") + text + bytes(4))
        assert run("info", tmp_path / "m", "--json") == 0
        assert (json.loads(capsys.readouterr().out)["plan"] is not None) == known


def test_info_of_a_file_of_others_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = b'{"w":{"dtype":"F4","shape":[3,2],"data_offsets":[0,3]}}'
    (tmp_path / "m").write_bytes(len(text).to_bytes(8, "little") + text + bytes(3))
    assert run("info", tmp_path / "m") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{tmp_path / 'm'} wasn't written by fanfill"
    assert not any(line.startswith(("seed", "model")) for line in lines)


def test_raw_writes_the_words_of_the_stream() -> None:
    command = [sys.executable, "-m", "fanfill", "raw", "--seed", "3", "--key", "w", "--count", "5"]
    done = subprocess.run(command, capture_output=True, check=True)
    words = np.frombuffer(done.stdout, "<u4")
    np.testing.assert_array_equal(words, random.words(3, "w", 0, 5))


def test_models_lists_them_with_their_recipes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("models") == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert set(lines) == set(models.names())
    assert "124,439,808 parameters" in lines["gpt2"]
    assert "gpt2 (default), torch-default, hf-default, gpt2-released" in lines["gpt2"]
    assert "llama3 (default), torch-default, hf-default" in lines["llama-3-8b"]


def test_recipes_lists_them_with_their_citations(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("recipes") == 0
    out = capsys.readouterr().out
    for name in recipes.names():
        assert name in out
        assert recipes.find(name).citation in out


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert "contract version 1" in capsys.readouterr().out
    for command in ([], ["init"], ["plan"], ["info"], ["models"], ["recipes"], ["raw"]):
        assert run(*command, "--help") == 0
        shown = capsys.readouterr().out
        assert "usage: fanfill" in shown
        assert ("missing folders are made" in " ".join(shown.split())) == (command == ["init"])


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interrupt_leaves_nothing(name: str, tmp_path: Path) -> None:
    code = f"""
import os, signal, sys
from fanfill import cli, progress
progress.Progress.__call__ = lambda *_: os.kill(os.getpid(), signal.{name})
sys.exit(cli.main(["init", "gpt2", "--out", {str(tmp_path / "m")!r}]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "fanfill: error: interrupted; no file was written or replaced\n"
    assert os.listdir(tmp_path) == []


def test_a_reader_that_leaves_is_no_traceback() -> None:
    command = f"{sys.executable} -m fanfill plan llama-3-8b | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("name")
    assert done.stderr == ""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_drawn_on_a_terminal_and_wiped() -> None:
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        with Progress("tiny", stream) as progress:
            progress(50, 100)
            progress(100, 100)
    assert "50%" in terminal.getvalue()
    assert "100%" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")
    assert pipe.getvalue() == ""


def test_progress_keeps_to_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    terminal.fileno = lambda: 1  # type: ignore[method-assign]
    monkeypatch.setattr(os, "get_terminal_size", lambda descriptor: os.terminal_size((30, 24)))
    with Progress("a-model-of-a-long-name", terminal) as progress:
        progress(50, 100)
    drawn = terminal.getvalue().split("\r")[1].removesuffix("\x1b[K")
    assert len(drawn) < 30
    assert drawn.startswith("a-model-of-a-long-name  50%")


def test_a_name_that_is_no_text_is_printed_all_the_same(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/caf\xe9\x1b[2J.safetensors"
    command = [sys.executable, "-m", "fanfill", "init", "gpt2", "--dry-run", "--out", name]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONUTF8": "1"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "caf\\udce9\\x1b[2J.safetensors" in done.stdout
