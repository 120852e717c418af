"""No public name or signature changes unannounced.

It must not know the names: tests/golden/public_api.txt has them, and public_api_frameworks.txt those that
need torch, JAX and Keras.
"""

from __future__ import annotations

import inspect
import sys

import pytest

import public_api

FILES = [
    pytest.param("public_api.txt", id="plain"),
    pytest.param("public_api_frameworks.txt", id="frameworks", marks=pytest.mark.framework),
]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="signatures are printed as Python 3.11 and later do")
@pytest.mark.parametrize("file", FILES)
def test_the_public_interface_is_the_one_written_down(file: str) -> None:
    change = public_api.change(file)
    assert not change, change


@pytest.mark.parametrize("file", FILES)
def test_every_public_name_is_documented(file: str) -> None:
    modules = public_api.imported(public_api.FILES[file])
    public = [getattr(module, name) for module in modules for name in module.__all__]
    described = [value for value in public if inspect.isroutine(value) or inspect.isclass(value)]
    assert [value for value in described if not (value.__doc__ or "").strip()] == []
