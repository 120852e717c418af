"""The C++ tests pass, without a warning, in every build a preset or a second compiler makes.

It must not know what the C++ tests check.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = pytest.mark.system

BUILDS = {
    "dev": ("dev",),
    "release": ("release",),
    "clang": ("release", "-DCMAKE_CXX_COMPILER=clang++-19"),
    "asan": ("asan",),
    "aarch64": ("aarch64",),
}


@pytest.mark.parametrize("name", BUILDS)
def test_builds_without_warnings_and_passes_its_tests(name: str, cpp_build: Callable) -> None:
    assert "100% tests passed" in cpp_build(*BUILDS[name]).ctest()
