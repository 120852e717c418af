"""Knows how a seed and a key become the two 64-bit integers that the value contract names seed and stream.

It must not know laws, memory or plans, and it keeps no state.
"""

from __future__ import annotations

import functools
import os
import sys
from typing import TYPE_CHECKING, Any, TypeAlias

from .number import as_int

if TYPE_CHECKING:
    from numpy.random import SeedSequence

__all__ = ["Key", "Seed", "fresh_seed", "normalize_seed", "stream_id"]

Key: TypeAlias = "int | str"
Seed: TypeAlias = "int | SeedSequence"

_END = 1 << 64


def stream_id(key: Key) -> int:
    """Return the 64-bit stream number of a key.

    An integer in [0, 2**64) is its own stream. A string, such as a parameter's name, is hashed: the first 8
    bytes of BLAKE2b (digest size 8) over its UTF-8 bytes, read as a little-endian integer. No Unicode
    normalisation is done.

    Parameters
    ----------
    key : int or str

    Returns
    -------
    int
        In [0, 2**64).

    Raises
    ------
    TypeError
        If the key is neither an integer nor a string; booleans are refused.
    ValueError
        If an integer key is outside [0, 2**64), or a string has no UTF-8 form.

    References
    ----------
    J.-P. Aumasson, S. Neves, Z. Wilcox-O'Hearn, C. Winnerlein, "BLAKE2: simpler, smaller, fast as MD5", 2013.

    Examples
    --------
    >>> import fanfill as ff
    >>> ff.stream_id(7)
    7
    >>> hex(ff.stream_id("transformer.wte.weight"))
    '0x8a0e57f1c1814f59'
    """
    return _remembered(key) if isinstance(key, str) else _checked(key)


def stream_id_once(key: Key) -> int:
    """Return `stream_id` of a key that is one of very many, which would push each other out of any memory."""
    return _hashed(key) if isinstance(key, str) else _checked(key)


def _checked(key: Any) -> int:
    if type(key) is not int:
        try:
            key = as_int(key, "key")
        except TypeError:
            raise TypeError(f"key must be an int or a str, not {type(key).__name__}: {key!r}") from None
    if not 0 <= key < _END:
        raise ValueError(f"key must be in [0, 2**64), not {key}; give a str to have it hashed")
    return int(key)


def _hashed(key: str) -> int:
    try:
        text = key.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"key: {key!r} has no UTF-8 form") from error
    state = _empty_hash().copy()  # half the time of making it anew
    state.update(text)
    return int.from_bytes(state.digest(), "little")


# A pure function; a step that refills named tensors asks again and again.
_remembered = functools.lru_cache(maxsize=1024)(_hashed)


@functools.cache
def _empty_hash() -> Any:
    import hashlib  # not needed by who names streams by number

    return hashlib.blake2b(digest_size=8, usedforsecurity=False)


def normalize_seed(seed: Seed) -> int:
    """Return the 64-bit seed that `seed` stands for.

    Parameters
    ----------
    seed : int or numpy.random.SeedSequence
        An integer in [0, 2**64) is the seed as it is; a SeedSequence gives ``generate_state(1, uint64)``.

    Raises
    ------
    TypeError
        If it is neither; booleans are refused.
    ValueError
        If an integer is outside [0, 2**64).
    """
    if type(seed) is not int:
        random = sys.modules.get("numpy.random")
        if random is not None and isinstance(seed, random.SeedSequence):
            return int(seed.generate_state(1, "uint64")[0])
        try:
            seed = as_int(seed, "seed")
        except TypeError:
            raise TypeError(
                f"seed must be an int or a numpy.random.SeedSequence, not {type(seed).__name__}: {seed!r}; "
                f"fanfill.fresh_seed() draws one"
            ) from None
    if not 0 <= seed < _END:
        raise ValueError(
            f"seed must be in [0, 2**64), not {seed}; numpy.random.SeedSequence takes larger ones"
        )
    return seed


def fresh_seed() -> int:
    """Return a new seed from the operating system's entropy; write it down to have the same weights again.

    Returns
    -------
    int
        In [0, 2**64).

    Examples
    --------
    >>> import fanfill as ff
    >>> 0 <= ff.fresh_seed() < 2**64
    True
    """
    return int.from_bytes(os.urandom(8), "little")
