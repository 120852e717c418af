"""fill_ and fill_many_: what they return, what they refuse, and that one job and many give the same bits."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from typing import Any

import numpy as np
import pytest

import fanfill as ff
from fanfill import _core

LAWS = [ff.Normal(0.1, 0.02), ff.Uniform(-0.1, 0.3), ff.TruncatedNormal(std=0.5), ff.Constant(0.25)]


def unchanged(jobs: list[ff.Job], error: type[Exception], match: str, **options: Any) -> None:
    before = [bytes(job.out) for job in jobs if isinstance(job, ff.Job)]
    with pytest.raises(error, match=match):
        ff.fill_many_(jobs, **({"seed": 7} | options))
    assert [bytes(job.out) for job in jobs if isinstance(job, ff.Job)] == before


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_fill_returns_its_argument_filled(law: ff.Law) -> None:
    out = np.full((3, 4), 9.0, np.float32)
    assert ff.fill_(out, law, seed=7, key="w") is out
    assert (out != 9.0).all()


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_threads_do_not_change_the_bits(threads: int) -> None:
    out = np.zeros((300, 700), np.float32)
    ff.fill_(out, ff.Normal(), seed=7, key="w", threads=threads)
    np.testing.assert_array_equal(out, ff.normal((300, 700), seed=7, key="w", threads=1))


def test_seed_and_key_are_required_in_place() -> None:
    with pytest.raises(TypeError, match="seed"):
        ff.fill_(np.zeros(3), ff.Normal(), key=0)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="key"):
        ff.fill_(np.zeros(3), ff.Normal(), seed=0)  # type: ignore[call-arg]


def test_one_seed_and_key_give_the_same_numbers_and_others_give_others() -> None:
    def filled(seed: Any, key: Any) -> list[float]:
        return ff.fill_(np.zeros(4), ff.Normal(), seed=seed, key=key).tolist()

    assert filled(7, "w") == filled(7, "w") == filled(7, ff.stream_id("w"))
    assert len({tuple(filled(seed, key)) for seed in (7, 8) for key in ("w", "v", 0)}) == 6


def test_the_widest_seed_and_key() -> None:
    ff.fill_(np.zeros(4), ff.Normal(), seed=2**64 - 1, key=2**64 - 1)


def test_a_seed_sequence_is_a_seed() -> None:
    sequence = np.random.SeedSequence(5)
    word = int(sequence.generate_state(1, np.uint64)[0])
    np.testing.assert_array_equal(ff.normal(4, seed=sequence), ff.normal(4, seed=word))


@pytest.mark.parametrize("law", [None, "normal", ff.Normal, {"law": "normal"}])
def test_what_is_no_law_is_refused(law: Any) -> None:
    out = np.full(3, 9.0)
    with pytest.raises(
        TypeError, match="law must be a Normal, Uniform, TruncatedNormal, LogUniform, Arange or "
    ):
        ff.fill_(out, law, seed=7, key="w")
    assert (out == 9.0).all()


def test_the_base_of_the_laws_is_no_law() -> None:
    with pytest.raises(TypeError, match="law: use one of Normal"):
        ff.fill_(np.zeros(3), ff.Law(), seed=7, key="w")


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"seed": True}, TypeError, "seed must be an int"),
        ({"seed": -1}, ValueError, r"seed must be in \[0, 2\*\*64\)"),
        ({"seed": 2**64}, ValueError, r"seed must be in \[0, 2\*\*64\)"),
        ({"key": True}, TypeError, "key must be an int or a str"),
        ({"key": -1}, ValueError, r"key must be in \[0, 2\*\*64\)"),
        ({"threads": 0}, ValueError, "threads must be at least 1"),
        ({"region": "all"}, TypeError, "region must be a Region"),
    ],
    ids=str,
)
def test_bad_arguments_leave_the_buffer_unchanged(
    options: dict[str, Any], error: type[Exception], match: str
) -> None:
    out = np.full(3, 9.0)
    with pytest.raises(error, match=match):
        ff.fill_(out, ff.Normal(), **({"seed": 7, "key": "w"} | options))
    assert (out == 9.0).all()


@pytest.mark.parametrize(
    ("law", "dtype", "match"),
    [
        (ff.Normal(std=1e38), "float32", "^std: "),
        (ff.Normal(std=1e-40), "float32", "^std: "),
        (ff.Normal(mean=1e39), "float16", "^mean: "),
        (ff.Uniform(1.0001, 1.0002), "float16", "^low, high: "),
        (ff.TruncatedNormal(bounds=(40.0, 41.0)), "float32", "^bounds: "),
        (ff.TruncatedNormal(bounds=(1.0001, 1.0002), unit="absolute"), "float16", "^bounds: "),
    ],
    ids=str,
)
def test_a_law_that_the_dtype_cannot_hold_is_refused(law: ff.Law, dtype: str, match: str) -> None:
    out = np.full(3, 9.0, dtype)
    with pytest.raises(ValueError, match=match):
        ff.fill_(out, law, seed=7, key="w")
    assert (out == 9.0).all()


def test_a_law_is_refused_for_empty_memory_too() -> None:
    with pytest.raises(ValueError, match=r"^std: "):
        ff.fill_(np.zeros(0, np.float32), ff.Normal(std=1e38), seed=7, key="w")


@pytest.mark.parametrize(
    ("status", "error", "match"),
    [
        ("NULL_DATA", ValueError, "^out: "),
        ("MISALIGNED", ValueError, "^out: "),
        ("BAD_REGION", ValueError, "^region: "),
        ("TOO_LARGE", OverflowError, "^region: "),
        ("UNKNOWN_ISA", ValueError, r"^FANFILL_ISA: "),
        ("UNSUPPORTED_ISA", ValueError, r"^FANFILL_ISA: "),
        ("INTERRUPTED", KeyboardInterrupt, "^$"),
    ],
)
def test_what_the_core_refuses_names_the_argument(
    status: str, error: type[BaseException], match: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_core, "fill_many", lambda *_: getattr(_core, status))
    with pytest.raises(error, match=match):
        ff.fill_(np.zeros(6)[::2], ff.Normal(), seed=7, key="w")


def test_ctrl_c_ends_a_long_fill() -> None:
    out = np.zeros(1 << 28)  # whose pages do not exist before they are written
    signalled: list[float] = []

    def press() -> None:
        signalled.append(time.perf_counter())
        signal.raise_signal(signal.SIGINT)

    timer = threading.Timer(0.05, press)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        ff.fill_(out, ff.Normal(), seed=7, key="w", threads=1)
    assert time.perf_counter() - signalled[0] < 1.0
    timer.join()
    assert out[0] != 0.0
    assert out[-1] == 0.0


# Many jobs.


def test_many_jobs_give_the_bits_of_each_alone() -> None:
    shapes = [(3, 4), (), (0, 5), (1000,), (7, 300)]
    jobs = [
        ff.Job(np.zeros(shape, dtype), law, f"{number}")
        for number, (shape, dtype, law) in enumerate(
            zip(
                shapes, ["float32", "float64", "float16", "float32", "float16"], [*LAWS, LAWS[0]], strict=True
            )
        )
    ]
    assert ff.fill_many_(jobs, seed=7, threads=2) is jobs
    for job in jobs:
        alone = ff.fill_(np.zeros_like(job.out), job.law, seed=7, key=job.key)
        np.testing.assert_array_equal(job.out, alone)


def test_no_job_at_all() -> None:
    assert ff.fill_many_((), seed=7) == ()


def test_shards_of_one_tensor_are_one_stream() -> None:
    whole = ff.normal((40, 30), seed=7, key="w")
    jobs = [
        ff.Job(
            np.zeros((10, 15), np.float32), ff.Normal(), "w", ff.Region.box((40, 30), (row, column), (10, 15))
        )
        for row in range(0, 40, 10)
        for column in range(0, 30, 15)
    ]
    ff.fill_many_(jobs, seed=7)
    rows = [np.hstack([jobs[2 * i].out, jobs[2 * i + 1].out]) for i in range(4)]
    np.testing.assert_array_equal(np.vstack(rows), whole)


def test_interleaved_views_of_one_array() -> None:
    base = np.zeros((6, 10), np.float32)
    jobs = [ff.Job(base[:, i::2], ff.Normal(), f"{i}") for i in range(2)]
    ff.fill_many_(jobs, seed=7)
    np.testing.assert_array_equal(base[:, 1::2], ff.normal((6, 5), seed=7, key="1"))


def test_jobs_that_share_memory_are_refused() -> None:
    base = np.zeros((6, 10))
    jobs = [ff.Job(base[:, :5], ff.Normal(), "a"), ff.Job(np.zeros(3), ff.Normal(), "b")]
    unchanged(
        [*jobs, ff.Job(base[2:, 4:], ff.Normal(), "c")],
        ValueError,
        r"jobs\[0\].out and jobs\[2\].out overlap",
    )


def test_one_array_twice_is_refused() -> None:
    out = np.zeros(4)
    unchanged(
        [ff.Job(out, ff.Normal(), key) for key in "ab"], ValueError, "overlap in memory; fill each place once"
    )


def test_one_array_through_two_kinds_of_view_is_refused() -> None:
    out = bytearray(64)
    jobs = [
        ff.Job(out, ff.Normal(), "a", dtype="float32"),
        ff.Job(np.frombuffer(out)[::-2], ff.Normal(), "b"),
    ]
    unchanged(jobs, ValueError, r"jobs\[0\].out and jobs\[1\].out overlap")


def test_one_key_for_two_tensors_is_refused() -> None:
    jobs = [ff.Job(np.zeros(3), ff.Normal(), "a"), ff.Job(np.zeros((4, 4)), ff.Uniform(), "a")]
    unchanged(jobs, ValueError, r"jobs\[0\].key and jobs\[1\].key name one stream and their regions overlap")


def test_a_key_and_the_integer_it_hashes_to_are_one_stream() -> None:
    jobs = [ff.Job(np.zeros(3), ff.Normal(), "a"), ff.Job(np.zeros(3), ff.Normal(), ff.stream_id("a"))]
    unchanged(jobs, ValueError, r"name one stream")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ff.Region.box((6, 8), (0, 0), (3, 4)), ff.Region.box((6, 8), (2, 3), (3, 4))),
        (ff.Region((6, 8), [[(0, 2), (4, 6)], [(0, 4)]]), ff.Region.box((6, 8), (2, 0), (3, 8))),
        (ff.Region.flat((6, 8), 0, 9), ff.Region.box((6, 8), (1, 0), (1, 4))),
        (ff.Region.flat((6, 8), 0, 9), ff.Region.flat((6, 8), 8, 20)),
        (None, ff.Region.flat((6, 8), 3, 4)),
    ],
)
def test_overlapping_regions_of_one_stream_are_refused(first: ff.Region | None, second: ff.Region) -> None:
    shape = (6, 8) if first is None else first.local_shape
    jobs = [ff.Job(np.zeros(shape), ff.Normal(), "a", first)]
    jobs.append(ff.Job(np.zeros(second.local_shape), ff.Normal(), "a", second))
    unchanged(jobs, ValueError, r"jobs\[0\].key and jobs\[1\].key name one stream")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ff.Region.box((6, 8), (0, 0), (3, 4)), ff.Region.box((6, 8), (0, 4), (6, 4))),
        (ff.Region((6, 8), [[(0, 2), (4, 6)], [(0, 8)]]), ff.Region.box((6, 8), (2, 0), (2, 8))),
        (ff.Region.flat((6, 8), 0, 9), ff.Region.flat((6, 8), 9, 48)),
        (ff.Region.flat((6, 8), 0, 8), ff.Region.box((6, 8), (1, 0), (5, 8))),
        (ff.Region.flat((6, 8), 4, 4), ff.Region.box((6, 8), (0, 0), (6, 8))),
    ],
)
def test_regions_of_one_stream_that_do_not_overlap_are_filled(first: ff.Region, second: ff.Region) -> None:
    jobs = [ff.Job(np.zeros(each.local_shape), ff.Normal(), "a", each) for each in (first, second)]
    ff.fill_many_(jobs, seed=7)


def test_a_bad_job_is_named_and_nothing_is_written() -> None:
    good = ff.Job(np.zeros(3), ff.Normal(), "a")
    frozen = np.zeros(3)
    frozen.flags.writeable = False
    for bad, error, match in [
        (ff.Job(frozen, ff.Normal(), "b"), ValueError, r"jobs\[1\].out is read-only"),
        (ff.Job(np.zeros(3, int), ff.Normal(), "b"), TypeError, r"jobs\[1\].out has elements of int64"),
        (ff.Job(np.zeros(3), "normal", "b"), TypeError, r"jobs\[1\].law must be a Normal"),  # type: ignore[arg-type]
        (ff.Job(np.zeros(3), ff.Normal(), -1), ValueError, r"jobs\[1\].key must be in"),
        (ff.Job(np.zeros(3), ff.Normal(), True), TypeError, r"jobs\[1\].key must be an int or a str"),
        (ff.Job(np.zeros(3), ff.Normal(), "b", "all"), TypeError, r"jobs\[1\].region must"),  # type: ignore[arg-type]
        (ff.Job(np.zeros(3, "f4"), ff.Normal(std=1e38), "b"), ValueError, r"jobs\[1\].std: "),
    ]:
        unchanged([good, bad], error, match)


@pytest.mark.parametrize("jobs", [ff.Job(np.zeros(3), ff.Normal(), "a"), iter(()), None])
def test_what_is_no_sequence_of_jobs_is_refused(jobs: Any) -> None:
    with pytest.raises(TypeError, match="jobs must be a sequence of Job"):
        ff.fill_many_(jobs, seed=7)


def test_what_is_no_job_is_refused() -> None:
    good = ff.Job(np.zeros(3), ff.Normal(), "a")
    unchanged([good, (np.zeros(3), ff.Normal(), "b")], TypeError, r"jobs\[1\] must be a Job, not tuple")  # type: ignore[list-item]


def test_very_many_jobs_are_checked_in_little_time() -> None:
    base = np.zeros(45_000 * 4, np.float32)
    jobs = [ff.Job(base[4 * i : 4 * i + 4], ff.Normal(), i) for i in range(45_000)]
    began = time.perf_counter()
    ff.fill_many_(jobs, seed=7)
    assert time.perf_counter() - began < 20  # all pairs would take more than ten minutes
    np.testing.assert_array_equal(jobs[44_999].out, ff.normal(4, seed=7, key=44_999))


def test_a_daemon_thread_in_a_fill_does_not_abort_the_exit() -> None:
    script = """
