"""A file that stands under its name whole or not at all: a temporary file beside it, synced and renamed.

It must not know what is in the file.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from types import TracebackType

from .file_lock import is_own, open_locked
from .partial_file import PartialFile

__all__ = ["AtomicFile", "check_room", "sync_folder"]

# What file systems say that have no hard links.
_NO_LINK = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)
# What folders say that may not be read, or can't be synced: the file itself is safe by then.
_NO_FOLDER_SYNC = (errno.EACCES, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS)
_MAX_NAME = 255


class AtomicFile:
    """A file of known size, written at any positions, that takes its name only when it is told to.

    Use it as a context manager: leaving the block early, on an error or an interrupt, removes the temporary
    file and leaves whatever stood under the name as it was. The stages are ``.NAME.partial`` while it is
    written, ``.NAME.complete`` from `finish` on, and ``NAME`` from `publish` on; `commit` does both. The
    temporary file is locked, so that no two processes make the same file.

    Parameters
    ----------
    path : path-like
        The final name. Its folder must exist.
    size : int
        Bytes of the whole file; they are reserved at once, so that a full disk shows before anything is
        computed.
    replace : bool, default False
        Whether a file of that name may be replaced. A symbolic link is itself replaced, not what it points
        to; anything else that is no regular file is refused.
    resume : callable, optional
        Continue where an earlier run was stopped, and leave the temporary file where this one is. Given the
        path of a file that a run has finished, it says whether the content is as wanted; if so there is
        nothing to write, and a final name that is taken by it is no error.
    stays_open : bool, default True
        Whether the lock is held from `finish` to the end of the block too, which takes a descriptor.

    Attributes
    ----------
    is_finished : bool
        Whether there is nothing to write, since an earlier run wrote it or `finish` was called.
    has_content : bool
        Whether an earlier run has left content, of which any part may be missing: use `mend_at`.
    is_direct : bool
        Whether writes of whole pages go around the page cache.

    Raises
    ------
    FileExistsError
        If the name is taken and `replace` is false, when the block is entered or at `publish`.
    OSError
        If the folder can't be written or has no room, where the message says how much is needed; or another
        process is writing the same file.

    Examples
    --------
    >>> import os, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with AtomicFile(os.path.join(folder, "a.bin"), 3) as file:
    ...         _ = file.write_at(b"abc", 0)
    ...         before = os.path.exists(file.path)
    ...         file.commit()
    ...     before, os.listdir(folder)
    (False, ['a.bin'])
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        size: int,
        *,
        replace: bool = False,
        resume: Callable[[Path], bool] | None = None,
        stays_open: bool = True,
    ) -> None:
        self.path = Path(path)
        self.size = size
        self.is_finished = False
        self._replace = replace
        self._resume = resume
        self._stays_open = stays_open
        self._partial = _beside(self.path, "partial")
        self._complete = _beside(self.path, "complete")
        self._file: PartialFile | None = None
        self._lock: int | None = None  # of a complete file that an earlier run has left
        self._is_published = False
        self._made: list[Path] = []  # the temporary names that are ours to remove
        self._answers: dict[Path, bool] = {}  # of `resume`, which may read much

    @property
    def has_content(self) -> bool:
        """Whether an earlier run has left content."""
        return self._file is not None and self._file.resumed

    @property
    def is_direct(self) -> bool:
        """Whether writes go around the page cache, and so take a disk's time and not a core's."""
        return self._file is not None and self._file.is_direct

    @property
    def missing_bytes(self) -> int:
        """Return how much room the file still needs, as far as names and sizes tell."""
        if self._resume is not None and os.path.lexists(self.path) and self._holds(self.path):
            return 0
        left = [path.lstat() for path in (self._partial, self._complete) if os.path.lexists(path)]
        # What an earlier run has left is written on, or removed to make place.
        return max(0, self.size - sum(status.st_blocks * 512 for status in left if status.st_nlink == 1))

    def check(self) -> None:
        """Raise what entering the block would for the sake of the name."""
        if not os.path.lexists(self.path) or self._holds(self.path):
            return
        if not self._replace:
            raise self._taken()
        if not self.path.is_symlink() and not self.path.is_file():
            raise OSError(errno.EINVAL, "is no regular file; give another name", str(self.path))

    def _holds(self, path: Path) -> bool:
        """Return whether a finished file is there that this run can take as its own."""
        if self._resume is None or path.is_symlink() or not path.is_file():
            return False
        if path not in self._answers:
            self._answers[path] = self._resume(path)
        return self._answers[path]

    def __enter__(self) -> AtomicFile:
        self.check()
        try:
            if os.path.lexists(self.path) and self._holds(self.path):
                self.is_finished = self._is_published = True
                self._remove_left([self._partial, self._complete])
            else:
                self._take_temporary()
        except OSError as error:
            self._close()
            raise self._named(error) from error
        return self

    def _take_temporary(self) -> None:
        """Take what an earlier run has left, or open a new file; whichever it is, it is locked then."""
        self._lock = open_locked(self._complete)
        if self._lock is not None:
            self._remove_left([self._partial])
            if is_own(self._lock) and self._holds(self._complete):
                self.is_finished = True
                if not self._stays_open:
                    self._close()
                return
            check_room(self.path.parent, self.missing_bytes, self.path)
            if self._resume is None:
                os.unlink(self._complete)
            else:
                os.replace(self._complete, self._partial)  # its content isn't as wanted everywhere
            self._close()
        else:
            check_room(self.path.parent, self.missing_bytes, self.path)
        self._file = PartialFile(self._partial, self.size, resume=self._resume is not None)
        self._made = [self._partial]

    def _close(self) -> None:
        """Close the file, which unlocks it."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._resume is None:
            self._remove(self._made)
        self._made = []
        self._close()

    def write_at(self, data: bytes | memoryview, offset: int) -> int:
        """Write all of `data` at `offset` and return its size; an error names the file."""
        assert self._file is not None, "write_at outside of the with block"
        try:
            self._file.write_at(data, offset)
        except OSError as error:
            raise self._named(error) from error
        return len(data)

    def mend_at(self, data: memoryview, offset: int) -> int:
        """Write `data` at `offset` if something else is there, and return how many bytes were written."""
        assert self._file is not None, "mend_at outside of the with block"
        try:
            return self._file.mend_at(data, offset)
        except OSError as error:
            raise self._named(error) from error

    def finish(self) -> None:
        """Make the content durable; nothing can be written after it."""
        if self.is_finished:
            return
        assert self._file is not None, "finish outside of the with block"
        try:
            self._file.sync()
            os.replace(self._partial, self._complete)
        except OSError as error:
            raise self._named(error) from error
        self._made = [self._complete]
        self.is_finished = True
        if not self._stays_open:
            self._close()

    def publish(self) -> None:
        """Give the finished file its name, which `sync_folder` then makes durable."""
        assert self.is_finished, "publish before finish"
        if self._is_published:
            return
        try:
            if self._replace:
                os.replace(self._complete, self.path)
            else:
                self._take_free_name()
        except FileExistsError:
            raise self._taken() from None
        except OSError as error:
            raise self._named(error) from error
        self._made = []
        self._is_published = True

    def commit(self) -> None:
        """Make the content durable, give the file its name, and make that durable too."""
        self.finish()
        self.publish()
        sync_folder(self.path.parent)

    def _take_free_name(self) -> None:
        # A link, unlike a rename, fails if the name was taken meanwhile.
        try:
            os.link(self._complete, self.path)
        except OSError as error:
            if error.errno not in _NO_LINK:
                raise
            if os.path.lexists(self.path):
                raise FileExistsError from None
            os.rename(self._complete, self.path)
        else:
            os.unlink(self._complete)

    @staticmethod
    def _remove_left(paths: list[Path]) -> None:
        """Remove files that an earlier run has left, or raise if another process has them locked."""
        for path in paths:
            if (left := open_locked(path)) is not None:
                os.unlink(path)
                os.close(left)

    @staticmethod
    def _remove(paths: list[Path]) -> None:
        for path in paths:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)

    def _taken(self) -> FileExistsError:
        wanted = "" if self._resume is None else " and holds something else"
        return FileExistsError(errno.EEXIST, f"exists already{wanted} and is left as it is", str(self.path))

    def _named(self, error: OSError) -> OSError:
        """Return the error with the final name in it: the temporary one means nothing to a caller."""
        return OSError(error.errno, error.strerror or str(error), str(self.path))


def _beside(path: Path, stage: str) -> Path:
    name = f".{path.name}.{stage}"
    if len(os.fsencode(name)) > _MAX_NAME:  # the name itself may be as long as the file system allows
        name = f".{blake2b(os.fsencode(path.name), digest_size=16).hexdigest()}.{stage}"
    return path.with_name(name)


def check_room(folder: Path, needed: int, path: Path) -> None:
    """Raise OSError, which names `path`, if the file system of `folder` has less than `needed` bytes free."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    if free < needed:
        raise OSError(
            errno.ENOSPC,
            f"needs {needed:,} bytes, the file system has {free:,} free; make room or write elsewhere",
            str(path),
        )


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, as far as it may be read and the file system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise OSError(error.errno, error.strerror, str(folder)) from error
