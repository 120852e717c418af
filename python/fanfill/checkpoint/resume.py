"""Whether a file that an earlier run has finished is the one that this run would write.

It must not know how a file is written, nor change one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from .layout import CheckpointLayout

__all__ = ["content_check", "layout_check"]

# One block in each stretch of the data is computed again. A finished file was synced before it got its name;
# what a crash can leave half done is an unfinished one, of which every block is computed again.
_BLOCK_BYTES = 64 * 2**10
_STRETCH_BYTES = 64 * 2**20


def layout_check(layout: CheckpointLayout, threads: int | None = None) -> Callable[[Path], bool]:
    """Return the question whether a file is that layout's, as far as header and sampled blocks tell."""

    def is_written(path: Path) -> bool:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size != layout.size:
                return False
            for offset, size in _sample(layout):
                wanted = layout.fill_(np.empty(size, np.uint8), offset, threads=threads)
                if os.pread(file.fileno(), size, offset) != wanted.tobytes():
                    return False
        return True

    return is_written


def content_check(content: bytes) -> Callable[[Path], bool]:
    """Return the question whether a file holds just these bytes."""

    def is_written(path: Path) -> bool:
        return path.stat().st_size == len(content) and path.read_bytes() == content

    return is_written


def _sample(layout: CheckpointLayout) -> list[tuple[int, int]]:
    """Return offset and size of the header's blocks, one of each stretch, and the last one."""
    last = max(0, layout.size - _BLOCK_BYTES) // 8 * 8
    offsets = {*range(0, layout.head_bytes, _BLOCK_BYTES), *range(0, layout.size, _STRETCH_BYTES), last}
    return [(offset, min(_BLOCK_BYTES, layout.size - offset)) for offset in sorted(offsets)]
