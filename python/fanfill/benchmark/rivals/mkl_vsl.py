"""Knows how to draw with Intel MKL's vector statistics through its C interface.

It must not set anything that changes MKL's code path; which one it took is reported as found.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from ..fill import Fill
from ..form import sample
from ..workload import LAWS, Workload

# Every pseudo-random generator by its number in mkl_vsl_defines.h. The quasi-random ones and the
# non-deterministic one draw no such law.
_GENERATORS = {
    "MCG31": 1,
    "R250": 2,
    "MRG32K3A": 3,
    "MCG59": 4,
    "WH": 5,
    "MT19937": 8,
    "MT2203": 9,
    "SFMT19937": 13,
    "ARS5": 15,
    "Philox4x32x10": 16,
}
_GENERATOR_UNIT = 1 << 20
_METHODS = {"Box-Muller": 0, "Box-Muller 2": 1, "ICDF": 2}
_MOST = (1 << 31) - 1  # values of a call: MKL's 32-bit interface


@cache
def _library() -> ctypes.CDLL:
    packages = [Path(entry) for entry in sys.path if entry.endswith("site-packages")]
    folders = [Path(sys.prefix, "lib"), *(path.parents[1] for path in packages)]
    found = [path for folder in folders for path in sorted(folder.glob("libmkl_rt.so*"))]
    name = str(found[0]) if found else ctypes.util.find_library("mkl_rt")
    if name is None:
        raise ImportError("no libmkl_rt: pip install mkl")
    library = ctypes.CDLL(name)
    library.MKL_Set_Num_Threads(1)
    return library


def version() -> str:
    """Say the release, and which of its kernels MKL has loaded for this CPU (after the first draw)."""
    text = ctypes.create_string_buffer(256)
    _library().MKL_Get_Version_String(text, len(text))
    release = re.search(r"Version ([\d.]+)", text.value.decode())
    loaded = sorted(set(re.findall(r"libmkl_(?:vml_)?(\w+)\.so", Path("/proc/self/maps").read_text())))
    kernels = [name for name in loaded if name not in ("rt", "core", "intel_thread", "intel_lp64")]
    return (
        f"{release.group(1) if release else 'unknown'} (kernels loaded: {', '.join(kernels) or 'none yet'})"
    )


def ways(workload: Workload) -> list[str]:
    """List generator and method: normals and uniforms in float32 and float64."""
    _library()
    able = workload.dtype in ("float32", "float64") and workload.form == "flat" and workload.memory == "warm"
    if not able or workload.law not in ("normal", "uniform"):
        return []
    if workload.law == "uniform":
        return list(_GENERATORS)
    return [f"{generator} {method}" for generator in _GENERATORS for method in _METHODS]


def _calls(workload: Workload, address: int) -> Iterator[tuple[ctypes.c_int, ctypes.c_void_p]]:
    itemsize = workload.size // workload.count
    for start in range(0, workload.count, _MOST):
        count = min(_MOST, workload.count - start)
        yield ctypes.c_int(count), ctypes.c_void_p(address + start * itemsize)


def prepare(way: str, workload: Workload, arrays: list[Any]) -> Fill:
    """Open a stream; every run goes on where the last one ended."""
    library = _library()
    generator, _, method = way.partition(" ")
    stream = ctypes.c_void_p()
    status = library.vslNewStream(
        ctypes.byref(stream), ctypes.c_int(_GENERATORS[generator] * _GENERATOR_UNIT), ctypes.c_uint(1)
    )
    if status != 0:
        raise RuntimeError(f"MKL opened no stream of {generator}: {status}")
    is_double = workload.dtype == "float64"
    kind = "Uniform" if workload.law == "uniform" else "Gaussian"
    draw = getattr(library, f"v{'d' if is_double else 's'}Rng{kind}")
    number = ctypes.c_double if is_double else ctypes.c_float
    code = ctypes.c_int(_METHODS.get(method, 0))
    calls = list(_calls(workload, arrays[0].ctypes.data))
    _, low, high = LAWS["uniform"]
    # Bounds, or mean and standard deviation.
    first, second = map(number, (low, high) if workload.law == "uniform" else (0.0, 1.0))

    def run(repeat: int) -> None:
        for _ in range(repeat):
            for count, out in calls:
                status = draw(code, stream, count, out, first, second)
                if status != 0:
                    raise RuntimeError(f"MKL answered {status} to {way}, {workload}")

    return Fill(run, lambda: sample(arrays), keep=stream)
