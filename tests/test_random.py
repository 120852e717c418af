"""Raw words: where each comes from, and the orders in which they are written for test batteries."""

from __future__ import annotations

import io
import os
import threading
from typing import Any

import numpy as np
import pytest

from fanfill import random
from oracle.philox import words as oracle_words

WIDEST = 2**64 - 1


def range_of(start: int, n: int) -> np.ndarray:
    return np.arange(start, start + n, dtype=np.uint64)


def written(layout: str, count: int, **options: Any) -> np.ndarray:
    file = io.BytesIO()
    assert random.raw_to(file, layout, count=count, **({"seed": 7, "key": 5} | options)) == count  # type: ignore[arg-type]
    assert len(file.getvalue()) == 4 * count
    return np.frombuffer(file.getvalue(), "<u4")


# Words.


def test_known_answers() -> None:
    # Random123's kat_vectors for philox4x32 10: key and counter of zeros, and of ones.
    assert random.words(0, 0, 0, 4).tolist() == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]


@pytest.mark.parametrize("start", [0, 1, 5, 2**32 + 3, 2**40, 2**64 - 301])
@pytest.mark.parametrize(("seed", "key"), [(0, 0), (7, 2**33), (WIDEST, WIDEST)])
def test_words_are_the_oracles(seed: int, key: int, start: int) -> None:
    found = random.words(seed, key, start, 300)
    assert (found.dtype, found.shape) == (np.uint32, (300,))
    np.testing.assert_array_equal(found, oracle_words(seed, key, range_of(start, 300)))


def test_names_and_seed_sequences() -> None:
    import fanfill as ff

    sequence = np.random.SeedSequence(5)
    seed = int(sequence.generate_state(1, np.uint64)[0])
    np.testing.assert_array_equal(
        random.words(sequence, "w", 0, 9), random.words(seed, ff.stream_id("w"), 0, 9)
    )


@pytest.mark.parametrize("start", [0, 7, WIDEST - 1, 2**33])
def test_no_words(start: int) -> None:
    assert random.words(0, 0, start, 0).shape == (0,)


