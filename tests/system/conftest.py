"""Builds of the C++ core for the system tests: each kind once a session, by CMake, with the presets' options.

It must not know flags of the project: CMakeLists.txt holds them.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def tool(name: str) -> str:
    """The path of a tool; a missing one is a failure, because what needs it would go unproven."""
    beside_python = str(Path(sys.executable).parent)
    path = shutil.which(name, path=os.pathsep.join([beside_python, os.environ.get("PATH", "")]))
    if path is None:
        pytest.fail(f"{name} is not installed; CONTRIBUTING.md lists what `pytest -m system` needs")
    return path


def run(*command: str | Path) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"{command} exited with {done.returncode}\n{done.stdout[-8000:]}\n{done.stderr[-8000:]}")
    return done.stdout


@dataclass(frozen=True)
class CppBuild:
    """A finished build tree of the core and its C++ tests."""

    folder: Path

    def isa_objects(self) -> dict[str, Path]:
        """Every ISA's object file, by the ISA's name."""
        objects = self.folder.glob("CMakeFiles/fanfill_isa_*.dir/csrc/isa/*.o")
        return {path.name.split(".")[0]: path for path in objects}

    def symbols(self, isa: str) -> dict[str, str]:
        """The external and weak symbols of an ISA's object: demangled name to nm's letter."""
        listing = run(tool("nm"), "--demangle", "--extern-only", self.isa_objects()[isa])
        found = re.findall(r"^(?:[0-9a-f]+)? *([A-Za-z]) (.+)$", listing, re.MULTILINE)
        return {name: letter for letter, name in found}

    def ctest(self, *options: str) -> str:
        return run(
            tool("ctest"), "--test-dir", self.folder, "--output-on-failure", "--no-tests=error", *options
        )

    def golden_bits(self) -> dict[str, frozenset[str]]:
        """The lines "law dtype hash" that golden_bits prints, by instruction set."""
        lines: dict[str, set[str]] = {}
        for isa, line in re.findall(r"golden (\S+) (.+)", self.ctest("--verbose", "-R", "^golden_bits$")):
            lines.setdefault(isa, set()).add(line)
        return {isa: frozenset(found) for isa, found in lines.items()}


@pytest.fixture(scope="session")
def cpp_build(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., CppBuild]:
    """``cpp_build(preset, *cmake_options)``: configure, build and remember, a failure too."""

    @functools.cache
    def attempt(preset: str, *options: str) -> CppBuild | str:
        folder = tmp_path_factory.mktemp(preset)
        cmake = tool("cmake")
        ninja = f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}"
        try:
            run(cmake, "-S", ROOT, "-B", folder, "-G", "Ninja", "--preset", preset, ninja, *options)
            run(cmake, "--build", folder, "-j", "2")
        except pytest.fail.Exception as failure:
            return str(failure)
        return CppBuild(folder)

    def build(preset: str, *options: str) -> CppBuild:
        result = attempt(preset, *options)
        return result if isinstance(result, CppBuild) else pytest.fail(result)

    return build
