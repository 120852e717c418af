"""Every code block of the documentation runs; what only frameworks can run is in tests/frameworks.

It must not know what a page says.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import median

import pytest

from docs_page import LANGUAGES, PAGES, ROOT, blocks, commands, run_page

NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
# The docs build runs these, and an exception stops it.
TUTORIALS = sorted((ROOT / "examples" / "tutorials").glob("*.ipynb"))
# Figures that somebody measured: they come from result files, by a directive.
MEASURED = re.compile(r"\d\s?(?:×|x as fast|times as fast|[GM]B/s|[mµn]s\b)")


def test_the_list_found_the_pages() -> None:
    assert {"docs/index.md", "docs/how-to/shard.md", "docs/migration.md"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_block_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_page(ROOT / name, frozenset())


@pytest.mark.parametrize("name", NAMES)
def test_every_block_says_what_it_is(name: str) -> None:
    assert {block.language for block in blocks(ROOT / name)} <= LANGUAGES


@pytest.mark.parametrize("name", NAMES)
def test_no_measured_figure_is_written_by_hand(name: str) -> None:
    text = re.sub(r"```.*?```", "", (ROOT / name).read_text(encoding="utf-8"), flags=re.DOTALL)
    assert not MEASURED.findall(text)


def test_what_the_page_on_training_says_holds_in_its_results() -> None:
    results = {
        name: json.loads((ROOT / f"docs/results/{name}.json").read_text(encoding="utf-8"))["runs"]
        for name in ("first_steps", "he_depth")
    }
    steps: dict[int, dict[str, list[float]]] = {}
    for step in (0, 10, 30, 300):
        runs = [run for run in results["first_steps"] if run["step"] == step]
        assert [run["seed"] for run in runs] == [0, 1, 2]
        steps[step] = {
            name: [median(values) for values in zip(*(run[name] for run in runs), strict=True)]
            for name in ("pre_activation", "correlation", "weight_gradient")
        }
    # "lose three quarters", "several times", "towards 1, comes down", "ten at most", "a ten-thousandth"
    variance = {step: found["pre_activation"][-1] for step, found in steps.items()}
    assert 0.2 < variance[10] / 2.0 < 0.3
    assert variance[30] / 2.0 > 4.0
    assert steps[0]["correlation"][-1] > 0.8 > 0.55 > steps[300]["correlation"][-1]
    slopes = {step: found["weight_gradient"] for step, found in steps.items()}
    assert all(max(each) / min(each) < 10.5 for each in slopes.values())
    assert all(before / after > 1e4 for before, after in zip(slopes[0], slopes[300], strict=True))

    left = {}  # at which epoch a run has left chance, 2.303
    for run in results["he_depth"]:
        below = [epoch for epoch, loss in enumerate(run["losses"]) if loss < 2.2]
        left.setdefault((run["rule"], run["depth"]), []).append(below[0] if below else None)
        if run["rule"] == "He":  # "learn the digits in a few epochs"
            assert run["losses"][13] < 0.1
            assert run["accuracy"] > 0.96
    assert left["He", 22] == left["He", 30] == [1, 1, 1]
    assert all(20 <= epoch <= 26 for epoch in left["Glorot", 22])
    assert sum(epoch is None for epoch in left["Glorot", 30]) == 2
    assert min(epoch for epoch in left["Glorot", 30] if epoch is not None) < 30


def test_there_is_a_notebook_for_each_tutorial_and_a_page_for_each_notebook() -> None:
    listed = re.findall(
        r"^tutorials/(\w+)$", (ROOT / "docs/index.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert listed == ["numpy", "torch", "sharded", "jax", "checkpoint"]
    assert [page.stem for page in TUTORIALS] == sorted(listed)


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_a_tutorial_holds_no_outputs_and_no_measured_figure(page: Path) -> None:
    cells = json.loads(page.read_text(encoding="utf-8"))["cells"]
    for cell in cells:
        text = "".join(cell["source"])
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None), text
        else:
            assert not MEASURED.findall(text)
            links = re.findall(r"\]\(([^)#]+)", text)
            assert all((page.parent / link).exists() for link in links), links
    assert "".join(cells[0]["source"]).startswith("# ")
    assert any("".join(cell["source"]).startswith("## Pitfalls") for cell in cells)


def test_what_is_installed_or_run_by_a_shell_exists() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    listed = re.search(r"^\[project\.optional-dependencies\]\n(.*?)^\[", project, re.DOTALL | re.MULTILINE)
    assert listed
    extras = set(re.findall(r"^(\w+) = \[", listed[1], re.MULTILINE))
    sessions = set(re.findall(r"@nox\.session\ndef (\w+)", (ROOT / "noxfile.py").read_text(encoding="utf-8")))
    lines = [
        line
        for page in PAGES
        for block in blocks(page)
        if block.language == "sh"
        for line in block.code.splitlines()
    ]
    assert lines
    for line in lines:
        install = re.fullmatch(r'pip install (?:-e )?"?\.(?:\[([\w,]+)\])?"?(?: && .*)?', line)
        nox = re.fullmatch(r"nox -s (\w+)(?: -- .*)?", line)
        assert install or nox or line.startswith(("git clone ", "cd ", "apt-get install ")), line
        if install:
            assert set(filter(None, (install[1] or "").split(","))) <= extras, line
        if nox:
            assert nox[1] in sessions, line


def test_the_versions_that_the_page_on_installing_asks_for_are_the_projects() -> None:
    page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    named = dict(re.findall(r"\b(\w+)>=([\d.]*\d)", page))
    assert named.keys() == {"torch", "jax", "keras"}
    for library, version in named.items():
        assert f'{library} = ["{library}>={version}"]' in project
    python, numpy = re.findall(r"\b(?:Python|NumPy) (\d+\.\d+) or newer", page)
    assert f'requires-python = ">={python}"' in project
    assert f'dependencies = ["numpy>={numpy}"]' in project


def test_a_console_is_cut_into_commands() -> None:
    found = commands("$ one \\\n  two\nfirst\nsecond\n$ three\n$ four\nlast\n")
    assert [(each.line, each.output) for each in found] == [
        ("one   two", "first\nsecond\n"),
        ("three", ""),
        ("four", "last\n"),
    ]


def test_a_wrong_output_a_hidden_failure_and_an_exception_are_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("docs_page.ROOT", tmp_path)
    page = tmp_path / "page.md"
    for code in (
        "```python\n>>> 1 + 1\n3\n```\n",
        "```python\nassert False\n```\n",
        "```console\n$ echo one\ntwo\n```\n",
        "```console\n$ false\n```\n",
        "```console\n$ fanfill plan no-such-model\n...\n```\n",
        "<!-- exit: 2 -->\n```console\n$ fanfill models\n...\n```\n",
    ):
        page.write_text(code)
        with pytest.raises(AssertionError):
            run_page(page, frozenset())
    runs = "```python\nx = 2\n```\n\n```python\n>>> x + 1\n3\n```\n"
    page.write_text(f"{runs}<!-- needs: torch -->\n```python\n1 / 0\n```\n")
    assert run_page(page, frozenset()) == 2