def test_numpy_integers_are_integers() -> None:
    np.testing.assert_array_equal(
        random.words(np.uint64(7), np.int32(5), np.int64(3), np.uint8(4)),  # type: ignore[arg-type]
        random.words(7, 5, 3, 4),
    )


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"start": -1}, ValueError, r"start must be in \[0, 2\*\*64\), not -1"),
        ({"start": 2**64}, ValueError, r"start must be in \[0, 2\*\*64\)"),
        ({"n": -1}, ValueError, "n must be at least 0"),
        ({"start": WIDEST, "n": 2}, ValueError, r"start \+ n at most 2\*\*64"),
        ({"n": 2**62}, MemoryError, "n: .* words need .* bytes"),
        ({"start": True}, TypeError, "start must be an integer, not a boolean"),
        ({"start": 1.0}, TypeError, "start must be an integer"),
        ({"n": "4"}, TypeError, "n must be an integer"),
        ({"seed": True}, TypeError, "seed must be an int"),
        ({"seed": 2**64}, ValueError, "seed must be in"),
        ({"key": False}, TypeError, "key must be an int or a str"),
        ({"key": -1}, ValueError, "key must be in"),
    ],
    ids=str,
)
def test_words_refuse(options: dict[str, Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        random.words(**({"seed": 0, "key": 0, "start": 0, "n": 4} | options))


# Layouts, each put together here from the oracle's words.


def sequential(count: int) -> np.ndarray:
    return oracle_words(7, 5, range_of(0, count))


def bit_reversed(count: int) -> np.ndarray:
    return np.array([int(f"{word:032b}"[::-1], 2) for word in sequential(count).tolist()], np.uint32)


def halves(count: int) -> np.ndarray:
    run = 65536
    source = sequential(-(-count // run) * run).reshape(-1, run)
    found = [np.concatenate([row & 0xFFFF, row >> 16]).astype("<u2") for row in source]
    return np.concatenate(found).view("<u4")[:count]


def strided(count: int) -> np.ndarray:
    return np.concatenate([oracle_words(7, 5, range_of(4 * 2**32 * k, 4)) for k in range(count // 4)])


def seeds(count: int) -> np.ndarray:
    return np.concatenate(
        [oracle_words(7 + k % 1024, 5, range_of(4 * (k // 1024), 4)) for k in range(count // 4)]
    )


def streams(count: int) -> np.ndarray:
    return np.concatenate(
        [oracle_words(7, 5 + k % 100, range_of(3 * (k // 100), 3)) for k in range(count // 3)]
    )


def tensors(count: int) -> np.ndarray:
    return np.concatenate([oracle_words(7, 5 + k, range_of(0, 4)) for k in range(count // 4)])


LAYOUTS = {
    "sequential": (sequential, 1000),
    "bit-reversed": (bit_reversed, 1000),
    "halves": (halves, 70_000),
    "strided": (strided, 400),
    "seeds": (seeds, 4 * 1030),
    "streams": (streams, 3 * 205),
    "tensors": (tensors, 400),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layout(layout: str) -> None:
    make, count = LAYOUTS[layout]
    np.testing.assert_array_equal(written(layout, count), make(count))


def test_every_layout_is_tested() -> None:
    assert set(random.LAYOUTS) == {*LAYOUTS, "uniforms"}


def test_uniforms_give_the_upper_bits_of_their_words_back() -> None:
    found = written("uniforms", 3000).view(np.uint8).reshape(-1, 3).astype(np.int64)
    top = found[:, 0] | found[:, 1] << 8 | found[:, 2] << 16
    # The word is signed: its sign bit tells the lower from the upper half of the interval.
    direct = ((sequential(4000).astype(np.int64) + 2**31) % 2**32) >> 8
    assert set(np.unique(top - direct)) <= {0, 1}  # 1 where the 32 bits were rounded up to 24
    assert (top != direct).any()


@pytest.mark.parametrize("layout", random.LAYOUTS)
def test_chunks_do_not_change_the_order(layout: str, monkeypatch: pytest.MonkeyPatch) -> None:
    count = 200_001 if layout == "halves" else 5001
    expected = written(layout, count)
    for chunk in (1, 1000):
        monkeypatch.setattr(random, "_CHUNK", chunk)
        np.testing.assert_array_equal(written(layout, count), expected)


@pytest.mark.parametrize("layout", random.LAYOUTS)
def test_layouts_depend_on_seed_and_key(layout: str) -> None:
    found = [written(layout, 64, **options) for options in ({}, {"seed": 8}, {"key": 6}, {"key": "w"})]
    assert len({each.tobytes() for each in found}) == 4


def test_the_strided_layout_goes_on_at_the_neighbours_once_all_strides_are_used() -> None:
    make = random.LAYOUTS["strided"].make
    last, first = make(7, 5, 2**30 - 1, 2).reshape(2, 4)
    np.testing.assert_array_equal(last, oracle_words(7, 5, range_of(4 * (2**62 - 2**32), 4)))
    np.testing.assert_array_equal(first, oracle_words(7, 5, range_of(4, 4)))


def test_seeds_and_keys_wrap() -> None:
    found = written("seeds", 8, seed=WIDEST)
    np.testing.assert_array_equal(found[4:], oracle_words(0, 5, range_of(0, 4)))
    found = written("tensors", 8, key=WIDEST)
    np.testing.assert_array_equal(found[4:], oracle_words(7, 0, range_of(0, 4)))


# The stream.


@pytest.mark.parametrize("count", [0, 1, 2**18, 2**18 + 1])
def test_exactly_so_many_words(count: int) -> None:
    written("sequential", count)


class Closing(io.BytesIO):
    """A pipe whose reader leaves after some writes."""

    left = 3

    def write(self, data: Any) -> int:
        if self.left == 0:
            raise BrokenPipeError
        self.left -= 1
        return super().write(data)


def test_a_reader_that_leaves_ends_an_endless_stream() -> None:
    file = Closing()
    assert random.raw_to(file) == 3 * 2**18 == len(file.getvalue()) // 4


def test_a_pipe_without_a_buffer_gets_every_byte() -> None:
    read, write = os.pipe()
    received = bytearray()

    def reader() -> None:
        with open(read, "rb") as file:
            received.extend(file.read())

    thread = threading.Thread(target=reader)
    thread.start()
    with open(write, "wb", buffering=0) as file:
        random.raw_to(file, count=600_000)
    thread.join()
    np.testing.assert_array_equal(np.frombuffer(received, "<u4"), random.words(0, 0, 0, 600_000))


def test_a_full_disk_is_an_error() -> None:
    with open("/dev/full", "wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        random.raw_to(file)


@pytest.mark.parametrize(
    ("layout", "options", "error", "match"),
    [
        ("reversed", {}, ValueError, "layout must be one of sequential, bit-reversed, .*, not 'reversed'"),
        (None, {}, ValueError, "layout must be one of"),
        ("seeds", {"count": -1}, ValueError, "count must be at least 0, not -1"),
        ("seeds", {"count": 1.5}, TypeError, "count must be an integer"),
        ("seeds", {"count": True}, TypeError, "count must be an integer, not a boolean"),
        ("seeds", {"seed": -1}, ValueError, "seed must be in"),
        ("seeds", {"key": 2**64}, ValueError, "key must be in"),
    ],
    ids=str,
)
def test_raw_to_refuses(layout: Any, options: dict[str, Any], error: type[Exception], match: str) -> None:
    file = io.BytesIO()
    with pytest.raises(error, match=match):
        random.raw_to(file, layout, **options)
    assert file.getvalue() == b""
