"""Indices to words: which word of the stream an element takes, in every domain that the contract names."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

import fanfill as ff
from oracle import core
from oracle.law import NORMAL, Law, fill
from oracle.philox import TAILS, wide_words, words

STARTS = [0, 1, 2, 3, 5, 63, 2**31 - 1, 2**32 + 1, 2**34 - 30, 2**40 + 3, 2**61 - 7, 2**64 - 300]
WIDEST = 2**64 - 1


@pytest.mark.parametrize("isa", core.ISAS)
@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize(
    ("seed", "stream"), [(0, 0), (1, 2), (2**32, 2**33), (WIDEST, WIDEST), (20111115, 7)]
)
def test_raw_words_are_the_oracles(seed: int, stream: int, start: int, isa: str) -> None:
    index = np.arange(start, start + 299, dtype=np.uint64)
    np.testing.assert_array_equal(core.raw_words(isa, seed, stream, start, 299), words(seed, stream, index))


@pytest.mark.parametrize("isa", core.ISAS)
def test_every_length_of_raw_words_ends_where_it_should(isa: str) -> None:
    whole = core.raw_words(isa, 5, 6, 0, 400)
    for start in (0, 1, 2, 3, 130):
        for count in range(132):
            np.testing.assert_array_equal(
                core.raw_words(isa, 5, 6, start, count), whole[start : start + count]
            )


def test_a_float64_takes_two_words_low_first() -> None:
    index = np.arange(1000, dtype=np.uint64)
    pairs = words(3, 4, np.arange(2000, dtype=np.uint64)).reshape(-1, 2).astype(np.uint64)
    np.testing.assert_array_equal(wide_words(3, 4, index), pairs[:, 0] | pairs[:, 1] << np.uint64(32))


def test_a_tail_takes_the_word_at_its_own_place_in_domain_1() -> None:
    # The first 2^20 elements of a stream hold about 32 words of the tail; all their tail words are used.
    law, count = Law(NORMAL, 0.0, 1.0), 2**20
    index = np.arange(count, dtype=np.uint64)
    s = (words(9, 9, index) | np.uint32(1)).view(np.int32).astype(np.int64)
    tails = index[2**31 - np.abs(s) < 2**16]
    assert 10 < len(tails) < 60
    codes = core.fill(law, "float32", 9, 9, 0, count)[tails]
    np.testing.assert_array_equal(codes, fill(law, "float32", 9, 9, tails))
    for isa in core.ISAS:
        elements, own = words(9, 9, tails), words(9, 9, tails, TAILS)
        np.testing.assert_array_equal(core.transform(isa, law, "float32", elements, own), codes)
        assert (core.transform(isa, law, "float32", elements, elements) != codes).any()


def test_a_name_is_the_stream_of_its_blake2b_hash() -> None:
    name = "model.layers.0.mlp.up_proj.weight"
    stream = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
    filled = ff.fill_(np.empty(100, np.float32), ff.Normal(), seed=11, key=name)
    expected = fill(Law(NORMAL, 0.0, 1.0), "float32", 11, stream, np.arange(100, dtype=np.uint64))
    np.testing.assert_array_equal(filled.view(np.uint32), expected)


def test_a_seed_sequence_is_its_first_64_bit_word() -> None:
    sequence = np.random.SeedSequence(12345)
    filled = ff.fill_(np.empty(100, np.float32), ff.Normal(), seed=sequence, key=3)
    seed = int(np.random.SeedSequence(12345).generate_state(1, np.uint64)[0])
    expected = fill(Law(NORMAL, 0.0, 1.0), "float32", seed, 3, np.arange(100, dtype=np.uint64))
    np.testing.assert_array_equal(filled.view(np.uint32), expected)
