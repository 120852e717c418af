"""Philox4x32 as a NumPy bit generator: whose words it hands out, its state, its jumps, and what it refuses.

It must not know how a word is made: `random.words` says which ones there are.
"""

from __future__ import annotations

import copy
import inspect
import os
import pickle
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanfill import random, stream_id
from fanfill.random import Philox4x32
from oracle.philox import words as oracle_words

KEYS: list[int | str] = [0, 5, 2**64 - 1, "transformer.wte.weight"]
DRAWS = 512  # that the generator keeps
LAST = 2**63 - 1  # draw of a stream
LAST_JUMP, LAST_JUMPED = 2**20 - 1, 2**43 - 1


def drawn(generator: Philox4x32, n: int) -> np.ndarray[Any, np.dtype[np.uint64]]:
    return np.asarray(generator.random_raw(n))


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("seed", [0, 7, 2**64 - 1])
def test_word_i_is_word_i_of_the_contract(seed: int, key: int | str) -> None:
    n = 3 * DRAWS + 5
    expected = random.words(seed, key, 0, 2 * n)
    np.testing.assert_array_equal(drawn(Philox4x32(seed, key=key), n).view(np.uint32), expected)
    halves = np.random.Generator(Philox4x32(seed, key=key)).integers(0, 2**32, 2 * n, dtype=np.uint32)
    np.testing.assert_array_equal(halves, expected)
    doubles = np.random.Generator(Philox4x32(seed, key=key)).random(n)
    np.testing.assert_array_equal(doubles, (expected.view(np.uint64) >> np.uint64(11)) * 2.0**-53)


def test_a_wide_draw_leaves_the_half_that_is_kept() -> None:
    generator = np.random.Generator(Philox4x32(3))
    words = random.words(3, 0, 0, 6)
    mixed = [generator.integers(0, 2**32, dtype=np.uint32), generator.bit_generator.random_raw()]
    mixed.append(generator.integers(0, 2**32, dtype=np.uint32))
    assert mixed == [words[0], words[2:4].view(np.uint64)[0], words[1]]


def test_a_seed_sequence() -> None:
    sequence = np.random.SeedSequence(12345, spawn_key=(6,))
    seed = int(sequence.generate_state(1, np.uint64)[0])
    np.testing.assert_array_equal(drawn(Philox4x32(sequence), 9), drawn(Philox4x32(seed), 9))
    assert len({int(child.random_raw()) for child in Philox4x32(sequence).spawn(5)}) == 5
    assert len({int(Philox4x32().random_raw()) for _ in range(5)}) == 5
    generators = np.random.Generator(Philox4x32(7)).spawn(2)
    assert [type(generator.bit_generator) for generator in generators] == [Philox4x32] * 2


@given(before=st.integers(0, 1500), after=st.integers(0, 700), has_half=st.booleans())
def test_state_pickle_and_copies(before: int, after: int, has_half: bool) -> None:
    generator = Philox4x32(11, key="w")
    generator.random_raw(before, output=False)
    if has_half:
        np.random.Generator(generator).integers(0, 2**32, dtype=np.uint32)
    other = Philox4x32(0)
    other.state = generator.state
    same = [other, pickle.loads(pickle.dumps(generator)), copy.copy(generator), copy.deepcopy(generator)]
    assert all(each.state == generator.state for each in same)
    expected = np.random.Generator(generator).integers(0, 2**32, after, dtype=np.uint32)
    for each in same:
        found = np.random.Generator(each).integers(0, 2**32, after, dtype=np.uint32)
        np.testing.assert_array_equal(found, expected)


def test_a_pickled_generator_goes_on() -> None:
    generator = np.random.Generator(Philox4x32(11, key="w"))
    generator.normal(size=100)
    again = pickle.loads(pickle.dumps(generator))
    np.testing.assert_array_equal(again.normal(size=100), generator.normal(size=100))


ANOTHER_PROCESS = """
import pickle, sys
generator = pickle.load(sys.stdin.buffer)  # brings fanfill along by itself
print(*generator.integers(0, 2**32, 600, dtype="uint32"))
"""


def test_a_pickle_is_read_by_another_process() -> None:
    generator = np.random.Generator(Philox4x32(11, key="w"))
    generator.integers(0, 2**32, 7, dtype=np.uint32)  # half a draw is kept
    command = [sys.executable, "-c", ANOTHER_PROCESS]
    found = subprocess.run(command, input=pickle.dumps(generator), capture_output=True, check=True).stdout
    expected = generator.integers(0, 2**32, 600, dtype=np.uint32)
    np.testing.assert_array_equal(np.array(found.split(), np.uint32), expected)
    assert Philox4x32.__module__ == "fanfill._bitgen"


