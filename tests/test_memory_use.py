"""No allocation grows with the tensor: while it fills a large one, a process peaks as with a small one."""

from __future__ import annotations

import subprocess
import sys

import pytest

# The tensor is touched before, so that only what the fill itself takes can raise the peak.
PROGRAM = """
import gc, sys, tracemalloc
import numpy as np
import fanfill as ff
from fanfill.fused_law import FusedLaw

def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))

def fill(kind, side):
    memory = np.ones((side, side), np.float32)
    if kind == "strided":
        out, region = memory[:, ::2], None
    elif kind == "transposed":
        out, region = memory.T, None
    elif kind == "sharded":
        out, region = memory, ff.Region.box((2 * side, 3 * side), (5, 7), (side, side))
    elif kind == "columns":
        out, region = memory, ff.Region((side, 2 * side), [[(0, side)], [(0, side)]])
    else:
        out, region = memory, None
    law = ff.Normal(std=0.02)
    if kind == "fused":
        law = FusedLaw((law, ff.Normal(std=0.5)), 0, (side // 4, side - side // 4))
    before = peak()
    tracemalloc.start()
    ff.fill_many_([ff.Job(out, law, "w", region)], seed=7, threads=2)
    python = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak() - before, python

kind = sys.argv[1]
fill(kind, 64)  # what is loaded and cached once
small = fill(kind, 2048)
gc.collect()
large = fill(kind, int(sys.argv[2]))
print(*small, *large)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize("side", [4096, pytest.param(16384, marks=pytest.mark.slow, id="1GiB")])
@pytest.mark.parametrize("kind", ["contiguous", "strided", "transposed", "sharded", "columns", "fused"])
def test_a_fill_takes_no_memory_of_the_tensors_size(kind: str, side: int) -> None:
    command = [sys.executable, "-c", PROGRAM, kind, str(side)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    small_kib, small_python, large_kib, large_python = map(int, done.stdout.split())
    # 64 MiB or 1 GiB are filled; the threads' stacks and the allocator's own pages are what may come on top.
    assert large_kib <= max(small_kib, 0) + 1024
    assert large_python <= small_python + 4096
    assert large_python < 64 << 10
