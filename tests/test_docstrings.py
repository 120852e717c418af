"""Every example of a docstring runs; those of the packages for frameworks do in tests/frameworks.

It must not know what an example shows.
"""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import fanfill
from docs_page import FRAMEWORK_PACKAGES

MODULES = [
    module.name
    for module in pkgutil.walk_packages(fanfill.__path__, "fanfill.")
    if not module.name.split(".")[1].startswith("_")
    and module.name.split(".")[1] not in FRAMEWORK_PACKAGES
    and not module.name.startswith("fanfill.benchmark.rivals.")  # each imports its library
]


@pytest.mark.parametrize("name", ["fanfill", *MODULES])
def test_examples_of_the_docstrings(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS).failed == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    assert (
        sum(bool(test.examples) for name in MODULES for test in finder.find(importlib.import_module(name)))
        > 50
    )


def sections(text: str) -> dict[str, list[str]]:
    """Return the lines of a numpydoc text under their headings; those before the first under ""."""
    found: dict[str, list[str]] = {}
    heading = ""
    lines = inspect.cleandoc(text).splitlines()
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if re.fullmatch("-{3,}", below):
            heading = line
        elif not re.fullmatch("-{3,}", line):
            found.setdefault(heading, []).append(line)
    return found


def documented(text: str) -> list[str]:
    """Return the names that the section on parameters describes."""
    lines = sections(text).get("Parameters", [])
    heads = [line.partition(" : ")[0] for line in lines if line and not line.startswith(" ")]
    return [name for head in heads for name in re.findall(r"\w+", head)]


FUNCTIONS = [name for name in fanfill.__all__ if inspect.isfunction(getattr(fanfill, name))]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_parameter_of_a_public_function_is_described(name: str) -> None:
    function = getattr(fanfill, name)
    text = function.__doc__
    assert sorted(documented(text)) == sorted(inspect.signature(function).parameters)
    assert "Examples" in sections(text)
    assert "Raises" in sections(text) or not documented(text)
