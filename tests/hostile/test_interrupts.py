"""Ctrl-C at random times: the fill ends soon, no byte is wrong, and the same call again gives the whole."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

import fanfill as ff
from hostile.size import IS_LONG, trials

# Drawn one value at a time: a few tenths of a second on any machine, where a law that is drawn by vectors
# would be done before most of the signals came.
LAW = ff.TruncatedNormal(bounds=(13, 14))
SIZE = 2**18
PATTERN = 0xA5A5A5A5
LIMIT_SECONDS = 5.0  # of one interrupt on a machine that is busy with other things; measured are some 50 ms
LONG_LIMIT_SECONDS = 0.2  # of 99 in 100, on a machine that has nothing else to do


def interrupted_fill(out: np.ndarray, delay: float, threads: int) -> float | None:
    """Fill, interrupted after a delay; return the seconds from the signal to the exception, if it came."""
    sent: list[float] = []

    def press() -> None:
        time.sleep(delay)
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    beside = threading.Thread(target=press)
    came = None
    try:
        beside.start()
        ff.fill_(out, LAW, seed=1, key=2, threads=threads)
        while True:  # the signal may come after the fill
            time.sleep(0.01)
    except KeyboardInterrupt:
        came = time.monotonic() - sent[0]
    beside.join()
    return came


@pytest.mark.parametrize("threads", [1, 3])
def test_interrupts_at_random_times(threads: int, record_property: Callable) -> None:
    out = np.empty(SIZE, np.float32)
    start = time.monotonic()
    ff.fill_(out, LAW, seed=1, key=2, threads=threads)
    usual = time.monotonic() - start
    expected = out.view(np.uint32).copy()
    chance = random.Random(threads)
    partial, seconds = 0, []
    for _ in range(trials(5, 500)):
        out.view(np.uint32)[...] = PATTERN
        came = interrupted_fill(out, chance.uniform(0.0, 1.1 * usual), threads)
        assert came is not None
        seconds.append(came)
        written = out.view(np.uint32) != PATTERN
        partial += not written.all()
        np.testing.assert_array_equal(out.view(np.uint32)[written], expected[written])
    ff.fill_(out, LAW, seed=1, key=2, threads=threads)
    np.testing.assert_array_equal(out.view(np.uint32), expected)
    seconds.sort()
    usually = seconds[int(0.99 * len(seconds))]
    record_property("inputs", len(seconds))
    record_property("partial", partial)
    record_property("seconds_99_percent", round(usually, 4))
    assert seconds[-1] < LIMIT_SECONDS
    assert usually < LONG_LIMIT_SECONDS or not IS_LONG
    assert partial > 0, "no interrupt came in time, so nothing was shown"
