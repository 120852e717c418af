"""Opening a file that others name: a regular file, no pipe or device, and through a link only when allowed.

It must not know what is in the file.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from pathlib import Path

__all__ = ["link_target", "open_regular", "read_regular"]

# How Hugging Face's cache has a repository's files: links from a snapshot's folder to one of contents.
_CACHE_LINK = re.compile(r"\.\./\.\./blobs/[0-9a-f]{40,64}", re.ASCII)
_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)  # a pipe must not block us


def open_regular(path: str | os.PathLike[str], *, follow: bool = True) -> int:
    """Return a descriptor to read a regular file.

    Parameters
    ----------
    path : path-like
        The file.
    follow : bool, default True
        Whether `path` may be a symbolic link.

    Raises
    ------
    OSError
        If it can't be opened, is no regular file, or is a link that may not be followed; it names the path.
    """
    name = os.fspath(path)
    try:
        descriptor = os.open(name, _FLAGS | (0 if follow else getattr(os, "O_NOFOLLOW", 0)))
    except OSError as error:
        if error.errno == errno.ELOOP and not follow:
            raise OSError(errno.ELOOP, "is a symbolic link, which is not followed here", name) from None
        raise
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, "is a folder, not a file", name)
        raise OSError(errno.EINVAL, "is no regular file", name)
    return descriptor


def link_target(path: Path) -> Path:
    """Return the file to open for a name that isn't the caller's own, without following links.

    It is `path`, or where that is a link as Hugging Face's cache has them, the file in the cache's ``blobs``.
    Any other link is left to `open_regular` to refuse.
    """
    if path.is_symlink() and _CACHE_LINK.fullmatch(link := os.readlink(path)):
        return path.parent / link
    return path


def read_regular(path: str | os.PathLike[str], limit: int, *, follow: bool = True) -> bytes:
    """Return all of a regular file of at most `limit` bytes.

    Raises
    ------
    OSError
        As for `open_regular`.
    ValueError
        If it is larger.
    """
    with os.fdopen(open_regular(path, follow=follow), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        data = b"" if size > limit else file.read(limit + 1)
    if size > limit or len(data) > limit:
        raise ValueError(f"{Path(path)} has {max(size, len(data)):,} bytes, and at most {limit:,} are read")
    return data