def test_the_signature_is_its_own() -> None:
    assert str(inspect.signature(Philox4x32)) == "(seed=None, *, key=0)"
    assert (Philox4x32.__doc__ or "").startswith("Philox4x32-10 as a bit generator")


def test_a_second_init_begins_anew() -> None:
    generator = Philox4x32(11, key="w").jumped(3)
    np.random.Generator(generator).integers(0, 2**32, 7, dtype=np.uint32)
    before = generator.state
    with pytest.raises(ValueError, match="seed must be in"):
        generator.__init__(-1)  # type: ignore[misc]
    assert generator.state == before
    generator.__init__(5, key=9)  # type: ignore[misc]
    assert generator.state == Philox4x32(5, key=9).state
    np.testing.assert_array_equal(drawn(generator, 3), drawn(Philox4x32(5, key=9), 3))


def test_who_holds_the_lock_may_move_the_generator() -> None:
    code = """if True:
        import fanfill
        generator = fanfill.random.Philox4x32(5)
        with generator.lock:  # as NumPy asks of code that draws by itself
            generator.advance(100)
            generator.state = {**generator.state}
            print(generator.jumped().state["state"]["position"], generator.state["state"]["position"])
    """
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == ["0", "100"]


def test_threads_share_the_words_and_a_state_is_of_one_moment() -> None:
    generator, n = np.random.Generator(Philox4x32(5)), 20 * DRAWS
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(generator.random(n))) for _ in range(4)]
    for thread in threads:
        thread.start()
    states = []
    while any(thread.is_alive() for thread in threads):
        states.append(generator.bit_generator.state["state"]["position"])
    assert states == sorted(states)
    assert {position % n for position in states} <= {0}
    expected = np.random.Generator(Philox4x32(5)).random(4 * n)
    np.testing.assert_array_equal(np.sort(np.concatenate(found)), np.sort(expected))


@given(steps=st.lists(st.integers(-1000, 3000), max_size=6))
def test_advance_counts_draws(steps: list[int]) -> None:
    generator, at = Philox4x32(5), 0
    for step in steps:
        if at + step < 0:
            with pytest.raises(ValueError, match="delta"):
                generator.advance(step)
            continue
        assert generator.advance(step) is generator
        at += step
        expected = random.words(5, 0, 2 * at, 2).view(np.uint64)[0]
        assert generator.random_raw() == expected
        at += 1


def test_advance_drops_half_a_draw() -> None:
    generator = np.random.Generator(Philox4x32(5))
    generator.integers(0, 2**32, dtype=np.uint32)
    generator.bit_generator.advance(0)
    assert generator.integers(0, 2**32, dtype=np.uint32) == random.words(5, 0, 2, 1)[0]


def test_the_end_of_a_stream() -> None:
    generator = Philox4x32(5, key=9).advance(LAST)
    found = drawn(generator, 3)
    np.testing.assert_array_equal(found[:1].view(np.uint32), random.words(5, 9, 2**64 - 2, 2))
    np.testing.assert_array_equal(found[1:].view(np.uint32), random.words(5, 9, 0, 4))
    with pytest.raises(ValueError, match=rf"the stream has 0 \.\.\. {LAST}"):
        Philox4x32(5).advance(LAST + 1)
    generator = Philox4x32(5).advance(100)
    with pytest.raises(ValueError, match="delta"):
        generator.advance(-101)
    assert generator.state["state"]["position"] == 100  # as it was


BIT_GENERATOR = 2  # its domain


def jumped_words(seed: int, key: int | str, jump: int, draw: int, n: int) -> Any:
    index = np.arange(2 * ((jump << 43) + draw), 2 * ((jump << 43) + draw) + n, dtype=np.uint64)
    return oracle_words(seed, stream_id(key), index, BIT_GENERATOR)


