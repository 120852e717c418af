"""The short road of plain memory and the long one give the same bits, refuse the same and say the same."""

from __future__ import annotations

import itertools
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fanfill as ff
from fanfill import _core, fill
from fanfill.stream import stream_id_once

LAWS = [
    ff.Normal(0.1, 0.02),
    ff.Uniform(-0.1, 0.3),
    ff.TruncatedNormal(std=0.5),
    ff.Constant(0.25),
    ff.Normal(0, 1),
    ff.LogUniform(1e-3, 0.1, inverse_softplus=True),
    ff.Arange(1, 5, log=True),
]


def long_road(call: Callable[[], Any]) -> Any:
    """Run the call as if no memory were plain."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("fill_plain", "fill_plain_many"):
            patch.setattr(_core, name, lambda *_: False)
        return call()


def is_plain(call: Callable[[], Any]) -> bool:
    """Whether the call took the short road."""
    taken: list[bool] = []
    with pytest.MonkeyPatch.context() as patch:
        for name in ("fill_plain", "fill_plain_many"):
            patch.setattr(_core, name, _watched(getattr(_core, name), taken))
        call()
    return any(taken)


def _watched(function: Callable[..., bool], taken: list[bool]) -> Callable[..., bool]:
    def watched(*arguments: Any) -> bool:
        taken.append(function(*arguments))
        return taken[-1]

    return watched


def outcome(call: Callable[[], Any]) -> tuple[str, str]:
    try:
        call()
    except Exception as error:  # noqa: BLE001
        return type(error).__name__, str(error)
    return "", ""


@settings(max_examples=60)
@given(
    shape=st.lists(st.integers(0, 9), max_size=4).map(tuple),
    dtype=st.sampled_from(["float64", "float32", "float16"]),
    law=st.sampled_from(LAWS),
    seed=st.integers(0, 2**64 - 1),
    key=st.one_of(st.integers(0, 2**64 - 1), st.text(max_size=20)),
)
def test_one_tensor_gets_the_same_bits(
    shape: tuple[int, ...], dtype: str, law: ff.Law, seed: int, key: Any
) -> None:
    short, long = np.zeros(shape, dtype), np.zeros(shape, dtype)
    assert is_plain(lambda: ff.fill_(short, law, seed=seed, key=key))
    long_road(lambda: ff.fill_(long, law, seed=seed, key=key))
    assert short.tobytes() == long.tobytes()


@pytest.mark.parametrize("count", [0, 1, 2, 200])
def test_many_tensors_get_the_same_bits(count: int) -> None:
    def jobs() -> list[ff.Job]:
        dtypes = itertools.cycle(["float32", "float64", "float16"])
        return [
            ff.Job(np.zeros((i % 7, 5), next(dtypes)), LAWS[i % 5], f"name.{i}" if i % 2 else i)
            for i in range(count)
        ]

    short, long = jobs(), jobs()
    assert is_plain(lambda: ff.fill_many_(short, seed=7))
    assert is_plain(lambda: ff.fill_many_(tuple(jobs()), seed=7))
    long_road(lambda: ff.fill_many_(long, seed=7))
    for one, other in zip(short, long, strict=True):
        assert one.out.tobytes() == other.out.tobytes()


@pytest.mark.parametrize("threads", [None, 1, 3])
def test_large_tensors_get_the_same_bits(threads: int | None) -> None:
    short, long = np.zeros((500, 700)), np.zeros((500, 700))
    assert is_plain(lambda: ff.fill_(short, ff.Normal(), seed=7, key="w", threads=threads))
    long_road(lambda: ff.fill_(long, ff.Normal(), seed=7, key="w", threads=threads))
    assert short.tobytes() == long.tobytes()


BASE = np.zeros((4, 6), np.float32)
NOT_PLAIN: dict[str, tuple[Any, dict[str, Any]]] = {
    "strided": (BASE[:, ::2], {}),
    "transposed": (BASE.T, {}),
    "reversed": (BASE[::-1], {}),
    "a subclass": (BASE.view(np.recarray), {}),
    "a byte buffer": (bytearray(8), {"dtype": "float32"}),
    "a memoryview": (memoryview(BASE), {}),
    "a named dtype": (BASE, {"dtype": "float32"}),
    "a region": (BASE, {"region": ff.Region.box((8, 6), (0, 0), (4, 6))}),
    "a seed sequence": (BASE, {"seed": np.random.SeedSequence(1)}),
    "a NumPy seed": (BASE, {"seed": np.uint64(7)}),
}


@pytest.mark.parametrize("name", NOT_PLAIN)
def test_what_is_not_plain_takes_the_long_road(name: str) -> None:
    out, options = NOT_PLAIN[name]
    call = {"seed": 7, "key": "w"} | options
    assert not is_plain(lambda: ff.fill_(out, ff.Normal(), **call))
    if set(options) <= {"seed"}:
        jobs = [ff.Job(out, ff.Normal(), "w"), ff.Job(np.zeros(3), ff.Normal(), "v")]
        assert not is_plain(lambda: ff.fill_many_(jobs, seed=call["seed"]))


def frozen() -> np.ndarray:
    out = np.zeros(3)
    out.flags.writeable = False
    return out


BAD_OUTS: list[Any] = [
    frozen(),
    np.zeros(3, ">f4"),
    np.zeros(3, int),
    np.zeros(3, [("a", "f4")]),
    np.zeros(17, np.uint8)[1:].view(np.float32),
    np.ma.MaskedArray(np.zeros(3), [True, False, False]),
    [0.0],
    None,
    b"12345678",
]
BAD: list[tuple[Any, Any, dict[str, Any]]] = [
    *((out, ff.Normal(), {}) for out in BAD_OUTS),
    *((np.zeros(3), law, {}) for law in (None, "normal", ff.Normal, ff.Law())),
    *((np.zeros(3), ff.Normal(), {"key": key}) for key in (True, -1, 2**64, 1.0, None, "\ud800", np.True_)),
    *((np.zeros(3), ff.Normal(), {"seed": seed}) for seed in (True, -1, 2**64, 1.0, None, "7")),
    *((np.zeros(3), ff.Normal(), {"threads": threads}) for threads in (0, -1, True, 1.5, "2")),
    (np.zeros(3, np.float32), ff.Normal(std=1e38), {}),
    (np.zeros(0, np.float32), ff.Normal(std=1e38), {}),
    (np.zeros(3, np.float16), ff.Uniform(1.0001, 1.0002), {}),
    # Two faults at once: the same one is named.
    (frozen(), "normal", {"key": True, "seed": -1}),
    (frozen(), ff.Normal(), {"key": True, "seed": -1, "threads": 0}),
    (np.zeros(3), ff.Normal(), {"key": True, "seed": -1, "threads": 0}),
    (np.zeros(3), ff.Normal(), {"seed": -1, "threads": 0}),
    (np.zeros(3, np.float32), ff.Normal(std=1e38), {"threads": 0}),
]


@pytest.mark.parametrize("number", range(len(BAD)))
def test_refusals_are_the_same(number: int) -> None:
    out, law, options = BAD[number]
    call = {"seed": 7, "key": "w"} | options
    short = outcome(lambda: ff.fill_(out, law, **call))
    assert short[0] in ("TypeError", "ValueError")
    assert long_road(lambda: outcome(lambda: ff.fill_(out, law, **call))) == short
    if isinstance(out, np.ndarray):
        assert not any(np.asarray(out).tobytes())


@pytest.mark.parametrize("number", range(len(BAD)))
def test_refusals_of_many_are_the_same(number: int) -> None:
    out, law, options = BAD[number]
    call = {"seed": 7} | {name: value for name, value in options.items() if name != "key"}
    good = np.zeros(4)
    jobs = [ff.Job(good, ff.Normal(), "v"), ff.Job(out, law, options.get("key", "w"))]
    short = outcome(lambda: ff.fill_many_(jobs, **call))
    assert short[0] in ("TypeError", "ValueError")
    assert long_road(lambda: outcome(lambda: ff.fill_many_(jobs, **call))) == short
    assert not good.any()


def test_jobs_that_share_something_are_refused_the_same() -> None:
    base = np.zeros(12)
    normal = ff.Normal()
    for jobs, allowed in [
        ([ff.Job(base[:5], normal, "a"), ff.Job(base[4:], normal, "b")], False),
        ([ff.Job(base[4:], normal, "a"), ff.Job(base[:5], normal, "b")], False),
        ([ff.Job(base[:5], normal, "a"), ff.Job(base[5:], normal, "a")], False),
        ([ff.Job(base[:5], normal, "a"), ff.Job(base[5:], normal, ff.stream_id("a"))], False),
        ([ff.Job(base[:5], normal, "a"), ff.Job(base[5:], normal, "b")], True),
        ([ff.Job(base, normal, "a"), ff.Job(base[:0], normal, "a"), ff.Job(base[3:3], normal, "c")], True),
    ]:
        base[:] = 0.0
        short = outcome(lambda jobs=jobs: ff.fill_many_(jobs, seed=7))  # type: ignore[misc]
        assert (short == ("", "")) is allowed is bool(base.any())
        base[:] = 0.0
        assert long_road(lambda jobs=jobs: outcome(lambda: ff.fill_many_(jobs, seed=7))) == short  # type: ignore[misc]


@pytest.mark.parametrize("jobs", [None, 5, iter(()), {"a": 1}, "jobs", [1], [None]])
def test_what_are_no_jobs_is_refused_the_same(jobs: Any) -> None:
    short = outcome(lambda: ff.fill_many_(jobs, seed=7))
    assert short[0] == "TypeError"
    assert long_road(lambda: outcome(lambda: ff.fill_many_(jobs, seed=7))) == short


def test_no_reference_is_kept_or_lost() -> None:
    out, law = np.zeros(50), ff.Normal()
    job = ff.Job(out, law, "w")
    held = [out, law, job, np.dtype("f8"), *fill._QUESTIONS, *fill._QUESTIONS_OF_MANY]
    before = [sys.getrefcount(each) for each in held]
    for _ in range(200):
        ff.fill_(out, law, seed=7, key="w")
        ff.fill_many_([job], seed=7)
        outcome(lambda: ff.fill_(out, law, seed=7, key=-1))
    after = [sys.getrefcount(each) for each in held]
    assert max(abs(one - other) for one, other in zip(before, after, strict=True)) < 20


def test_a_handlers_own_exception_is_raised_and_not_taken_for_a_refusal() -> None:
    class StopError(Exception):
        pass

    def stop(number: int, frame: object) -> None:
        raise StopError

    out = np.zeros(1 << 27, np.float32)
    before = signal.signal(signal.SIGUSR1, stop)
    timer = threading.Timer(0.03, lambda: signal.raise_signal(signal.SIGUSR1))
    try:
        timer.start()
        with pytest.raises(StopError):
            ff.fill_(out, ff.Normal(), seed=7, key="w", threads=1)
    finally:
        timer.join()
        signal.signal(signal.SIGUSR1, before)
    assert out[-1] == 0.0


def test_ctrl_c_among_the_questions_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(key: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(fill, "_QUESTIONS", (*fill._QUESTIONS[:2], pressed, *fill._QUESTIONS[3:]))
    with pytest.raises(KeyboardInterrupt):
        ff.fill_(np.zeros(3), ff.Normal(), seed=7, key="w")


def test_remembered_and_unremembered_streams_are_the_same() -> None:
    for key in ("", "w", "ключ", 0, 2**64 - 1, np.uint64(5)):
        assert stream_id_once(key) == ff.stream_id(key)  # type: ignore[arg-type]
    for wrong in (True, -1, 2**64, None, 1.0, "\ud800"):
        assert outcome(lambda key=wrong: stream_id_once(key)) == outcome(lambda key=wrong: ff.stream_id(key))  # type: ignore[misc]
