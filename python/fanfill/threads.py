"""Knows how many threads a fill may use: what the caller, the environment, the affinity and the quota allow.

It must not know how a fill is shared out among them.
"""

from __future__ import annotations

import functools
import math
import os
from typing import Any

from .cgroup import cgroup_folders, lines_of
from .number import as_int

__all__ = ["get_num_threads", "set_num_threads"]

_MAX = 1 << 16  # more than any machine runs, and well within the core's int

_chosen: int | None = None


def set_num_threads(threads: int | None) -> None:
    """Set how many threads each later fill of this process may use, unless its own `threads` says otherwise.

    The number never changes a value.

    Parameters
    ----------
    threads : int or None
        At least 1, the calling thread included. None goes back to the environment and reads it anew:
        ``FANFILL_NUM_THREADS``, else ``OMP_NUM_THREADS``, else the CPUs of the process's affinity, capped by
        its cgroup quota. Where ``LOCAL_WORLD_SIZE`` says that a launcher such as torchrun runs several
        processes on this machine, an ``OMP_NUM_THREADS`` of 1 is that launcher's default and not a wish: the
        CPUs are shared out evenly among the processes.

    Raises
    ------
    TypeError
        If `threads` is no integer.
    ValueError
        If it is below 1, or ``FANFILL_NUM_THREADS`` is not a positive integer.

    Examples
    --------
    >>> import fanfill as ff
    >>> ff.set_num_threads(2)
    >>> ff.get_num_threads()
    2
    >>> ff.set_num_threads(None)
    """
    global _chosen
    _forget()
    _chosen = None if threads is None else _checked(threads, "threads")
    default_threads()


def get_num_threads() -> int:
    """Return how many threads a fill may use that doesn't say it itself.

    Raises
    ------
    ValueError
        If ``FANFILL_NUM_THREADS`` is not a positive integer.

    Examples
    --------
    >>> import fanfill as ff
    >>> ff.get_num_threads() >= 1
    True
    """
    return default_threads()


# Remembered, because a fill of a small tensor takes less time than to find it out again.
@functools.cache
def default_threads() -> int:
    """Return the process's number of threads."""
    return _from_environment()[0] if _chosen is None else _chosen


def thread_count(threads: Any) -> int:
    """Return the number of threads of one call: its argument, or the process's number."""
    return default_threads() if threads is None else _checked(threads, "threads")


def thread_source() -> str:
    """Say in words where `get_num_threads` has its number from."""
    return _from_environment()[1] if _chosen is None else "set_num_threads"


def _checked(threads: Any, name: str) -> int:
    count = as_int(threads, name)
    if count < 1:
        raise ValueError(f"{name} must be at least 1, not {count}")
    return min(count, _MAX)


# Read once, as OpenMP and torch do: a fill of a small tensor takes less time than this.
@functools.cache
def _from_environment() -> tuple[int, str]:
    own = os.environ.get("FANFILL_NUM_THREADS", "").strip()
    if own:
        if not own.isascii() or not own.isdigit() or int(own) < 1:
            raise ValueError(
                f"FANFILL_NUM_THREADS must be a positive integer, not {own!r}; unset it or correct it"
            )
        return min(int(own), _MAX), "FANFILL_NUM_THREADS"
    # OpenMP allows a list, one number per nesting level. A malformed one is not ours to complain about.
    openmp = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    cpus = _available_cpus()
    if openmp.isascii() and openmp.isdigit() and int(openmp) >= 1:
        local = os.environ.get("LOCAL_WORLD_SIZE", "").strip()
        if openmp == "1" and local.isascii() and local.isdigit() and int(local) > 1:
            return max(1, cpus // int(local)), "CPUs / LOCAL_WORLD_SIZE"
        return min(int(openmp), _MAX), "OMP_NUM_THREADS"
    return cpus, "affinity and cgroup quota"


def _forget() -> None:
    default_threads.cache_clear()
    _from_environment.cache_clear()


# A forked worker may be bound to other CPUs than its parent.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def _available_cpus() -> int:
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _cgroup_quota("/proc/self")
    return cpus if quota is None else max(1, min(cpus, math.ceil(quota)))


def _cgroup_quota(process: str) -> float | None:
    """Return the CPUs that the process's cgroups (v1 or v2) grant, the smallest up the path, or None."""
    quotas = [
        _quota_v2(folder) if is_v2 else _quota_v1(folder) for folder, is_v2 in cgroup_folders("cpu", process)
    ]
    return min((quota for quota in quotas if quota is not None), default=None)


def _quota_v2(folder: str) -> float | None:
    limits = " ".join(lines_of(f"{folder}/cpu.max")).split()
    if len(limits) != 2 or limits[0] == "max":
        return None
    return int(limits[0]) / int(limits[1])


def _quota_v1(folder: str) -> float | None:
    quota, period = lines_of(f"{folder}/cpu.cfs_quota_us"), lines_of(f"{folder}/cpu.cfs_period_us")
    if not quota or not period or int(quota[0]) <= 0 or int(period[0]) <= 0:
        return None
    return int(quota[0]) / int(period[0])
