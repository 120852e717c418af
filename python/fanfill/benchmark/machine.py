"""Knows how to say where and with what a measurement was made.

It must not know what was measured.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import platform
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__, _core
from ..threads import default_threads
from .workload import WARM_BYTES

__all__ = ["bind", "commit", "cpu_to_bind", "cpus", "describe"]

_INFO = "/proc/cpuinfo"
_HUGE = "/sys/kernel/mm/transparent_hugepage/enabled"
# From the root of the working tree.
_CORE = (":/csrc", ":/python/bindings", ":/CMakeLists.txt")
_CACHES = "/sys/devices/system/cpu/cpu0/cache"


def cpus() -> list[int]:
    """Return the CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def cpu_to_bind() -> int | None:
    """Return the CPU for what takes one thread, or None where processes can't be bound."""
    return cpus()[-1] if hasattr(os, "sched_setaffinity") else None


def bind(cpu: int | None) -> None:
    """Bind this process, and the threads that its libraries will start, to one CPU, where one is named."""
    if cpu is not None:
        os.sched_setaffinity(0, {cpu})


def commit(file: Path) -> dict[str, Any]:
    """Return the commit of a working tree, and whether the core's sources differ from it.

    Parameters
    ----------
    file : Path
        One of the sources. Where it is of no working tree, the release takes the commit's place.
    """
    if not _git(file.parent, "ls-files", file.name):
        return {"commit": f"release {__version__}", "core_differs": False}
    changed = _git(file.parent, "status", "--porcelain", "--", *_CORE)
    return {"commit": _git(file.parent, "rev-parse", "HEAD"), "core_differs": bool(changed)}


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:  # no git
        return ""


def _first(path: str, pattern: str) -> str:
    try:
        match = re.search(pattern, Path(path).read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        return ""
    return match.group(1) if match else ""


def _caches() -> dict[str, str]:
    found = {}
    for index in sorted(Path(_CACHES).glob("index*")):
        try:
            level, kind, size = ((index / name).read_text().strip() for name in ("level", "type", "size"))
        except OSError:
            continue
        if kind != "Instruction":
            found[f"L{level}"] = size
    return found


def _memset_speed(size: int) -> float:
    """Return the bytes per second of memset in warm memory, the median of nine."""
    with mmap.mmap(-1, size) as mapped:
        array = np.frombuffer(mapped, np.uint8)
        address = array.ctypes.data
        times = []
        for _ in range(10):  # the first makes the pages
            begin = time.thread_time_ns()
            ctypes.memset(address, 1, size)
            times.append(max(1, time.thread_time_ns() - begin))
        del array
    return size * 1e9 / float(np.median(times[1:]))


def describe(cpu: int | None, threads: int, size: int = WARM_BYTES) -> dict[str, Any]:
    """Return the machine and the system, for a report's head.

    Parameters
    ----------
    cpu : int or None
        To which tasks of one thread are bound.
    threads : int
        The most threads that are tried.
    size : int, optional
        Bytes of the buffer in which memset is timed.
    """
    family, model = (_first(_INFO, rf"^{name}\s*:\s*(.*)$") for name in ("cpu family", "model"))
    return {
        "cpu": _first(_INFO, r"^model name\s*:\s*(.*)$") or platform.processor() or platform.machine(),
        "family_model": f"{family}/{model}",
        "virtual": " hypervisor " in _first(_INFO, r"^(flags.*)$") + " ",
        "cores": os.cpu_count(),
        "usable_cores": len(cpus()),
        "threads": threads,
        "default_threads": default_threads(),
        "pinned_to": cpu,
        "isa": _core.chosen_isa()[1],
        "isas": [name for name, is_supported in _core.isas() if is_supported],
        "caches": _caches(),
        "kernel": platform.release(),
        "libc": " ".join(platform.libc_ver()),
        "python": platform.python_version(),
        "huge_pages_offered": _first(_HUGE, r"\[(\w+)\]") or "unknown",
        "memset_bytes_per_s": _memset_speed(min(size, WARM_BYTES)),
        "load_average": os.getloadavg(),
    }
