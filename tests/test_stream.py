"""Seeds and keys: how they become 64-bit integers, and what is neither."""

from __future__ import annotations

import numpy as np
import pytest

import fanfill as ff
from fanfill.stream import normalize_seed


@pytest.mark.parametrize("key", [0, 7, 2**63, 2**64 - 1])
def test_an_integer_key_is_its_own_stream(key: int) -> None:
    assert ff.stream_id(key) == key


def test_a_numpy_integer_key_is_its_own_stream() -> None:
    stream = ff.stream_id(np.uint64(2**64 - 1))  # type: ignore[arg-type]
    assert (type(stream), stream) == (int, 2**64 - 1)


@pytest.mark.parametrize(
    ("key", "digest"),  # of `printf KEY | b2sum -l 64`
    [("", "e4a6a0577479b2b4"), ("weight", "467271dc3e2ee084"), ("ключ", "4cd42d91d185c820")],
)
def test_a_string_key_is_its_blake2b_hash_read_little_endian(key: str, digest: str) -> None:
    assert ff.stream_id(key) == int.from_bytes(bytes.fromhex(digest), "little")


def test_keys_that_normalise_to_the_same_text_are_different_streams() -> None:
    assert ff.stream_id("\u00e9") != ff.stream_id("e\u0301")


@pytest.mark.parametrize("key", [True, np.True_, 1.0, None, b"weight", ("a",)])
def test_a_key_that_is_neither_int_nor_str_is_refused(key: object) -> None:
    with pytest.raises(TypeError, match="key must be an int or a str"):
        ff.stream_id(key)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", [-1, 2**64])
def test_a_key_out_of_range_is_refused(key: int) -> None:
    with pytest.raises(ValueError, match=r"key must be in \[0, 2\*\*64\)"):
        ff.stream_id(key)


def test_a_key_without_a_utf8_form_is_refused() -> None:
    with pytest.raises(ValueError, match="has no UTF-8 form"):
        ff.stream_id("\ud800")


@pytest.mark.parametrize("seed", [0, 2**64 - 1, np.int32(5), np.uint64(2**64 - 1)])
def test_an_integer_seed_is_the_seed(seed: int) -> None:
    value = normalize_seed(seed)
    assert (type(value), value) == (int, int(seed))


def test_a_seed_sequence_gives_the_first_word_of_its_state() -> None:
    value = normalize_seed(np.random.SeedSequence(12345))
    assert (type(value), value) == (int, int(np.random.SeedSequence(12345).generate_state(1, np.uint64)[0]))


@pytest.mark.parametrize("seed", [True, np.False_, 1.0, "7", None, [1, 2]])
def test_a_seed_that_is_neither_int_nor_seed_sequence_is_refused(seed: object) -> None:
    with pytest.raises(TypeError, match="seed must be an int"):
        normalize_seed(seed)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_out_of_range_is_refused(seed: int) -> None:
    with pytest.raises(ValueError, match=r"seed must be in \[0, 2\*\*64\)"):
        normalize_seed(seed)


def test_fresh_seeds_are_in_range_and_differ() -> None:
    seeds = {ff.fresh_seed() for _ in range(8)}
    assert len(seeds) == 8
    assert all(0 <= seed < 2**64 for seed in seeds)
