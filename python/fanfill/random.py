"""Knows the raw words that all values are made of, as an array and in the orders that test batteries ask for.

It must not know the command line, nor any law but the uniform from which one order recovers its words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from . import _core
from ._bitgen import Philox4x32
from .config import isa_complaint
from .fill import fill_
from .law import Uniform
from .number import as_int
from .region import Region
from .stream import Key, Seed, normalize_seed, stream_id

__all__ = ["LAYOUTS", "Layout", "Philox4x32", "raw_to", "words"]

Words: TypeAlias = "np.ndarray[Any, np.dtype[np.uint32]]"
Layout: TypeAlias = Literal[
    "sequential", "bit-reversed", "halves", "strided", "seeds", "streams", "tensors", "uniforms"
]

_END = 1 << 64  # of the word numbers of one stream
_BLOCK = 4  # words that one counter of Philox4x32 gives
_CHUNK = 1 << 18  # words written at a time, 1 MiB: in cache, and many times what a call costs


def words(seed: Seed, key: Key, start: int, n: int) -> Words:
    """Return words of a stream as Philox4x32-10 gives them, before any law.

    Word j is word j mod 4 of the block whose counter is (j div 4, stream), under the key `seed`. Element i of
    a tensor is made of word i, in float64 of words 2i and 2i + 1.

    Parameters
    ----------
    seed : int or numpy.random.SeedSequence
        See `fill_`.
    key : int or str
        Which stream of the seed; see `stream_id`.
    start : int
        The first word, at least 0.
    n : int
        How many; start + n must be at most 2**64.

    Returns
    -------
    numpy.ndarray
        uint32, of shape (n,).

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    ValueError
        If an argument is out of range.
    MemoryError
        If there is not enough memory.

    References
    ----------
    J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", 2011.

    Examples
    --------
    The first known answer of Random123 for philox4x32-10, whose key and counter are 0:

    >>> import fanfill as ff
    >>> [hex(word) for word in ff.random.words(seed=0, key=0, start=0, n=4)]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    seed, stream = normalize_seed(seed), stream_id(key)
    start, n = as_int(start, "start"), as_int(n, "n")
    if not 0 <= start < _END:
        raise ValueError(f"start must be in [0, 2**64), not {start}")
    if not 0 <= n <= _END - start:
        raise ValueError(f"n must be at least 0 and start + n at most 2**64, not n={n}, start={start}")
    try:
        out = np.empty(n, np.uint32)
    except (MemoryError, ValueError) as error:
        raise MemoryError(f"n: {n:,} words need {4 * n:,} bytes, which cannot be had") from error
    _checked(_core.raw_words(None, seed, stream, start, n, out.ctypes.data))
    return out


