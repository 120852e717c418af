"""The C++ tests under ASan with UBSan, TSan and valgrind: no report from any.

It must not know what the C++ tests check.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hostile.size import IS_LONG
from proof.cpp_target import built, configured

pytestmark = [pytest.mark.system, pytest.mark.slow]

# Without test_parallel: clang's sanitizers refuse its own pthread_create; test_build runs it under gcc's.
TESTS = ("test_bit_matrix", "test_fill", "test_guard_pages", "test_pages", "test_region", "test_rows")
# Few tuples and lengths: each instruction costs twenty to fifty times what it costs elsewhere.
ARGUMENTS = {
    "test_bit_matrix": ("20000",) if IS_LONG else ("300",),
    "test_guard_pages": () if IS_LONG else ("37",),
}
CLANG = "-DCMAKE_CXX_COMPILER=clang++-19"
SANITIZERS = {
    # clang's check of unsigned numbers stays out: that they wrap is no error in C++, and meant.
    "address,undefined": "address,undefined,float-cast-overflow,bounds",
    "thread": "thread",
}


def run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (
        f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr[-6000:]}"
    )


@pytest.fixture(scope="session", params=SANITIZERS)
def sanitized(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    flags = f"-O1 -g -fno-omit-frame-pointer -fsanitize={SANITIZERS[request.param]} -fno-sanitize-recover=all"
    folder = tmp_path_factory.mktemp("sanitized")
    return configured(folder, "dev", CLANG, "-DCMAKE_CXX_FLAGS=" + flags, "-DCMAKE_C_COMPILER=clang-19")


@pytest.mark.parametrize("name", TESTS)
def test_no_sanitizer_reports(name: str, sanitized: Path, record_property: Callable) -> None:
    run([str(built(sanitized, name)), *ARGUMENTS.get(name, ())])
    record_property("arguments", " ".join(ARGUMENTS.get(name, ())))


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return configured(tmp_path_factory.mktemp("plain"), "dev")


@pytest.mark.parametrize("name", TESTS)
def test_valgrind_reports_nothing(name: str, plain: Path) -> None:
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        pytest.fail("valgrind is not installed; CONTRIBUTING.md lists what `pytest -m system` needs")
    # The machine that valgrind imitates has no AVX-512, so that the widest kernels are those of avx2.
    few = {"test_bit_matrix": ("100",), "test_guard_pages": ("97",)}
    arguments = ARGUMENTS.get(name, ()) if IS_LONG else few.get(name, ())
    os.environ.pop("FANFILL_ISA", None)
    run([valgrind, "-q", "--error-exitcode=9", "--leak-check=full", str(built(plain, name)), *arguments])
