"""`fanfill bench` measures, writes, draws and refuses; the libraries beside NumPy are in tests/frameworks.

It must not know what any speed ought to be.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fanfill as ff
from fanfill import _core, cli
from fanfill.benchmark import form, rivals, run, tasks
from fanfill.benchmark.comparison import compare
from fanfill.benchmark.fill import Entry, Fill
from fanfill.benchmark.law_check import check_law, moments
from fanfill.benchmark.tasks import Scale
from fanfill.benchmark.worker import Worker
from fanfill.benchmark.workload import DTYPES, LAWS, Workload

SMALL = Scale(size=1 << 18, most=1 << 18, threads=2)
PLAIN = ("fanfill", "memset", "numpy")
QUICK = ("--size", "64KiB", "--seconds", "0", "--rival", "memset", "numpy")


@pytest.fixture(autouse=True)
def own_isa() -> Iterator[None]:
    """A worker chooses instruction sets, and tests share the process."""
    yield
    _core.choose_isa(None)


def worked(task: str, rival: str) -> dict[str, list[Any]]:
    """What a worker tells of one task against one rival, in this process."""
    told: dict[str, list[Any]] = {}
    Worker(task, rival, 0.0, SMALL, lambda kind, content: told.setdefault(kind, []).append(content)).run()
    return told


@pytest.mark.parametrize(
    ("task", "rival"),
    [(task, rival) for task in tasks.TASKS for rival in PLAIN if rival in tasks.load(task).RIVALS],
)
def test_every_task_runs_against_every_plain_rival(task: str, rival: str) -> None:
    told = worked(task, rival)
    # Without ml_dtypes NumPy has no such arrays, and that is told.
    names = [name for failed in told.get("failed", []) for name in failed]
    assert all("bfloat16" in name or "float8" in name for name in names), told["failed"]
    assert "refused" not in told
    assert "absent" not in told
    for one in told["comparison"]:
        assert one["low"] <= one["ratio"] <= one["high"]
        assert one["rounds"] >= tasks.load(task).ROUNDS
        assert one["left"]["rival"] == "fanfill"
        assert one["right"]["rival"] == rival
        assert one["clock"] == ("cpu" if tasks.load(task).ONE_CPU else "wall")
        assert json.loads(json.dumps(one)) == one


def test_every_name_is_a_module_and_is_asked_for() -> None:
    for name in tasks.TASKS:
        task = tasks.load(name)
        assert task.SUMMARY
        assert set(task.RIVALS) <= set(rivals.RIVALS)
        for rival in task.RIVALS:
            found = list(task.matches(rival, SMALL))
            assert found, (name, rival)
            for match in found:
                for work in (match.left, match.right):
                    assert 0 < work.count * DTYPES[work.dtype] == work.size <= SMALL.most
                    assert form.memory_bytes(work) <= SMALL.most
    assert {rival for name in tasks.TASKS for rival in tasks.load(name).RIVALS} == set(rivals.RIVALS)


def test_a_ratio_is_that_of_the_times() -> None:
    clock = [0.0]

    def of(seconds: float) -> Fill:
        def run(repeat: int) -> None:
            total = 0
            for _ in range(repeat * round(seconds * 1e6)):
                total += 1
            clock[0] += total

        return Fill(run, lambda: None)

    quick, slow = Workload("normal", "float32", 4000), Workload("normal", "float32", 8000)
    one = compare((Entry("a", "", quick), of(0.01)), (Entry("b", "", slow), of(0.04)), "values", 0.0, 9)
    assert 1.4 < one.ratio < 2.8  # four times the time for twice the values
    assert one.rounds == 9
    assert one.left.low_s <= one.left.median_s <= one.left.high_s


@pytest.mark.parametrize("law", [law for law in LAWS if law != "words"])
def test_the_check_passes_the_law_and_refuses_others(law: str) -> None:
    work = Workload(law, "float64", 8 << 17)
    fanfill: Any = rivals.load("fanfill")
    values = ff.fill_(np.empty(work.count), fanfill.law_of(work), seed=3, key=0)
    check_law(work, values)
    mean, variance = moments(law)
    assert abs(values.mean() - mean) < 0.02
    for wrong in (values + 0.05 * variance**0.5, mean + 1.05 * (values - mean), np.full_like(values, mean)):
        with pytest.raises(ValueError, match=law):
            check_law(work, wrong)


def test_a_rival_that_draws_another_law_is_refused_and_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    numpy_rival: Any = rivals.load("numpy")
    monkeypatch.setattr(
        numpy_rival,
        "prepare",
        lambda way, work, arrays: Fill(lambda repeat: None, lambda: form.sample(arrays)),
    )
    told = worked("small", "numpy")
    assert "comparison" not in told
    assert all("not finite" in why for refused in told["refused"] for why in refused.values())


def test_a_rival_that_is_absent_or_raises_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rivals.RIVALS, "numpy", ("no_such_module", {}))
    told = worked("small", "numpy")
    assert "no_such_module" in told["absent"][0]["numpy"]
    assert "comparison" not in told
    monkeypatch.undo()

    def fail(*_: Any) -> None:
        raise ZeroDivisionError("broken")

    monkeypatch.setattr(rivals.load("numpy"), "prepare", fail)
    told = worked("small", "numpy")
    assert all(why == "ZeroDivisionError: broken" for failed in told["failed"] for why in failed.values())


def test_the_command_measures_writes_and_compares(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["bench", *QUICK, "--task", "small", "words", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert {one["task"] for one in report["comparisons"]} == {"small", "words"}
    assert report["machine"]["memset_bytes_per_s"] > 0
    assert {"cpu", "isa", "threads", "pages"} <= report["machine"].keys()
    assert {"fanfill", "numpy"} <= report["versions"].keys()
    earlier = tmp_path / "old.json"
    for one in report["comparisons"]:
        one.update(ratio=one["ratio"] * 1e6, low=one["ratio"] * 1e6, high=one["ratio"] * 1e6)
    earlier.write_text(json.dumps(report))
    assert cli.main(["bench", *QUICK, "--task", "small", "--compare", str(earlier)]) == 1
    printed = capsys.readouterr().out
    assert "slower than before, beyond the spread" in printed
    assert "one tensor of 1,000 values" in printed
    assert "CPU: " in printed


def test_the_list_names_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["bench", "--list"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in (*tasks.TASKS, *rivals.RIVALS))


def test_it_imports_no_framework_for_its_help() -> None:
    code = (
        "import sys; from fanfill.cli import main; main(['bench', '--list']);"
        "print([name for name in ('torch', 'jax', 'matplotlib', 'keras') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_worker_that_dies_is_told_and_the_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    died = [sys.executable, "-c", "import os, sys; sys.stderr.write('cannot go on\\n'); os._exit(9)"]
    popen = subprocess.Popen
    monkeypatch.setattr(run.subprocess, "Popen", lambda command, **options: popen(died, **options))
    shown: list[str] = []
    found = run.Run(["small", "words"], ["numpy"], 0.0, SMALL, None).results_of_all(
        lambda done, total, what: shown.append(what)
    )
    assert found.failed == {
        "small: numpy": "exit status 9: cannot go on",
        "words: numpy": "exit status 9: cannot go on",
    }
    assert shown == ["small: numpy", "words: numpy", ""]
