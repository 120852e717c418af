"""What `fanfill bench` refuses before anything runs; and which changes between two runs are regressions.

It must not know how a figure is taken.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fanfill import cli
from fanfill.benchmark import tasks
from fanfill.benchmark.regression import changes, changes_text, read_report
from fanfill.benchmark.rivals import RIVALS
from fanfill.benchmark.run import Run
from fanfill.commands import bench


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise AssertionError("a refusal must come first")

    monkeypatch.setattr(Run, "results_of_all", fail)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--task", "lwas"], 2, "invalid choice: 'lwas'"),
        (["--rival", "nunpy"], 2, "invalid choice: 'nunpy'"),
        (["--task", "small", "--rival", "keras-jax"], 2, "keras-jax: small asks numpy, torch"),
        (["--task", "isa", "--task", "words", "--rival", "timm"], 2, "isa asks memset; words asks numpy"),
        (["--size", "12 parsecs"], 2, "must be a number of bytes"),
        (["--size", "100"], 2, "--size: 100 bytes are below 4,096"),
        (["--size", "900TB"], 1, "--size: 900,000,000,000,000 bytes need some"),
        (["--seconds", "-1"], 2, "isn't in 0 ... 3600"),
        (["--seconds", "nan"], 2, "isn't in 0 ... 3600"),
        (["--seconds", "soon"], 2, "isn't a number"),
        (["--out", ""], 2, "is empty"),
        (["--compare", "no-such.json"], 1, "--compare: no-such.json: No such file"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_first(
    arguments: list[str], status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["bench", *arguments]) == status
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""


def test_a_rival_that_no_task_asks_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "measure", lambda arguments: {})
    monkeypatch.setattr(bench, "finish", lambda *_: 0)
    assert cli.main(["bench", "--task", "isa", "--rival", "numpy", "memset"]) == 0
    assert capsys.readouterr().err == "fanfill: --rival: no task asks numpy: isa asks memset\n"
    assert cli.main(["bench", "--task", "isa", "laws", "--rival", "numpy", "memset"]) == 0
    assert cli.main(["bench", "--task", "isa"]) == 0
    assert capsys.readouterr().err == ""


def test_options_that_are_given_again_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(bench, "checked", lambda arguments: seen.append(arguments))
    monkeypatch.setattr(bench, "measure", lambda arguments: {})
    monkeypatch.setattr(bench, "finish", lambda *_: 0)
    again = ["--task", "laws", "--rival", "numpy", "--task", "isa", "laws", "--rival", "memset", "numpy"]
    assert cli.main(["bench", *again]) == cli.main(["bench"]) == 0
    assert (seen[0].task, seen[0].rival) == (["laws", "isa"], ["numpy", "memset"])
    assert (seen[1].task, seen[1].rival) == (list(tasks.TASKS), list(RIVALS))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"comparisons": []}', '{"comparisons": [{}]}', "no JSON"])
def test_what_is_no_report_is_refused(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "old.json"
    file.write_text(text)
    assert cli.main(["bench", "--compare", str(file)]) == 1
    assert f"--compare: {file} is no report of `fanfill bench`" in capsys.readouterr().err


def test_an_output_that_cannot_be_written_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "_require_matplotlib", lambda: None)
    (tmp_path / "file").write_text("")
    assert cli.main(["bench", "--out", str(tmp_path / "file")]) == 1
    assert f"--out: {tmp_path / 'file'}: is no folder" in capsys.readouterr().err
    assert cli.main(["bench", "--out", str(tmp_path / "file" / "folder")]) == 1
    assert "Not a directory" in capsys.readouterr().err
    (tmp_path / "folder").mkdir()
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    assert cli.main(["bench", "--out", str(tmp_path / "folder")]) == 1
    assert f"--out: {tmp_path / 'folder'}: can't be written" in capsys.readouterr().err


def side(rival: str, way: str) -> dict[str, Any]:
    return {
        "rival": rival, "way": way, "law": "normal", "dtype": "float32", "size": 4000, "memory": "warm",
        "threads": 1, "form": "flat",
    }  # fmt: skip


def one(way: str, ratio: float, spread: float) -> dict[str, Any]:
    return {
        "task": "laws", "quantity": "values", "left": side("fanfill", "avx2"), "right": side("numpy", way),
        "ratio": ratio, "low": ratio - spread / 2, "high": ratio + spread / 2,
    }  # fmt: skip


def report(*comparisons: dict[str, Any]) -> dict[str, Any]:
    return {"comparisons": list(comparisons), "machine": {"cpu": "one"}}


def test_a_change_counts_beyond_both_spreads_and_three_percent() -> None:
    old = report(
        one("a", 2.0, 0.2), one("b", 2.0, 0.2), one("c", 2.0, 0.0), one("d", 2.0, 0.0), one("x", 1.0, 0.0)
    )
    new = report(
        one("a", 1.7, 0.2), one("b", 1.5, 0.2), one("c", 1.95, 0.0), one("d", 2.1, 0.0), one("y", 1.0, 0.0)
    )
    found = changes(old, new)
    assert [each.is_regression for each in found] == [False, True, False, False]
    assert [each.is_improvement for each in found] == [False, False, False, True]
    text = changes_text(old, new, found)
    assert text.startswith("4 comparisons are in both runs, of 5 and 5")
    assert "numpy b" in text.partition("faster than before")[0]
    assert "numpy d" in text.partition("faster than before")[2]
    assert "no regression" in changes_text(old, old, changes(old, old))


def test_another_machine_is_said() -> None:
    other = {**report(one("a", 1.0, 0.0)), "machine": {"cpu": "two"}}
    assert "another CPU (one), this one on two" in changes_text(report(one("a", 1.0, 0.0)), other, [])


def test_a_written_report_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "speed.json"
    file.write_text(json.dumps(report(one("a", 2.0, 0.1))))
    assert read_report(file) == report(one("a", 2.0, 0.1))


def test_an_unknown_instruction_set_is_refused(tmp_path: Path) -> None:
    environment = {**os.environ, "FANFILL_ISA": "bogus"}
    command = [sys.executable, "-m", "fanfill", "bench", "--out", str(tmp_path / "new")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 2
    assert "FANFILL_ISA: 'bogus' is no instruction set here" in done.stderr
    assert not (tmp_path / "new").exists()
