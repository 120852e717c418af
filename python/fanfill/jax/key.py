"""Knows how a JAX key becomes the seed and the stream of the value contract: by its key data alone.

It must not know laws, shapes or dtypes, nor what is drawn with the key.
"""

from __future__ import annotations

import hashlib
from typing import Any

import jax
import numpy as np

__all__ = ["key_words", "seed_and_stream"]

_WORDS = 4  # two for the seed and two for the stream: as many as JAX's own generators have at most


def seed_and_stream(key: Any) -> tuple[int, int]:
    r"""Return the seed and the stream that a JAX key stands for.

    The words of ``jax.random.key_data`` are taken in order: the first two, the high one first, are the seed,
    the next two, likewise, the stream; a word that is not there is 0, and of one word alone the seed is that
    word. So ``jax.random.key(7)`` is seed 7 and stream 0, and keys of one generator that differ never share
    both. Key data of more than four words, which none of JAX's own generators has, is hashed to four:
    BLAKE2b with ``digest_size=16`` over the words' little-endian bytes, read as little-endian words.

    Parameters
    ----------
    key : jax.Array
        One key, typed (``jax.random.key``) of any generator, or raw (``jax.random.PRNGKey``): uint32 of one
        axis.

    Returns
    -------
    (int, int)
        Seed and stream, both in [0, 2**64): what ``fanfill.fill_`` takes as ``seed=`` and ``key=``.

    Raises
    ------
    TypeError
        If `key` is no JAX key, or one that is being traced.
    ValueError
        If it is an array of keys.

    Examples
    --------
    >>> import jax
    >>> from fanfill.jax import seed_and_stream
    >>> seed_and_stream(jax.random.key(7))
    (7, 0)
    >>> seed_and_stream(jax.random.key(7, impl="rbg"))
    (7, 7)
    """
    words = key_words(key)
    if isinstance(words, jax.core.Tracer):
        raise TypeError("key is being traced, so its words are not known yet; call this outside of jit")
    return pair_of_words(np.asarray(words))


def key_words(key: Any) -> Any:
    """Return the key data of one key as uint32 of one axis; a tracer wherever JAX is tracing."""
    if isinstance(key, jax.Array) and jax.numpy.issubdtype(key.dtype, jax.dtypes.prng_key):
        if key.shape != ():
            raise _not_single(key.shape)
        data = jax.random.key_data(key)
        return data if data.ndim == 1 else data.reshape(-1)
    if not isinstance(key, (jax.Array, np.ndarray)) or key.dtype != np.uint32 or key.ndim == 0:
        raise TypeError(
            f"key must be a JAX key, such as jax.random.key(0), not "
            f"{getattr(key, 'aval', type(key).__name__)}"
        )
    if key.ndim > 1:
        raise _not_single(key.shape)
    # Any operation would do: while JAX is tracing, it gives a tracer where the key itself is none.
    return jax.lax.bitwise_or(key, key)


def pair_of_words(words: np.ndarray[Any, Any]) -> tuple[int, int]:
    """Return the seed and the stream that the words of a key's data stand for."""
    if words.size > _WORDS:
        digest = hashlib.blake2b(words.astype("<u4").tobytes(), digest_size=4 * _WORDS, usedforsecurity=False)
        words = np.frombuffer(digest.digest(), "<u4")
    halves = [0, 0]
    for place, word in enumerate(words.tolist()):
        halves[place // 2] = halves[place // 2] << 32 | word
    return halves[0], halves[1]


def words_of_pair(seed: int, stream: int) -> np.ndarray[Any, Any]:
    """Return the four words that stand for a seed and a stream."""
    return np.array([seed >> 32, seed & 0xFFFFFFFF, stream >> 32, stream & 0xFFFFFFFF], np.uint32)


def _not_single(shape: tuple[int, ...]) -> ValueError:
    return ValueError(f"key must be a single key, not an array of keys of shape {shape}; use jax.vmap")
