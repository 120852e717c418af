"""Copies of the core with an error in them, and the programs built from one: plain C++, one instruction set.

It must not know the errors. What an error does not touch is compiled once for all copies.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from exhaustive.tool import ROOT, program

FLAGS = ("-std=c++17", "-O1", "-ffp-contract=off", "-fno-math-errno", "-pthread", "-w")
PROGRAMS = {
    name: ROOT / "tests" / folder / f"{name}.cpp"
    for folder, names in {
        "cpp": (
            "golden_bits",
            "test_bit_matrix",
            "test_fill",
            "test_guard_pages",
            "test_parallel",
            "test_rows",
        ),
        "exhaustive": ("fanfill_exhaustive",),
        "stats": ("fanfill_stats",),
    }.items()
    for name in names
}


@dataclass(frozen=True)
class Copy:
    """A copy of csrc and a store of what was compiled, by content."""

    folder: Path
    store: Path

    @property
    def csrc(self) -> Path:
        """The copied sources."""
        return self.folder / "csrc"

    @classmethod
    def fresh(cls, folder: Path, store: Path) -> Copy:
        """Copy the sources."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(ROOT / "csrc", folder / "csrc")
        store.mkdir(exist_ok=True)
        return cls(folder, store)

    def _object(self, unit: Path) -> Path:
        includes = (f"-I{self.csrc}", f"-I{self.csrc / 'include'}")
        # Preprocessed without line marks, a unit that an error does not reach is the same in every copy.
        text = _run(program("c++"), *FLAGS, *includes, "-E", "-P", unit)
        digest = hashlib.sha256(re.sub(re.escape(str(self.folder)), "", text).encode()).hexdigest()[:24]
        path = self.store / f"{unit.stem}-{digest}.o"
        if not path.exists():
            scratch = path.with_suffix(f".{self.folder.name}")
            _run(program("c++"), *FLAGS, *includes, "-c", unit, "-o", scratch)
            scratch.rename(path)
        return path

    def build(self) -> dict[str, Path]:
        """Build all programs; return their paths."""
        core = [*sorted(self.csrc.glob("*.cpp")), self.csrc / "isa" / "scalar.cpp"]
        with ThreadPoolExecutor(2) as pool:
            objects = list(pool.map(self._object, [*core, *PROGRAMS.values()]))
        # A library, because test_fill brings its own of some units, which then must not be linked.
        library = self.folder / "libcore.a"
        _run(program("ar"), "rcs", library, *objects[: len(core)])
        built = {}
        for name, main in zip(PROGRAMS, objects[len(core) :], strict=True):
            built[name] = self.folder / name
            _run(program("c++"), "-pthread", main, library, "-o", built[name])
        return built


def _run(*command: str | Path) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command} exited with {done.returncode}\n{done.stderr[-4000:]}")
    return done.stdout
