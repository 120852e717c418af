"""Every example of a docstring runs; those of the packages for frameworks do in tests/frameworks.

It must not know what an example shows.
"""

from __future__ import annotations

import doctest
import importlib
import pkgutil
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
