"""What each instruction set's object file gives to and takes from the rest of the program, as nm sees it.

It must not know what the kernels compute.
"""

from __future__ import annotations

import platform
from collections.abc import Callable

import pytest

pytestmark = pytest.mark.system

# All of libm that the contract allows, and what a compiler may call on its own account.
ALLOWED_IMPORTS = {"fma", "fmaf", "memcpy", "memset", "memmove", "__stack_chk_fail", "_GLOBAL_OFFSET_TABLE_"}

ISAS = {"x86_64": ("scalar", "avx2", "avx512"), "aarch64": ("scalar", "neon")}[platform.machine()]


def test_the_units_are_those_listed_here(cpp_build: Callable) -> None:
    assert set(cpp_build("release").isa_objects()) == set(ISAS)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("options", [(), ("-DCMAKE_CXX_COMPILER=clang++-19",)], ids=["gcc", "clang"])
class TestIsaObject:
    def test_exports_its_kernel_table_alone_and_nothing_weak(
        self, isa: str, options: tuple[str, ...], cpp_build: Callable
    ) -> None:
        symbols = cpp_build("release", *options).symbols(isa)
        defined = {name: letter for name, letter in symbols.items() if letter != "U"}
        assert set(defined) == {f"fanfill::kernel_table_{isa}"}
        assert not set(defined.values()) & set("VvWwu")

    def test_imports_no_libm_but_fma(self, isa: str, options: tuple[str, ...], cpp_build: Callable) -> None:
        symbols = cpp_build("release", *options).symbols(isa)
        assert {name for name, letter in symbols.items() if letter == "U"} <= ALLOWED_IMPORTS
