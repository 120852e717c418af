"""Knows how to build the modules of bench/kernels and load them, once per process.

It must not know what their functions measure.
"""

from __future__ import annotations

import ctypes
import subprocess
from functools import cache
from pathlib import Path

__all__ = ["ROOT", "build", "build_dir", "load"]

ROOT = Path(__file__).parents[1]
build_dir = ROOT / "build" / "bench"


@cache
def build() -> Path:
    """Build the modules from the present sources and return where they are.

    Raises
    ------
    RuntimeError
        If the compiler or CMake fails; the message holds the end of what it said.
    """
    commands = [
        [
            "cmake",
            *("-S", str(ROOT / "bench" / "kernels"), "-B", str(build_dir), "-DCMAKE_BUILD_TYPE=Release"),
        ],
        ["cmake", "--build", str(build_dir), "--parallel", "2"],
    ]
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-2000:]}")
    return build_dir


@cache
def load(name: str) -> ctypes.CDLL:
    """Load the module ``bench_<name>``."""
    return ctypes.CDLL(str(build() / f"bench_{name}.so"))
