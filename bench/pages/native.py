"""Knows how to build bench/pages/pages.cpp with the present core, and the signatures of its functions.

It must not know what they are called for.
"""

from __future__ import annotations

import ctypes
import subprocess
from functools import cache
from pathlib import Path

__all__ = ["ROOT", "load"]

ROOT = Path(__file__).parents[2]


@cache
def load() -> ctypes.CDLL:
    """Build and load the module.

    Raises
    ------
    RuntimeError
        If the compiler or CMake fails; the message holds the end of what it said.
    """
    folder = ROOT / "build" / "bench_pages"
    commands = [
        ["cmake", "-S", str(Path(__file__).parent), "-B", str(folder)],
        ["cmake", "--build", str(folder), "--target", "bench_pages", "--parallel", "2"],
    ]
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-2000:]}")
    module = ctypes.CDLL(str(folder / "bench_pages.so"))
    size, pointer, signed = ctypes.c_size_t, ctypes.c_void_p, ctypes.c_int64
    arguments = {
        "fill": [size, *[ctypes.c_int] * 3, size, *[ctypes.c_int] * 2, ctypes.POINTER(ctypes.c_double)],
        "threads": [pointer, size, *[ctypes.c_int] * 3],
        "ceiling": [pointer, size, *[ctypes.c_int] * 3],
        "region": [pointer, *[ctypes.c_uint64] * 2, *[signed] * 2, ctypes.c_uint64, ctypes.c_int],
        "stores": [pointer, *[ctypes.c_uint64] * 2, *[signed] * 2],
    }
    for name, types in arguments.items():
        function = getattr(module, f"bench_pages_{name}")
        function.argtypes, function.restype = types, ctypes.c_double
    return module
