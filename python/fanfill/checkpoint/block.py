"""Blocks of a stored checkpoint: how its data is cut, which part of it a sample is, and how it is read.

It must not know plans or laws, nor what is done with the bytes.
"""

from __future__ import annotations

import errno
import math
import mmap
import os
from bisect import bisect_right
from collections.abc import Container, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import accumulate
from types import TracebackType
from typing import Any, TypeAlias

import numpy as np

from ..fill import fill_
from ..law import Uniform
from ..number import as_int, as_real
from .header import StoredTensor
from .stored_checkpoint import StoredCheckpoint, StoredFile

__all__ = ["BLOCK_BYTES", "Block", "BlockReader", "Blocks", "Bytes", "blocks_of", "checked_sample"]

# A multiple of every element size. Small enough that a sample of 1 % of a tensor of 1 GB is many of them.
BLOCK_BYTES = 4 * 2**20
_BATCH_BYTES = 32 * 2**20
_BATCH_BLOCKS = 4096
_ALIGNMENT = 64
_MOST_SAMPLED = 1 << 26  # of 256 TiB; drawing the lots takes 16 bytes for each

Bytes: TypeAlias = "np.ndarray[Any, np.dtype[np.uint8]]"


@dataclass(frozen=True)
class Block:
    """Bytes `start` .. `stop` of one stored tensor, counted from its own beginning."""

    file: StoredFile
    tensor: StoredTensor
    start: int
    stop: int

    @property
    def size(self) -> int:
        """Bytes of the block."""
        return self.stop - self.start

    @property
    def offset(self) -> int:
        """Where the block begins in its file."""
        return self.file.header.header_bytes + self.tensor.start + self.start


