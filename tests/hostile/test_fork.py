"""Processes forked while a fill runs on other threads, and after one, fill as if nothing had happened."""

from __future__ import annotations

import hashlib
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable

import numpy as np
import pytest

import fanfill as ff
from hostile.size import trials

SECONDS = 20  # a child that takes longer hangs


def digest() -> str:
    values = ff.normal_(np.empty(2**18, np.float32), seed=3, key="child", threads=4)
    return hashlib.sha256(values).hexdigest()


EXPECTED = digest()


def child_status() -> int | None:
    """Fork, fill in the child, and return its exit status; None if it hung."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it warns of just what is tried here
        child = os.fork()
    if child == 0:
        os._exit(0 if digest() == EXPECTED else 1)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.0005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def test_a_fork_after_a_fill(record_property: Callable) -> None:
    forks = trials(5, 200)
    for _ in range(forks):
        digest()
        assert child_status() == 0
    assert digest() == EXPECTED
    record_property("inputs", forks)


@pytest.mark.parametrize("threads", [1, 4])
def test_a_fork_during_a_fill(threads: int, record_property: Callable) -> None:
    out, stop = np.empty(2**22, np.float32), threading.Event()

    def fill_on_and_on() -> None:
        while not stop.is_set():
            ff.normal_(out, seed=1, key=2, threads=threads)

    beside = threading.Thread(target=fill_on_and_on)
    beside.start()
    try:
        statuses = [child_status() for _ in range(trials(4, 200))]
    finally:
        stop.set()
        beside.join()
    assert set(statuses) == {0}
    np.testing.assert_array_equal(out, ff.normal(out.shape, seed=1, key=2))
    record_property("inputs", len(statuses))
