"""Blocks of a stored checkpoint: how its data is cut, which part of it a sample is, and how it is read.

It must not know plans or laws, nor what is done with the bytes.
"""

from __future__ import annotations

import errno
import math
import mmap
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeAlias

import numpy as np

from ..fill import fill_
from ..law import Uniform
from ..number import as_int, as_real
from .header import StoredTensor
from .stored_checkpoint import StoredCheckpoint, StoredFile

__all__ = ["BLOCK_BYTES", "Block", "BlockReader", "Bytes", "blocks_of", "checked_sample", "sample_of"]

# A multiple of every element size. Small enough that a sample of 1 % of a tensor of 1 GB is many of them.
BLOCK_BYTES = 4 * 2**20
_BATCH_BYTES = 32 * 2**20
_BATCH_BLOCKS = 4096
_ALIGNMENT = 64

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


def blocks_of(checkpoint: StoredCheckpoint) -> list[Block]:
    """Return all blocks of a checkpoint, in the order of the files and of the data in them."""
    return [
        Block(file, tensor, start, min(start + BLOCK_BYTES, tensor.stop - tensor.start))
        for file in checkpoint.files
        for tensor in file.header.tensors
        for start in range(0, tensor.stop - tensor.start, BLOCK_BYTES)
    ]


def checked_sample(fraction: float, seed: int) -> None:
    """Raise unless `fraction` is in (0, 1] and `seed` in [0, 2^64)."""
    if not 0.0 < as_real(fraction, "sample") <= 1.0:
        raise ValueError(f"sample must be a fraction in (0, 1], got {fraction}")
    if not 0 <= as_int(seed, "sample_seed") < 1 << 64:
        raise ValueError(f"sample_seed must be in [0, 2**64), got {seed}")


def sample_of(blocks: Sequence[Block], fraction: float, seed: int) -> list[Block]:
    """Return a fraction of the blocks, rounded up, in their order; which ones is a function of the seed."""
    count = math.ceil(fraction * len(blocks))
    if count == len(blocks):
        return list(blocks)
    lots = fill_(np.empty(len(blocks)), Uniform(), seed=seed, key="fanfill.verify.sample")
    chosen = np.sort(np.argsort(lots, kind="stable")[:count])
    return [blocks[index] for index in chosen]


class BlockReader:
    """Reads blocks in batches, the next one while the caller works on the last.

    Use it as a context manager. It holds two buffers of 32 MiB and reads by position, so that neither the
    size of a file nor its truncation by someone else matters to the process.
    """

    def __init__(self) -> None:
        self._buffers = [np.frombuffer(mmap.mmap(-1, _BATCH_BYTES), dtype=np.uint8) for _ in range(2)]
        self._stack = ExitStack()
        self._descriptors: dict[StoredFile, int] = {}
        self._thread = ThreadPoolExecutor(max_workers=1)

    def __enter__(self) -> BlockReader:
        self._stack.enter_context(self._thread)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        for descriptor in self._descriptors.values():
            os.close(descriptor)

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
        if block.file not in self._descriptors:
            self._descriptors[block.file] = block.file.open()
        view, offset = out.data, block.offset
        while view.nbytes:
            try:
                count = os.preadv(self._descriptors[block.file], [view], offset)
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
