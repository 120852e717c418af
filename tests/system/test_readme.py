"""The README's code is the example's code, the examples run, and every page that is linked to exists.

It must not know what the example shows.
"""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Those that need neither a framework nor a launcher; tests/frameworks has the others.
EXAMPLES = [ROOT / "examples" / name for name in ("ctypes_fill.py", "he_weights.py")]


def test_the_readme_shows_the_example() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    assert (ROOT / "examples/he_weights.py").read_text(encoding="utf-8").endswith(f'"""\n\n{shown}')


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example_runs(path: Path) -> None:
    runpy.run_path(str(path), run_name="__main__")


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")), ids=lambda path: path.name)
def test_linked_pages_exist(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
