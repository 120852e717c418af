"""No public name or signature changes unannounced.

It must not know the names: tests/golden/public_api.txt has them.
"""

from __future__ import annotations

import difflib
import inspect
import sys

import pytest

import public_api


@pytest.mark.skipif(sys.version_info < (3, 11), reason="signatures are printed as Python 3.11 and later do")
def test_the_public_interface_is_the_one_written_down() -> None:
    written = public_api.FILE.read_text(encoding="utf-8").splitlines()
    change = list(
        difflib.unified_diff(written, public_api.lines(), "written down", "found", lineterm="", n=0)
    )
    assert not change, "\n".join(
        [*change, "", "If this was meant: a line in CHANGELOG.md, then `python tests/public_api.py`."]
    )


def test_every_public_name_is_documented() -> None:
    public = [getattr(module, name) for module in public_api.modules() for name in module.__all__]
    described = [value for value in public if inspect.isroutine(value) or inspect.isclass(value)]
    assert [value for value in described if not (value.__doc__ or "").strip()] == []
