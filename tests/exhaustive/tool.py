"""The proof's C++ tool: how it is built, run and read.

It must not know which checks are worth running, nor what their figures should be.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[2]
NAME = "fanfill_exhaustive"

Report = dict[str, Any]


class ToolError(RuntimeError):
    """The tool, a compiler or an emulator could not do its work, so nothing was shown."""


def program(name: str) -> str:
    """Return the path of a program, those beside this Python first."""
    places = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    path = shutil.which(name, path=os.pathsep.join(places))
    if path is None:
        raise ToolError(f"{name} is not installed")
    return path


def call(*command: str | Path) -> str:
    """Run a program and return what it printed."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(
            f"{command} exited with {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        )
    return done.stdout


def built_in(folder: Path) -> Path:
    """Build the tool, and nothing else, in a configured build tree; return its path."""
    call(program("cmake"), "--build", folder, "--target", NAME, "-j", "2")
    return next(path for path in folder.rglob(NAME) if path.is_file())


def built_by_cmake(folder: Path, preset: str) -> Path:
    """Configure a build tree by a preset and build the tool there; return its path."""
    call(program("cmake"), "-S", ROOT, "-B", folder, "-G", "Ninja", "--preset", preset,
         f"-DCMAKE_MAKE_PROGRAM={program('ninja')}")  # fmt: skip
    return built_in(folder)


def under_qemu(path: Path) -> Tool:
    """Return the tool that the preset for 64-bit Arm built."""
    return Tool((program("qemu-aarch64"), "-L", "/usr/aarch64-linux-gnu", str(path)))


@dataclass(frozen=True)
class Tool:
    """A built tool, with the emulator's command before it where it is another machine's."""

    command: tuple[str, ...]

    @cached_property
    def about(self) -> Report:
        """Contract version, compiler, supported instruction sets and laws."""
        return dict(json.loads(call(*self.command, "about")))

    @property
    def isas(self) -> list[str]:
        """The supported instruction sets, best first."""
        return list(self.about["isas"])

    def report(self, check: str, *arguments: str | int | Path) -> Report:
        """Run one check; what it found, and how long it took."""
        command = [*self.command, check, *map(str, arguments)]
        start = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1):
            raise ToolError(f"{command} exited with {done.returncode}\n{done.stderr[-4000:]}")
        found: Report = json.loads(done.stdout)
        found["seconds"] = round(time.monotonic() - start, 1)
        if "isa" not in found and check != "values":
            found["isas"] = [part for part in map(str, arguments) if part in self.isas]
        return found

    def values(self, law: str, dtype: str, isa: str, words: np.ndarray, tails: np.ndarray) -> np.ndarray:
        """Return what words and tail words become under a law."""
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder, "words"), Path(folder, "values")
            np.concatenate([words, tails]).tofile(source)
            self.report("values", law, dtype, source, target, isa)
            return np.fromfile(target, dtype=dtype)

    def code_mass(
        self, law: str, dtype: str, every: int, tail_bits: int, isa: str
    ) -> tuple[Report, np.ndarray]:
        """Return how often each code of a narrow dtype comes, in units of 2^-(32 + tail_bits), as counted."""
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder, "mass")
            found = self.report("mass", law, dtype, every, tail_bits, target, isa)
            return found, np.fromfile(target, dtype=np.uint64)