import threading, time
import numpy as np
import fanfill as ff
def work():
    out = np.empty(1 << 16, np.float32)
    while True:
        ff.fill_(out, ff.Normal(), seed=1, key=1, threads=1)
for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
time.sleep(0.2)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize(
    "law",
    [
        ff.TruncatedNormal(std=5e39, bounds=(-1e-3, 1e-3), correct_variance=True),
        ff.TruncatedNormal(std=3e38, bounds=(-1.0, 1.0), correct_variance=True),
    ],
    ids=repr,
)
def test_a_corrected_std_beyond_the_range_is_refused(law: ff.TruncatedNormal) -> None:
    out = np.zeros(4, np.float32)
    with pytest.raises(ValueError, match="std"):
        ff.fill_(out, law, seed=1, key=1)
    assert not out.any()


@pytest.mark.parametrize(
    "law",
    [
        ff.TruncatedNormal(std=1e111, bounds=(-1.6e-311, 0.0)),
        ff.TruncatedNormal(std=1.27, bounds=(1e-300, 1.000001e-300)),
    ],
    ids=repr,
)
def test_a_step_that_underflows_is_refused(law: ff.TruncatedNormal) -> None:
    out = np.zeros(4)
    with pytest.raises(ValueError, match="narrow"):
        ff.fill_(out, law, seed=1, key=1)
    assert not out.any()
