"""Knows Philox4x32-10 over arrays of counters, and which word of which block belongs to an element.

It must not know laws or dtypes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]

ELEMENTS, TAILS = 0, 1  # domains

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


def philox(counter: list[U64], key: tuple[int, int], rounds: int = 10) -> list[U64]:
    """The four output words of each counter; every array holds 32-bit numbers."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(rounds):
        p0, p1 = c0 * np.uint64(0xD2511F53), c2 * np.uint64(0xCD9E8D57)
        c0, c1, c2, c3 = (
            (p1 >> _HALF) ^ c1 ^ np.uint64(k0),
            p1 & _LOW,
            (p0 >> _HALF) ^ c3 ^ np.uint64(k1),
            p0 & _LOW,
        )
        k0, k1 = (k0 + 0x9E3779B9) % 2**32, (k1 + 0xBB67AE85) % 2**32
    return [c0, c1, c2, c3]


def words(seed: int, stream: int, index: ArrayLike, domain: int = ELEMENTS) -> U32:
    """The 32-bit word of each index: word i mod 4 of block i div 4."""
    i = np.asarray(index, np.uint64)
    block = i // np.uint64(4) | np.uint64(domain << 62)
    high, low = np.full_like(i, stream >> 32), np.full_like(i, stream % 2**32)
    block_words = philox([block & _LOW, block >> _HALF, low, high], (seed % 2**32, seed >> 32))
    return np.choose((i % np.uint64(4)).astype(np.intp), block_words).astype(np.uint32)


def wide_words(seed: int, stream: int, index: ArrayLike) -> U64:
    """The 64-bit word of each index: words 2i and 2i + 1, low first."""
    i = np.asarray(index, np.uint64) * np.uint64(2)
    low, high = words(seed, stream, i), words(seed, stream, i + np.uint64(1))
    return low | high.astype(np.uint64) << _HALF