@pytest.mark.parametrize("jump", [1, 2, LAST_JUMP])
def test_jumps_are_streams_of_their_own_domain(jump: int) -> None:
    base = Philox4x32(5, key="w")
    base.random_raw(77)
    jumped = base.jumped(jump)
    np.testing.assert_array_equal(drawn(jumped, 3).view(np.uint32), jumped_words(5, "w", jump, 0, 6))
    jumped.advance(LAST_JUMPED - 3)
    expected = np.concatenate([jumped_words(5, "w", jump, LAST_JUMPED, 2), jumped_words(5, "w", jump, 0, 2)])
    np.testing.assert_array_equal(drawn(jumped, 2).view(np.uint32), expected)
    assert base.state["state"]["position"] == 77
    with pytest.raises(ValueError, match=f"the stream has 0 ... {LAST_JUMPED}"):
        base.jumped(jump).advance(LAST_JUMPED + 1)


def test_jumps_add_up() -> None:
    base = Philox4x32(5)
    assert base.jumped(2).jumped(3).state == base.jumped(5).state
    assert pickle.loads(pickle.dumps(base.jumped(5))).state == base.jumped(5).state
    for jumps in (0, -1, LAST_JUMP + 1):
        with pytest.raises(ValueError, match="jumps: "):
            base.jumped(jumps)
    with pytest.raises(ValueError, match="jumps: "):
        base.jumped(LAST_JUMP).jumped()


@pytest.mark.parametrize(
    ("arguments", "keywords", "error", "text"),
    [
        ((True,), {}, TypeError, "seed must be"),
        ((1.5,), {}, TypeError, "seed must be"),
        ((-1,), {}, ValueError, "seed must be in"),
        ((2**64,), {}, ValueError, "seed must be in"),
        ((7,), {"key": True}, TypeError, "key must be"),
        ((7,), {"key": -1}, ValueError, "key must be in"),
    ],
)
def test_refused_arguments(arguments: Any, keywords: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        Philox4x32(*arguments, **keywords)


def altered(**members: Any) -> dict[str, Any]:
    state = Philox4x32(7).state
    state["state"] |= {name: value for name, value in members.items() if name in state["state"]}
    return state | {name: value for name, value in members.items() if name not in state["state"]}


@pytest.mark.parametrize(
    ("state", "error", "text"),
    [
        (None, TypeError, "state must be a dict"),
        ({}, ValueError, "that of a Philox4x32"),
        (np.random.Philox(7).state, ValueError, "not of 'Philox'"),
        (altered(state={}), ValueError, "seed, stream, jump and position"),
        (altered(state=None), ValueError, "seed, stream, jump and position"),
        (altered(seed=2**64), ValueError, "seed must be in"),
        (altered(seed=-1), ValueError, "seed must be in"),
        (altered(seed="7"), TypeError, "seed"),
        (altered(stream=True), TypeError, "stream"),
        (altered(jump=LAST_JUMP + 1), ValueError, "jump must be in"),
        (altered(position=LAST + 1), ValueError, "position must be in"),
        (altered(jump=1, position=LAST_JUMPED + 1), ValueError, "position must be in"),
        (altered(has_uint32=2), ValueError, "has_uint32 must be in"),
        (altered(uinteger=2**32), ValueError, "uinteger must be in"),
    ],
)
def test_a_refused_state_changes_nothing(state: Any, error: type[Exception], text: str) -> None:
    generator = Philox4x32(7)
    generator.random_raw(3)
    before = generator.state
    with pytest.raises(error, match=text):
        generator.state = state
    assert generator.state == before


scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3))
members = st.dictionaries(st.sampled_from(["seed", "stream", "jump", "position"]), scalars)
names = st.sampled_from(["Philox4x32", "Philox"])


@given(
    state=st.fixed_dictionaries(
        {}, optional={"bit_generator": names, "state": members, "has_uint32": scalars, "uinteger": scalars}
    )
)
def test_any_state_is_taken_whole_or_refused(state: dict[str, Any]) -> None:
    generator = Philox4x32(7)
    before = generator.state
    try:
        generator.state = state
    except (TypeError, ValueError):
        assert generator.state == before
    else:
        assert generator.state["state"] == state["state"]
    generator.random_raw(2)


def test_repr_says_where_it_is() -> None:
    generator = Philox4x32(7, key=3)
    generator.random_raw(5)
    assert repr(generator) == "<fanfill.random.Philox4x32: seed 7, stream 3, 5 draws from its begin>"
    assert "jumped 2 times" in repr(generator.jumped(2))


def test_an_unknown_instruction_set_is_refused() -> None:
    code = "import fanfill; fanfill.random.Philox4x32(7)"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "FANFILL_ISA": "sse9"},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.returncode == 1
    assert "ValueError: FANFILL_ISA: 'sse9' is no instruction set here" in run.stderr
