"""The pages of the documentation that need a framework, and the examples of the packages for frameworks.

It must not know what a page says.
"""

from __future__ import annotations

import doctest
import importlib
import os
import pkgutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import fanfill
from docs_page import FRAMEWORK_PACKAGES, PAGES, ROOT, needs, run_page

pytestmark = pytest.mark.framework

os.environ.setdefault("KERAS_BACKEND", "torch")
PAGES_WITH_NEEDS = [str(page.relative_to(ROOT)) for page in PAGES if needs(page)]
MODULES = [
    module.name
    for module in pkgutil.walk_packages(fanfill.__path__, "fanfill.", onerror=lambda name: None)
    if module.name.split(".")[1] in FRAMEWORK_PACKAGES
]


@pytest.mark.parametrize("name", PAGES_WITH_NEEDS)
def test_every_block_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    wanted = needs(ROOT / name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what frameworks say of themselves as they are imported
        for framework in wanted:
            importlib.import_module(framework)
    run_page(ROOT / name, wanted)


@pytest.mark.parametrize("name", [name for name in MODULES if not name.startswith("fanfill.keras")])
def test_examples_of_the_docstrings(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = importlib.import_module(name)
        # Frameworks warn of themselves; what is shown here is fanfill's examples.
        assert doctest.testmod(module, optionflags=doctest.ELLIPSIS).failed == 0


def test_examples_of_keras_on_its_jax_backend(tmp_path: Path) -> None:
    # The examples show shapes as tuples, which they are not on torch; the backend is chosen once a process.
    modules = [name for name in MODULES if name.startswith("fanfill.keras")]
    code = (
        "import doctest, importlib, sys\n"
        f"modules = [importlib.import_module(name) for name in {modules!r}]\n"
        "found = [doctest.testmod(module, optionflags=doctest.ELLIPSIS) for module in modules]\n"
        "sys.exit(any(each.failed for each in found) or not sum(each.attempted for each in found))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
