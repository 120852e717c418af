"""Knows how much memory a process may still be given: what the machine and its cgroups have left.

It must not know what the memory is for, and allocates none.
"""

from __future__ import annotations

from ..cgroup import cgroup_folders, lines_of

__all__ = ["available_bytes"]


def available_bytes(process: str = "/proc/self", machine: str = "/proc/meminfo") -> int | None:
    """Return the bytes that can still be had without taking them from others, swap included, or None.

    What files fill of the memory counts as available, as it is given up when asked for. The figure is the
    system's estimate at this moment, and None where the system gives none.
    """
    entries = _entries(machine, ":")
    found = []
    if "MemAvailable" in entries:
        found.append((entries["MemAvailable"] + entries.get("SwapFree", 0)) * 1024)
    for folder, is_v2 in cgroup_folders("memory", process):
        left = _left_v2(folder) if is_v2 else _left_v1(folder)
        if left is not None:
            found.append(left)
    return min(found, default=None)


def _left_v2(folder: str) -> int | None:
    limit, used = _number(f"{folder}/memory.max"), _number(f"{folder}/memory.current")
    if limit is None or used is None:
        return None
    return _left(limit, used, _entries(f"{folder}/memory.stat", " ").get("file", 0))


def _left_v1(folder: str) -> int | None:
    limit, used = _number(f"{folder}/memory.limit_in_bytes"), _number(f"{folder}/memory.usage_in_bytes")
    if limit is None or used is None:
        return None
    return _left(limit, used, _entries(f"{folder}/memory.stat", " ").get("total_cache", 0))


def _left(limit: int, used: int, files: int) -> int:
    return max(0, limit - max(0, used - files))


def _number(path: str) -> int | None:
    """Return the number that a file holds; None where it holds a word, such as "max"."""
    text = " ".join(lines_of(path))
    return int(text) if text.isascii() and text.isdigit() else None


def _entries(path: str, separator: str) -> dict[str, int]:
    """Return the lines "name<separator> number ..." of a file."""
    entries = {}
    for line in lines_of(path):
        name, _, rest = line.partition(separator)
        words = rest.split()
        if words and words[0].isascii() and words[0].isdigit():
            entries[name] = int(words[0])
    return entries
