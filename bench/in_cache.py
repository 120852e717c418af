"""Knows how to count the cycles of a value in cache beside the core's own clock, and the speed of stores.

It must not know what any figure ought to be. It runs in a process of its own, bound to one CPU.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from bench.native import ROOT, build, load
from fanfill.benchmark import machine, rivals
from fanfill.benchmark.comparison import MIN_ROUNDS, Side, Times, compare, sample_times, side_of
from fanfill.benchmark.fill import Entry, Fill
from fanfill.benchmark.form import arrays
from fanfill.benchmark.law_check import check_law
from fanfill.benchmark.workload import CACHE_BYTES, DTYPES, LAWS, Workload

_LAWS = tuple(law for law in LAWS if law != "words")
_DTYPES = tuple(dtype for dtype in DTYPES if dtype != "uint32")
_STORES = {"stores": False, "streaming stores": True}


@dataclass(frozen=True)
class Clocked:
    """One fill in cache, beside the clock at which the core ran just then; the best of both."""

    side: Side
    clock_hz: float
    drift: float  # relative difference of the clock's maxima in the two halves of the measurement

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        workload = self.side.entry.workload
        cycles = self.clock_hz * self.side.best_s / workload.count
        return {
            **self.side.to_dict(),
            "values_per_s": workload.count / self.side.best_s,
            "bytes_per_s": workload.size / self.side.best_s,
            "clock_hz": self.clock_hz,
            "clock_drift": self.drift,
            "cycles_per_value": cycles,
            "values_per_s_at_3_4_ghz": 3.4e9 / cycles,
        }


def clocked(entry: Entry, fill: Fill, clock: Callable[[], float], seconds: float) -> Clocked:
    """Time a fill in short samples with a measurement of the clock after each, and keep the best of both.

    A sample that another process interrupts is slow, and so is its clock: the best of many are what the core
    does by itself. Where the second half's clock differs by more than 1%, all is done again, twice at most.
    """
    for _ in range(3):
        times: list[Times] = []
        clocks: list[float] = []
        end = time.monotonic() + seconds
        while len(times) < 2 * MIN_ROUNDS or time.monotonic() < end:
            times.append(sample_times(fill, 1))
            clocks.append(clock())
        half = len(clocks) // 2
        drift = abs(max(clocks[:half]) / max(clocks[half:]) - 1.0)
        if drift < 0.01:
            break
    return Clocked(side_of(entry, times), max(clocks), drift)


def _memory(size: int) -> Any:
    memory = np.frombuffer(mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS), np.uint8)
    memory.fill(255)
    return memory


def _store(way: str, memory: Any) -> Fill:
    library = load("stores")
    library.bench_store.restype = ctypes.c_bool
    out, size = ctypes.c_void_p(memory.ctypes.data), ctypes.c_size_t(memory.nbytes)

    def run(repeat: int) -> None:
        if not library.bench_store(out, size, ctypes.c_bool(_STORES[way]), ctypes.c_int(repeat)):
            raise RuntimeError("this CPU has no vector stores that the loop is written for")

    run(1)
    return Fill(run, lambda: None, keep=memory)


def _stores(size: int, seconds: float) -> list[dict[str, Any]]:
    """Compare loops of vector stores, which draw nothing, with memset in warm memory."""
    memory = _memory(size // 256 * 256)
    workload = Workload("normal", "float32", memory.nbytes)
    memset = rivals.load("memset").prepare("memset", workload, [memory])
    right = (Entry("memset", "memset", workload), memset)
    return [
        {
            "task": "stores",
            **compare(
                (Entry("stores", way, workload), _store(way, memory)), right, "bytes", seconds
            ).to_dict(),
        }
        for way in _STORES
    ]


def _cycles(asked: list[tuple[str, str, str, str]], seconds: float) -> list[dict[str, Any]]:
    """Return the cycles of (rival, way, law, dtype), each checked first."""
    library = load("stores")
    library.bench_clock.restype = ctypes.c_double
    memory, found = _memory(CACHE_BYTES), []
    for rival, way, law, dtype in asked:
        workload = Workload(law, dtype, CACHE_BYTES)
        fill = rivals.load(rival).prepare(way, workload, arrays(workload, memory))
        fill.run(1)
        values = fill.values()
        if values is not None:
            check_law(workload, values)
        one = clocked(Entry(rival, way, workload), fill, lambda: float(library.bench_clock(5)), seconds)
        found.append(one.to_dict())
    return found


def _compiler() -> str:
    cache = (build() / "CMakeCache.txt").read_text(encoding="utf-8")
    name = re.search(r"^CMAKE_CXX_COMPILER:\w+=(.*)$", cache, re.MULTILINE)
    done = subprocess.run(
        [name[1] if name else "c++", "--version"], capture_output=True, text=True, check=False
    )
    return done.stdout.partition("\n")[0]


def measured(report: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Run this in a process of its own, for fanfill and for the best of MKL that a report has found.

    Parameters
    ----------
    report : dict
        Of ``fanfill bench``.
    seconds : float
        The budget of one figure, at most a second.
    """
    isas = [isa for isa in report["machine"]["isas"] if isa != "scalar"] or ["scalar"]
    asked = [("fanfill", isa, law, dtype) for isa in isas for law, dtype in product(_LAWS, _DTYPES)]
    asked += [
        ("mkl", one["right"]["way"], one["right"]["law"], "float32")
        for one in report["comparisons"]
        if one["task"] == "laws" and (one["right"]["rival"], one["right"]["dtype"]) == ("mkl", "float32")
    ]
    sizes = [one["left"]["size"] for one in report["comparisons"] if one["task"] == "laws"]
    content = {"asked": asked, "seconds": min(1.0, seconds), "size": max(sizes, default=1 << 20)}
    command = [sys.executable, "-m", "bench.in_cache"]
    done = subprocess.run(
        command, input=json.dumps(content), stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return {**found, "compiler": _compiler()}


def main() -> int:
    """Read from stdin what to measure, and print it as JSON."""
    content = json.load(sys.stdin)
    machine.bind(machine.cpu_to_bind())
    build()
    found = {
        "in_cache": _cycles([tuple(each) for each in content["asked"]], content["seconds"]),
        "comparisons": _stores(content["size"], content["seconds"]),
    }
    json.dump(found, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
