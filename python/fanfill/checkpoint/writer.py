"""Writing one file of a checkpoint chunk by chunk, so that a file of any size needs little memory.

It must not know of plans or laws, nor under which name the file lies.
"""

from __future__ import annotations

import mmap
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from ..threads import thread_count
from .atomic_file import AtomicFile
from .layout import Buffer, CheckpointLayout

__all__ = ["CheckpointWriter", "ProgressCallback"]

# Small enough that what a chunk's threads have filled still is in the cache when it is written, large enough
# that the calls of Python and of the system cost little beside it. A multiple of the page.
_CHUNK_BYTES = 4 * 2**20
_MAX_WRITERS = 4
_WAITING = 2  # filled chunks for which no writer is free yet, or that are being filled

# Told the bytes of the files that are done, and all of them.
ProgressCallback = Callable[[int, int], None]


class CheckpointWriter:
    """Fills chunks on all threads while those before are written. It holds at most six buffers of 4 MiB.

    Parameters
    ----------
    threads : int, optional
        As for `fanfill.fill_`.

    Attributes
    ----------
    written : int
        Bytes that were written so far; those that an earlier run had written right are not among them.
    """

    def __init__(self, threads: int | None = None) -> None:
        self.written = 0
        self._threads = threads
        self._buffers: list[Buffer] = []

    def _buffer(self, number: int) -> Buffer:
        while len(self._buffers) <= number:
            # Memory of its own pages: aligned as writes around the page cache need it.
            self._buffers.append(np.frombuffer(mmap.mmap(-1, _CHUNK_BYTES), dtype=np.uint8))
        return self._buffers[number]

    def _writers(self, file: AtomicFile) -> int:
        """Return how many threads write: a disk must never wait for them, a copy to memory takes a core."""
        return 2 if file.is_direct else min(_MAX_WRITERS, max(1, thread_count(self._threads) // 2))

    def write(self, layout: CheckpointLayout, file: AtomicFile, done: Callable[[int], None]) -> None:
        """Write all of a file, or what an earlier run left to write; `done` is told the bytes of each chunk.

        Raises
        ------
        OSError
            If the file can't be written; nothing is being written any more then.
        """
        write = file.mend_at if file.has_content else file.write_at
        writers = self._writers(file)
        chunks = writers + _WAITING
        pending: deque[tuple[int, Future[int]]] = deque()
        with ThreadPoolExecutor(max_workers=writers) as pool:
            try:
                for number, offset in enumerate(range(0, layout.size, _CHUNK_BYTES)):
                    if len(pending) == chunks:
                        self._finish(*pending.popleft(), done)
                    buffer = self._buffer(number % chunks)[: min(_CHUNK_BYTES, layout.size - offset)]
                    layout.fill_(buffer, offset, threads=self._threads)
                    pending.append((buffer.nbytes, pool.submit(write, buffer.data, offset)))
                while pending:
                    self._finish(*pending.popleft(), done)
            except BaseException:
                pool.shutdown(cancel_futures=True)  # the file may be closed only when nobody writes to it
                raise
        file.finish()

    def _finish(self, size: int, future: Future[int], done: Callable[[int], None]) -> None:
        self.written += future.result()
        done(size)
