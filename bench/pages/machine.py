"""Knows how to say where, when and of which sources a measurement was made.

It must not know what was measured.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

import fanfill as ff
from bench.pages.native import ROOT

__all__ = ["describe"]


def _first(path: str, pattern: str) -> str:
    try:
        match = re.search(pattern, Path(path).read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        return ""
    return match.group(1).strip() if match else ""


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def describe() -> dict[str, Any]:
    """Return the machine, the system, the commit, and how busy the machine is."""
    return {
        "cpu": _first("/proc/cpuinfo", r"^model name\s*:\s*(.*)$") or platform.processor(),
        "virtual": " hypervisor " in _first("/proc/cpuinfo", r"^(flags.*)$") + " ",
        "cores": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "kernel": platform.release(),
        "huge_pages": _first("/sys/kernel/mm/transparent_hugepage/enabled", r"\[(\w+)\]"),
        "isa": ff._core.chosen_isa()[1],
        "python": platform.python_version(),
        "commit": _git("rev-parse", "HEAD"),
        "core_differs": bool(_git("status", "--porcelain", "--", "csrc", "CMakeLists.txt")),
        "load_average": os.getloadavg(),
    }
