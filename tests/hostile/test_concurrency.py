"""Eight Python threads at once fill disjoint parts of one memory, or the same memory with the same values."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

import fanfill as ff
from hostile.size import trials

THREADS, SIZE = 8, 2**18
EXPECTED = ff.normal(SIZE, seed=1, key=2)


def at_once(work: Callable[[int], None]) -> None:
    """Run work(0) ... work(7) on threads that start together; raise what one of them raised."""
    gate, errors = threading.Barrier(THREADS), []

    def run(number: int) -> None:
        try:
            gate.wait()
            work(number)
        except BaseException as error:  # noqa: BLE001 - a thread's own would be lost
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@pytest.mark.parametrize("inner_threads", [1, 3])
def test_disjoint_parts(inner_threads: int, record_property: Callable) -> None:
    record_property("inputs", THREADS * trials(6, 300))
    for trial in range(trials(6, 300)):
        out = np.zeros(SIZE, np.float32)
        cuts = [0, *sorted(np.random.default_rng(trial).integers(0, SIZE, THREADS - 1).tolist()), SIZE]

        def fill(number: int, out: np.ndarray = out, cuts: list[int] = cuts) -> None:
            begin, end = cuts[number], cuts[number + 1]
            region = ff.Region.flat(SIZE, begin, end)
            ff.normal_(out[begin:end], seed=1, key=2, region=region, threads=inner_threads)

        at_once(fill)
        np.testing.assert_array_equal(out, EXPECTED)


@pytest.mark.parametrize("inner_threads", [1, 3])
def test_overlapping_parts_with_the_same_values(inner_threads: int, record_property: Callable) -> None:
    record_property("inputs", 2 * THREADS * trials(6, 300))
    for trial in range(trials(6, 300)):
        out = np.zeros(SIZE, np.float32)

        def fill(number: int, out: np.ndarray = out, trial: int = trial) -> None:
            begin = (number * 997 + trial * 131) % 4096
            region = ff.Region.flat(SIZE, begin, SIZE)
            ff.normal_(out[begin:], seed=1, key=2, region=region, threads=inner_threads)
            ff.normal_(out, seed=1, key=2, threads=inner_threads)

        at_once(fill)
        np.testing.assert_array_equal(out, EXPECTED)


def test_different_laws_dtypes_and_settings(record_property: Callable) -> None:
    record_property("inputs", THREADS * trials(10, 500))
    dtypes = ["float32", "float64", "float16", "bfloat16"]
    laws = [ff.Normal(), ff.Uniform(-1.0, 1.0), ff.TruncatedNormal(), ff.LogUniform(1e-3, 1.0)]
    cases = [(law, dtype) for law in laws for dtype in dtypes]
    alone = [_drawn(i, law, dtype) for i, (law, dtype) in enumerate(cases)]

    def work(number: int) -> None:
        for step in range(trials(10, 500)):
            i = (number * 7 + step) % len(cases)
            assert _drawn(i, *cases[i]) == alone[i]
            ff.set_num_threads(1 + step % 3)

    try:
        at_once(work)
    finally:
        ff.set_num_threads(None)


def _drawn(key: int, law: ff.Law, dtype: str) -> bytes:
    out = np.empty(1000, {"bfloat16": np.uint16}.get(dtype, dtype))
    ff.fill_(out, law, seed=1, key=key, dtype=dtype)
    return out.tobytes()
