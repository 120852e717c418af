"""The bits are the same whatever flags, and whichever compiler, someone else builds the core with.

It must not know what the bits are.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = pytest.mark.system

# What users and distributors put into CXXFLAGS, the harmful ones too.
FLAGS = {
    "O0": ("-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS=-O0"),
    "native": ("-DCMAKE_CXX_FLAGS=-O3 -march=native",),
    "fast": ("-DCMAKE_CXX_FLAGS=-march=native -ffast-math -ffp-contract=fast",),
    "lto": ("-DCMAKE_CXX_FLAGS=-flto", "-DCMAKE_INTERPROCEDURAL_OPTIMIZATION=ON"),
    "clang": ("-DCMAKE_CXX_COMPILER=clang++-19",),
    "clang-fast": (
        "-DCMAKE_CXX_COMPILER=clang++-19",
        "-DCMAKE_CXX_FLAGS=-march=native -ffast-math -ffp-contract=fast",
    ),
}


@pytest.mark.parametrize("name", FLAGS)
def test_bits_survive_flags(name: str, cpp_build: Callable) -> None:
    expected = cpp_build("release").golden_bits()
    assert cpp_build("release", *FLAGS[name]).golden_bits() == expected


def test_hashes_tell_laws_and_dtypes_apart(cpp_build: Callable) -> None:
    for lines in cpp_build("release").golden_bits().values():
        hashes = [line.split()[2] for line in lines if "refused" not in line]
        assert len(hashes) > 60
        assert len(set(hashes)) == len(hashes)
