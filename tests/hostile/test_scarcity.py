"""Too few threads, and too little memory: fewer threads with the same bits, or MemoryError; never a crash.

It must not know how many threads a fill wants.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable

import pytest

from hostile.size import trials

PROGRAM = """
import hashlib, os, resource, sys, threading
import numpy as np
import fanfill as ff
out = np.empty(2**21, np.float32)
LIMIT
ff.normal_(out, seed=1, key=2, threads=8)
print(hashlib.sha256(out).hexdigest())
"""
NO_THREADS = """
os.setgroups([]); os.setgid(65534); os.setuid(65534)
resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
try:
    threading.Thread(target=int).start()
except RuntimeError:
    pass
else:
    raise SystemExit("this user may start threads after all")
"""


def run(limit: str) -> str:
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", PROGRAM.replace("LIMIT", limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, f"ended with {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout.split()[-1]


@pytest.fixture(scope="module")
def expected() -> str:
    return run("")


def test_a_user_who_may_start_no_thread_gets_the_same_bits(expected: str) -> None:
    if os.geteuid():
        pytest.skip("only root may become another user")
    assert run(NO_THREADS) == expected


def test_no_room_for_the_stacks_of_threads(expected: str) -> None:
    # Stacks of 8 MiB do not fit into what is left above the memory in use; most of what a fill needs does.
    limit = """
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**20, used + 2**20))
"""
    assert run(limit) == expected


def test_memory_that_cannot_be_had_is_a_memory_error() -> None:
    limit = """
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**26, used + 2**26))
for call in (lambda: ff.normal(2**28, seed=1, key=2), lambda: ff.random.words(1, 2, 0, 2**28),
             lambda: ff.empty(2**28, "float32"), lambda: ff.normal((2**40, 2**20), seed=1, key=2)):
    try:
        call()
    except MemoryError:
        continue
    raise SystemExit("no MemoryError")
"""
    run(limit)


@pytest.mark.system
def test_allocations_that_fail_now_and_then(expected: str, record_property: Callable) -> None:
    """libfiu has malloc fail at random, inside Python too: MemoryError, or the right bits."""
    program = PROGRAM.replace(
        "LIMIT",
        """
import ctypes
fiu = ctypes.CDLL("libfiu.so.0")
fiu.fiu_init(0)
malloc = ctypes.CDLL(None).malloc
malloc.restype = ctypes.c_void_p
fiu.fiu_enable_random(b"libc/mm/malloc", 1, None, 0, ctypes.c_float(1.0))
nothing = malloc(100)
fiu.fiu_disable(b"libc/mm/malloc")
assert nothing is None, "malloc does not fail when asked to"
def attempt(probability):
    out.fill(0)
    fiu.fiu_enable_random(b"libc/mm/malloc", 1, None, 0, ctypes.c_float(probability))
    try:
        ff.normal_(out, seed=1, key=2, threads=8)
    except MemoryError:
        return None
    finally:
        fiu.fiu_disable(b"libc/mm/malloc")
    return hashlib.sha256(out).hexdigest()
found = [attempt(p) for p in (0.01, 0.1, 0.5, 1.0) for _ in range(TRIALS)]
print(*(set(found) - {None}))
""",
    ).replace("TRIALS", str(trials(5, 250)))
    fiu_run = shutil.which("fiu-run")
    if fiu_run is None:
        pytest.fail("libfiu is not installed; CONTRIBUTING.md lists what `pytest -m system` needs")
    found = subprocess.run(
        [
            fiu_run,
            "-x",
            "-c",
            "enable_random name=libc/mm/nothing,probability=0.0",
            sys.executable,
            "-c",
            program,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    assert set(found.stdout.split()) == {expected}
    record_property("inputs", 4 * trials(5, 250))
