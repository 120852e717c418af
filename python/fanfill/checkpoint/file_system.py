"""What the system says of the file system that a folder lies on.

It must not know what is written there.
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["file_system_type"]


def file_system_type(path: str | os.PathLike[str]) -> str | None:
    """Return the type of the file system of an existing path, such as ``ext4``, or None if it isn't known.

    Examples
    --------
    >>> from fanfill.checkpoint.file_system import file_system_type
    >>> file_system_type("/proc")
    'proc'
    """
    device = os.stat(path).st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        mounts = Path("/proc/self/mountinfo").read_text(errors="replace").splitlines()
    except OSError:
        return None
    for mount in mounts:
        fields = mount.split(" ")
        if fields[2] == wanted:
            return fields[fields.index("-") + 1]
    return None
