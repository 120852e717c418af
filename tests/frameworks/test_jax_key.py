"""How keys of JAX become seeds and streams: every generator, typed and raw, one or many."""

from __future__ import annotations

import hashlib
import warnings

import numpy as np
import pytest

import fanfill as ff

pytestmark = pytest.mark.framework

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import jax
    import jax.extend
    import jax.numpy as jnp

    from fanfill.jax import initializers, seed_and_stream

# Generator and its words for seed 7: as many as the installed JAX has.
GENERATORS = {
    "threefry2x32": (7, 0),
    "rbg": (7, 7),
    "unsafe_rbg": (7, 7),
    "philox2x32": None,
    "philox4x32": None,
    "threefry4x32": None,
}


def installed() -> list[str]:
    found = []
    for name in GENERATORS:
        try:
            jax.random.key(7, impl=name)
        except ValueError:
            continue
        found.append(name)
    return found


@pytest.mark.parametrize("name", installed())
def test_keys_of_every_generator(name: str) -> None:
    key = jax.random.key(7, impl=name)
    pair = seed_and_stream(key)
    if GENERATORS[name] is not None:
        assert pair == GENERATORS[name]
    words = np.asarray(jax.random.key_data(key)).tolist()
    first, second = words[:2], words[2:]
    assert pair == tuple(sum(w << 32 * k for k, w in enumerate(reversed(half))) for half in (first, second))
    drawn = initializers.normal(1.0)(key, (5,))
    assert np.array_equal(drawn, ff.normal(5, seed=pair[0], key=pair[1]))
    assert np.array_equal(drawn, jax.jit(lambda key: initializers.normal(1.0)(key, (5,)))(key))
    assert len({seed_and_stream(each) for each in jax.random.split(key, 20)}) == 20


def test_the_installed_jax_has_the_generators_of_the_field() -> None:
    assert {"threefry2x32", "rbg", "unsafe_rbg"} <= set(installed())


def test_distinct_keys_give_distinct_streams() -> None:
    keys = [jax.random.key(seed) for seed in (0, 1, 2**31, 2**32 - 1)]
    keys += [jax.random.fold_in(jax.random.key(1), number) for number in range(20)]
    keys += list(jax.random.split(jax.random.key(0), 20))
    assert len({seed_and_stream(key) for key in keys}) == len(keys)
    assert len({float(initializers.normal()(key, ())) for key in keys}) == len(keys)


def test_a_raw_key_is_its_typed_key() -> None:
    for name in ("threefry2x32", "rbg"):
        raw, typed = jax.random.PRNGKey(7, impl=name), jax.random.key(7, impl=name)
        assert seed_and_stream(raw) == seed_and_stream(typed) == seed_and_stream(np.asarray(raw))


def test_key_data_of_more_words_is_hashed() -> None:
    words = np.arange(6, dtype=np.uint32)
    digest = hashlib.blake2b(words.astype("<u4").tobytes(), digest_size=16).digest()
    a, b, c, d = np.frombuffer(digest, "<u4").tolist()
    assert seed_and_stream(jnp.asarray(words)) == (a << 32 | b, c << 32 | d)


def test_a_traced_key_has_no_words_yet() -> None:
    with pytest.raises(TypeError, match="key is being traced"):
        jax.jit(seed_and_stream)(jax.random.key(0))
