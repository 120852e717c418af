"""A figure of the documentation comes from a result file: without file, key or commit there is no page.

It must not know a figure.
"""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import pytest
from sphinx.errors import ExtensionError

pytestmark = pytest.mark.framework

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def result_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module that reads result files, looking for them in an empty folder."""
    monkeypatch.syspath_prepend(str(DOCS / "_ext"))
    module = importlib.import_module("result_file")
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    yield module
    sys.modules.pop("result_file")


def test_a_missing_file_stops_the_build(result_file: ModuleType) -> None:
    with pytest.raises(ExtensionError, match=r"results/speed\.json can't be read"):
        result_file.ResultFile.read("speed")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ({"inputs": 3}, "lacks 'commit'"),
        ({"commit": ""}, "names no commit"),
        ({"commit": None}, "names no commit"),
        ([], "must hold an object"),
    ],
)
def test_a_file_that_nobody_could_repeat_stops_the_build(
    result_file: ModuleType, content: Any, complaint: str
) -> None:
    (result_file.FOLDER / "speed.json").write_text(json.dumps(content))
    with pytest.raises(ExtensionError, match=complaint):
        result_file.ResultFile.read("speed")


def test_a_missing_key_stops_the_build(result_file: ModuleType) -> None:
    (result_file.FOLDER / "speed.json").write_text('{"commit": "0123456789abcdef", "machine": {}}')
    file = result_file.ResultFile.read("speed")
    assert file.commit == "0123456789"
    for key in ("inputs", "machine.cpu"):
        with pytest.raises(ExtensionError, match=f"lacks '{key}'"):
            file[key]


def test_the_site_isnt_built_without_a_result(tmp_path: Path) -> None:
    from sphinx.application import Sphinx

    (tmp_path / "index.md").write_text("# Page\n\n```{proof-table}\nno_such_result\n```\n")
    (tmp_path / "conf.py").write_text(
        f"import sys\nsys.path.insert(0, {str(DOCS / '_ext')!r})\n"
        "extensions = ['myst_parser', 'proof_tables']\n"
    )
    app = Sphinx(tmp_path, tmp_path, tmp_path / "out", tmp_path / "out", "html", status=None, freshenv=True)
    with pytest.raises(ExtensionError, match=r"no_such_result\.json can't be read"):
        app.build()


def test_a_tutorial_is_run_and_what_fails_stops_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(DOCS / "_ext"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Jupyter says of itself
        tutorials = importlib.import_module("tutorials")
        made = nbformat.v4
        cells = [
            made.new_markdown_cell("[a page](../../docs/names.md)"),
            made.new_code_cell("print('abc' * 99)"),
        ]
        nbformat.write(made.new_notebook(cells=cells), tmp_path / "fine.ipynb")
        for _ in range(2):
            tutorials._run(tmp_path / "fine.ipynb", tmp_path / "page.ipynb")
        page = nbformat.read(tmp_path / "page.ipynb", as_version=4)
        assert page.cells[0].source == "[a page](../names.md)"
        assert [each.text for each in page.cells[1].outputs] == ["abc" * 99 + "\n"]
        nbformat.write(made.new_notebook(cells=[made.new_code_cell("1 / 0")]), tmp_path / "wrong.ipynb")
        with pytest.raises(Exception, match="ZeroDivisionError"):
            tutorials._run(tmp_path / "wrong.ipynb", tmp_path / "never.ipynb")
    assert not (tmp_path / "never.ipynb").exists()
