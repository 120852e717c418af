"""Knows the limit that the memory sets: libc's memset, which draws nothing.

It must not know laws.
"""

from __future__ import annotations

import ctypes
import mmap
import platform
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from ..fill import Fill
from ..workload import Workload

_LEAST = 1 << 16  # bytes that are worth a thread
_NEW = ("ordinary pages", "huge pages")


def version() -> str:
    """Say whose memset it is."""
    return " ".join(platform.libc_ver()) or platform.system()


def ways(workload: Workload) -> list[str]:
    """List the one way to memory that is there, or the kinds of pages of new memory."""
    if workload.memory == "new":
        return list(_NEW) if hasattr(mmap, "MADV_HUGEPAGE") else ["ordinary pages"]
    return ["memset"]


def prepare(way: str, workload: Workload, arrays: list[Any]) -> Fill:
    """Make ready to overwrite as many bytes; on several threads, each has its share."""
    if workload.memory == "new":
        return _new(way, workload.size)
    places = [(array.ctypes.data, array.nbytes) for array in arrays]
    if workload.threads > 1:
        return _shared_out(places, workload.threads)

    def run(repeat: int) -> None:
        for _ in range(repeat):
            for address, size in places:
                ctypes.memset(address, 1, size)

    return Fill(run, lambda: None, keep=arrays)


def _shared_out(places: list[tuple[int, int]], threads: int) -> Fill:
    """Cut the memory, which lies in one piece, into a part for each thread."""
    first, size = places[0][0], sum(size for _, size in places)
    share = max(_LEAST, -(-size // threads))
    parts = [(first + start, min(share, size - start)) for start in range(0, size, share)]
    pool = ThreadPoolExecutor(len(parts))  # ctypes lets go of the interpreter while memset runs

    def run(repeat: int) -> None:
        for _ in range(repeat):
            list(pool.map(lambda part: ctypes.memset(part[0], 1, part[1]), parts))

    return Fill(run, lambda: None, keep=pool)


def _new(way: str, size: int) -> Fill:
    """Map private memory, zero it and give it back: what an array of zeros costs that is then used."""

    def run(repeat: int) -> None:
        for _ in range(repeat):
            mapped = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            if way == "huge pages":
                mapped.madvise(mmap.MADV_HUGEPAGE)
            elif hasattr(mmap, "MADV_NOHUGEPAGE"):
                mapped.madvise(mmap.MADV_NOHUGEPAGE)
            array = np.frombuffer(mapped, np.uint8)
            ctypes.memset(array.ctypes.data, 0, size)
            del array
            mapped.close()

    return Fill(run, lambda: None)
