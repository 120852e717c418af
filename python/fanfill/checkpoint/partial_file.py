"""A file while it is written: locked, of its full size from the start, written by position from many threads.

It must not know what is in the file, nor the name that it gets in the end.
"""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import numpy as np

from .file_lock import is_own, lock, open_locked
from .file_system import file_system_type

__all__ = ["PartialFile"]

_NEW_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# What file systems say that can't reserve space; the write itself then finds out.
_NO_FALLOCATE = (errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS)
# In memory, where reserving a page means to zero it, which takes longer than to write it.
_IN_MEMORY = ("tmpfs", "ramfs")
# Where writing around the page cache was measured and is faster, and no other file loses its place there.
_DIRECT = ("ext4", "xfs")
_DIRECT_BYTES = 64 * 2**20  # smaller files are as well off in the cache
_PAGE = 4096


class PartialFile:
    """A file under a temporary name.

    Parameters
    ----------
    path : Path
        The temporary name.
    size : int
        Bytes of the whole file. They are reserved at once, so that a full disk shows before anything is
        computed.
    resume : bool
        Whether a file that an earlier run left there is opened; otherwise it is removed.

    Attributes
    ----------
    resumed : bool
        Whether there was one.
    is_direct : bool
        Whether writes of whole pages go around the page cache.

    Raises
    ------
    OSError
        If the file can't be made or has no room, or another process is writing it. Nothing is left behind.
    """

    def __init__(self, path: Path, size: int, *, resume: bool) -> None:
        self.path = path
        self._size = size
        self.resumed = False
        self._scratch = threading.local()
        self._direct: int | None = None
        self.is_direct = False
        self._descriptor = self._opened(resume)
        try:
            os.ftruncate(self._descriptor, size)
            self._prepare(size)
        except BaseException:
            self.close()
            if not self.resumed:
                os.unlink(path)
            raise

    def _opened(self, resume: bool) -> int:
        """Return a descriptor of the file, which is locked for as long as it is open."""
        left = open_locked(self.path)
        if left is not None:
            if resume and is_own(left):
                self.resumed = True
                return left
            os.unlink(self.path)
            os.close(left)
        made = os.open(self.path, _NEW_FLAGS, 0o666)
        lock(made, self.path)
        return made

    def _prepare(self, size: int) -> None:
        kind = file_system_type(self.path.parent)
        if size and kind not in _IN_MEMORY and hasattr(os, "posix_fallocate"):
            try:
                os.posix_fallocate(self._descriptor, 0, size)
            except OSError as error:
                if error.errno not in _NO_FALLOCATE:
                    raise
        if size >= _DIRECT_BYTES and kind in _DIRECT:
            self._open_direct()

    def _open_direct(self) -> None:
        try:
            self._direct = os.open(self.path, os.O_WRONLY | os.O_DIRECT | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
        else:
            self.is_direct = os.path.samestat(os.fstat(self._direct), os.fstat(self._descriptor))

    def write_at(self, data: bytes | memoryview, offset: int) -> None:
        """Write all of `data` at `offset`; a short write is carried on."""
        view = memoryview(data)
        while view.nbytes:
            written = self._write_some(view, offset)
            view, offset = view[written:], offset + written

    def _write_some(self, view: memoryview, offset: int) -> int:
        whole = view.nbytes // _PAGE * _PAGE
        if self.is_direct and whole and not offset % _PAGE:
            assert self._direct is not None
            try:
                return os.pwrite(self._direct, view[:whole], offset)
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
                self.is_direct = False  # the device asks for more than pages
        return os.pwrite(self._descriptor, view, offset)

    def mend_at(self, data: memoryview, offset: int) -> int:
        """Write `data` at `offset` if something else is there, and return how many bytes were written."""
        present = self._read(data.nbytes, offset)
        if present.size == data.nbytes and np.array_equal(present, np.frombuffer(data, np.uint8)):
            return 0
        self.write_at(data, offset)
        return data.nbytes

    def _read(self, size: int, offset: int) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
        """Return what the file has there, in memory of this thread."""
        if getattr(self._scratch, "buffer", np.empty(0, np.uint8)).size < size:
            self._scratch.buffer = np.empty(size, np.uint8)
        buffer: np.ndarray[tuple[int], np.dtype[np.uint8]] = self._scratch.buffer[:size]
        done = 0
        while done < size:
            count = os.preadv(self._descriptor, [buffer[done:].data], offset + done)
            if not count:
                break
            done += count
        return buffer[:done]

    def sync(self) -> None:
        """Make the content durable; nothing can be written after it, and the lock stays."""
        os.fsync(self._descriptor)
        if self._direct is not None:
            os.close(self._direct)
            self._direct, self.is_direct = None, False
        if os.fstat(self._descriptor).st_size != self._size:
            raise OSError(errno.EIO, "was cut off by another program while it was written")

    def close(self) -> None:
        """Close the file, which unlocks it; a second call does nothing."""
        for descriptor in (self._direct, self._descriptor):
            if descriptor is not None and descriptor >= 0:
                os.close(descriptor)
        self._direct, self._descriptor = None, -1
