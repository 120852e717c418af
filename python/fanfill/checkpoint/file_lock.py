"""The lock of a file that is being made: whoever has it open is the one that makes it.

It must not know what is in the file, nor which names it goes through.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from pathlib import Path

__all__ = ["is_own", "lock", "open_locked"]

_FLAGS = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # a pipe must not block us
# What file systems say that have no locks.
_NO_LOCK = (errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS, errno.ENOLCK)


def open_locked(path: Path) -> int | None:
    """Return a descriptor of a file, locked for as long as it is open, or None if there is none.

    A symbolic link, which we never make, is removed.

    Raises
    ------
    OSError
        If the file can't be opened, or another process has locked it.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        os.unlink(path)
        return None
    lock(descriptor, path)
    return descriptor


def is_own(descriptor: int) -> bool:
    """Return whether nobody else can change an open file: it is ours, regular, and has no other name."""
    status = os.fstat(descriptor)
    return status.st_uid == os.geteuid() and status.st_nlink == 1 and stat.S_ISREG(status.st_mode)


def lock(descriptor: int, path: Path) -> None:
    """Lock an open file, or close it and raise if another process holds it or has replaced it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_ours = os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except (BlockingIOError, FileNotFoundError):
        is_ours = False
    except OSError as error:
        if error.errno not in _NO_LOCK:
            os.close(descriptor)
            raise
        is_ours = True
    if not is_ours:
        os.close(descriptor)
        raise OSError(errno.EBUSY, "another process is writing it")