def raw_to(
    stream: IO[bytes],
    layout: Layout = "sequential",
    *,
    seed: Seed = 0,
    key: Key = 0,
    count: int | None = None,
) -> int:
    """Write raw words to a binary stream, little-endian, in one of the orders in which a flaw would show.

    Parameters
    ----------
    stream : binary file
        Whatever has ``write``, such as ``sys.stdout.buffer``.
    layout : str, optional
        A name of `LAYOUTS`, where each is described.
    seed : int or numpy.random.SeedSequence, optional
        The seed, or the first of those that are interleaved.
    key : int or str, optional
        The stream of the seed, or the first of those that are interleaved.
    count : int, optional
        How many words; without end by default.

    Returns
    -------
    int
        How many words were written: less than `count` only where the reader closed the pipe, which is how
        most test batteries say that they have enough, and no error.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or out of range.
    OSError
        If the stream cannot be written, for any other reason than a closed pipe.

    Examples
    --------
    >>> import io, fanfill as ff
    >>> file = io.BytesIO()
    >>> ff.random.raw_to(file, "bit-reversed", seed=7, count=1000)
    1000
    """
    if layout not in LAYOUTS:
        raise ValueError(f"layout must be one of {', '.join(LAYOUTS)}, not {layout!r}")
    first_seed, first_stream = normalize_seed(seed), stream_id(key)
    left = None if count is None else as_int(count, "count")
    if left is not None and left < 0:
        raise ValueError(f"count must be at least 0, not {left}")
    _, unit, make = LAYOUTS[layout]
    units = max(1, _CHUNK // unit)
    written = start = 0
    while left is None or written < left:
        chunk = make(first_seed, first_stream, start, units)
        if left is not None:
            chunk = chunk[: left - written]
        try:
            _write_all(stream, chunk.astype("<u4", copy=False))
        except BrokenPipeError:
            break
        written += len(chunk)
        start += units
    return written


def _write_all(stream: IO[bytes], chunk: Words) -> None:
    left = chunk.data.cast("B")
    while left:
        left = left[stream.write(left) :]  # an unbuffered stream takes what its pipe has room for


# Each makes the units start .. start + n of its order; how many words a unit has, the table says.


def _sequential(seed: int, stream: int, start: int, n: int) -> Words:
    return words(seed, stream, start, n)


def _bit_reversed(seed: int, stream: int, start: int, n: int) -> Words:
    byte = np.arange(256, dtype=np.uint8)
    reversed_byte = np.packbits(np.unpackbits(byte[:, None], axis=1)[:, ::-1], axis=1).ravel()
    straight = words(seed, stream, start, n)
    out: Words = reversed_byte[straight.view(np.uint8)].view(np.uint32).byteswap()
    return out


_RUN = 1 << 16


def _halves(seed: int, stream: int, start: int, n: int) -> Words:
    pairs = words(seed, stream, start * _RUN, n * _RUN).view(np.uint16).reshape(n, _RUN, 2)
    return np.ascontiguousarray(pairs.transpose(0, 2, 1)).reshape(-1).view(np.uint32)


def _strided(seed: int, stream: int, start: int, n: int) -> Words:
    # Of the 2**62 counters of a stream: every 2**32nd, then each one's neighbour, and so on.
    number = np.arange(start, start + n, dtype=np.uint64)
    counter = (number % np.uint64(1 << 30)) * np.uint64(1 << 32) + number // np.uint64(1 << 30)
    return _pieces(_all(seed, n), _all(stream, n), counter * np.uint64(_BLOCK), _BLOCK)


_SEEDS = 1024


def _seeds(seed: int, stream: int, start: int, n: int) -> Words:
    block, member = np.divmod(np.arange(start, start + n, dtype=np.uint64), np.uint64(_SEEDS))
    return _pieces(_all(seed, n) + member, _all(stream, n), block * np.uint64(_BLOCK), _BLOCK)


_STREAMS, _TRIPLE = 100, 3


def _streams(seed: int, stream: int, start: int, n: int) -> Words:
    turn, member = np.divmod(np.arange(start, start + n, dtype=np.uint64), np.uint64(_STREAMS))
    return _pieces(_all(seed, n), _all(stream, n) + member, turn * np.uint64(_TRIPLE), _TRIPLE)


def _tensors(seed: int, stream: int, start: int, n: int) -> Words:
    member = np.arange(start, start + n, dtype=np.uint64)
    return _pieces(_all(seed, n), _all(stream, n) + member, _all(0, n), _BLOCK)


def _uniforms(seed: int, stream: int, start: int, n: int) -> Words:
    tensor = Region.flat((1 << 62,), _BLOCK * start, _BLOCK * (start + n))
    drawn = fill_(
        np.empty(_BLOCK * n, np.float32), Uniform(), seed=seed, key=stream, region=tensor, threads=1
    )
    top = (drawn * np.float32(1 << 24)).astype(
        np.uint32
    )  # exact: u has a multiple of 2**-24 at most below it
    return np.ascontiguousarray(top.view(np.uint8).reshape(-1, 4)[:, :3]).reshape(-1).view(np.uint32)


class _LayoutEntry(NamedTuple):
    description: str
    unit: int  # words
    make: Callable[[int, int, int, int], Words]


LAYOUTS: dict[str, _LayoutEntry] = {
    "sequential": _LayoutEntry("the words of one stream, as they come", 1, _sequential),
    "bit-reversed": _LayoutEntry("the same, the 32 bits of each in reverse", 1, _bit_reversed),
    "halves": _LayoutEntry("of every 65,536 words the low 16 bits, then the high 16 bits", _RUN, _halves),
    "strided": _LayoutEntry("one block of 4 words of every 2^32nd counter", _BLOCK, _strided),
    "seeds": _LayoutEntry("1024 seeds in a row, one block of 4 words of each in turn", _BLOCK, _seeds),
    "streams": _LayoutEntry("100 keys in a row, 3 words of each in turn", _TRIPLE, _streams),
    "tensors": _LayoutEntry("the first block of 4 words of one key after the other", _BLOCK, _tensors),
    "uniforms": _LayoutEntry("the upper 24 bits, as float32 uniforms on [0, 1) give them back", 3, _uniforms),
}


def _all(value: int, n: int) -> np.ndarray[Any, np.dtype[np.uint64]]:
    return np.full(n, value, np.uint64)


def _pieces(seeds: Any, streams: Any, starts: Any, length: int) -> Words:
    """Return `length` words from each of these places of these streams, one after the other."""
    out = np.empty(len(starts) * length, np.uint32)
    keys, of, at = (each.ctypes.data for each in (seeds, streams, starts))
    _checked(_core.raw_pieces(None, keys, of, at, len(starts), length, out.ctypes.data))
    return out


def _checked(status: int) -> None:
    if status != _core.OK:
        raise ValueError(isa_complaint() or f"FANFILL_ISA: {_core.message(status)}")