class Blocks:
    """The blocks of stored tensors, in the order of the files and of the data in them.

    Each is made when it is asked for: a checkpoint of 1 TB has a quarter of a million of them, and a header
    of one line can claim more than any memory holds.

    Parameters
    ----------
    tensors : iterable of (StoredFile, StoredTensor)
        Whose blocks.
    chosen : array of int, optional
        Numbers of the blocks that are in it, ascending; default all.
    """

    def __init__(
        self,
        tensors: Iterable[tuple[StoredFile, StoredTensor]],
        chosen: np.ndarray[Any, np.dtype[np.int64]] | None = None,
    ) -> None:
        self._tensors = list(tensors)
        sizes = [tensor.stop - tensor.start for _, tensor in self._tensors]
        self._ends = list(accumulate(-(-size // BLOCK_BYTES) for size in sizes))
        self._chosen = chosen
        self.nbytes = sum(sizes if chosen is None else (block.size for block in self))

    def __len__(self) -> int:
        if self._chosen is not None:
            return len(self._chosen)
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[Block]:
        if self._chosen is not None:
            yield from (self._block(int(number)) for number in self._chosen)
            return
        for file, tensor in self._tensors:
            size = tensor.stop - tensor.start
            for start in range(0, size, BLOCK_BYTES):
                yield Block(file, tensor, start, min(start + BLOCK_BYTES, size))

    def _block(self, number: int) -> Block:
        place = bisect_right(self._ends, number)
        file, tensor = self._tensors[place]
        start = (number - (self._ends[place - 1] if place else 0)) * BLOCK_BYTES
        return Block(file, tensor, start, min(start + BLOCK_BYTES, tensor.stop - tensor.start))

    def of(self, names: Container[str]) -> Blocks:
        """Return those that belong to tensors of these names."""
        if self._chosen is None:
            return Blocks(pair for pair in self._tensors if pair[1].name in names)
        kept = [number for number in self._chosen if self._block(int(number)).tensor.name in names]
        return Blocks(self._tensors, np.array(kept, np.int64))

    def sample(self, fraction: float, seed: int) -> Blocks:
        """Return a fraction of all blocks, rounded up, in their order; which ones is a function of the seed.

        Raises
        ------
        ValueError
            If there are more blocks than a sample can be drawn from.
        """
        count = math.ceil(fraction * len(self))
        if count == len(self):
            return self
        if len(self) > _MOST_SAMPLED:
            raise ValueError(f"sample: the files claim {self.nbytes:,} bytes, too many to draw a sample of")
        lots = fill_(np.empty(len(self)), Uniform(), seed=seed, key="fanfill.verify.sample")
        return Blocks(self._tensors, np.sort(np.argsort(lots, kind="stable")[:count]))


def blocks_of(checkpoint: StoredCheckpoint) -> Blocks:
    """Return all blocks of a checkpoint."""
    return Blocks((file, tensor) for file in checkpoint.files for tensor in file.header.tensors)


def checked_sample(fraction: float, seed: int) -> None:
    """Raise unless `fraction` is in (0, 1] and `seed` in [0, 2^64)."""
    if not 0.0 < as_real(fraction, "sample") <= 1.0:
        raise ValueError(f"sample must be a fraction in (0, 1], got {fraction}")
    if not 0 <= as_int(seed, "sample_seed") < 1 << 64:
        raise ValueError(f"sample_seed must be in [0, 2**64), got {seed}")


class BlockReader:
    """Reads blocks in batches, the next one while the caller works on the last.

    Use it as a context manager. It holds two buffers of 32 MiB and one open file, and reads by position, so
    that neither the size and number of files nor their truncation by someone else matters to the process.
    """

    def __init__(self) -> None:
        self._buffers = [np.frombuffer(mmap.mmap(-1, _BATCH_BYTES), dtype=np.uint8) for _ in range(2)]
        self._stack = ExitStack()
        self._file: StoredFile | None = None
        self._descriptor = -1
        self._thread = ThreadPoolExecutor(max_workers=1)

    def __enter__(self) -> BlockReader:
        self._stack.enter_context(self._thread)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._descriptor)
            self._file = None

    def batches(self, blocks: Iterable[Block]) -> Iterator[list[tuple[Block, Bytes]]]:
        """Yield the blocks in batches with their bytes, which are the caller's until it asks for the next.

        Raises
        ------
        OSError
            If a file can't be read to the end that its header says; it names the file.
        """
        pending: Future[list[tuple[Block, Bytes]]] | None = None
        for number, batch in enumerate(_batched(blocks)):
            reading = self._thread.submit(self._read, batch, self._buffers[number % 2])
            if pending is not None:
                yield pending.result()
            pending = reading
        if pending is not None:
            yield pending.result()

    def _read(self, batch: list[Block], buffer: Bytes) -> list[tuple[Block, Bytes]]:
        at, found = 0, []
        for block in batch:
            found.append((block, buffer[at : at + block.size]))
            self._read_into(found[-1][1], block)
            at += -(-block.size // _ALIGNMENT) * _ALIGNMENT
        return found

    def _read_into(self, out: Bytes, block: Block) -> None:
        if block.file is not self._file:  # the blocks of a file follow each other
            self._close()
            self._descriptor = block.file.open()
            self._file = block.file
        view, offset = out.data, block.offset
        while view.nbytes:
            try:
                count = os.preadv(self._descriptor, [view], offset)
            except OSError as error:
                raise OSError(error.errno, error.strerror, str(block.file.path)) from error
            if not count:
                raise OSError(errno.EIO, "ends before its data does", str(block.file.path))
            view, offset = view[count:], offset + count


def _batched(blocks: Iterable[Block]) -> Iterator[list[Block]]:
    batch: list[Block] = []
    size = 0
    for block in blocks:
        room = -(-block.size // _ALIGNMENT) * _ALIGNMENT
        if batch and (size + room > _BATCH_BYTES or len(batch) == _BATCH_BLOCKS):
            yield batch
            batch, size = [], 0
        batch.append(block)
        size += room
    if batch:
        yield batch
