"""Knows how to allocate a new array whose pages are there before it is written.

It must not know laws, keys or fans.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import _core
from .dtype import DTypeLike, as_dtype
from .memory import aligned_bytes
from .memory.available import available_bytes
from .region import as_shape
from .threads import thread_count

__all__ = ["empty"]

# Smaller arrays mostly come from memory that was in use before, and are made within a millisecond.
_POPULATED_BYTES = 4 << 20


def empty(
    shape: int | Sequence[int], dtype: DTypeLike = "float32", *, threads: int | None = None
) -> np.ndarray[Any, Any]:
    """Return a new array to be filled: aligned, and with its pages made by all threads at once.

    What `numpy.empty` returns has no pages yet, so that whoever writes to it first waits for the system to
    make them one after the other. Here they are huge pages (2 MiB), where the system offers them
    (``/sys/kernel/mm/transparent_hugepage/enabled`` other than ``never``), and there already. The values are
    arbitrary. The memory is freed when the last array that uses it is gone, is copied by pickling and shared
    with a forked process until one of the two writes to it, all as for any other array.

    Parameters
    ----------
    shape : int or sequence of int
    dtype : str, numpy.dtype, type or torch.dtype, optional
        One that fanfill fills. bfloat16 and the float8 types are those of ml_dtypes and need it installed;
        ``fanfill.torch.empty`` returns a tensor and does not.
    threads : int, optional
        At most this many threads; see `set_num_threads`.

    Returns
    -------
    numpy.ndarray
        C-contiguous, its first element at a multiple of 64 bytes.

    Raises
    ------
    TypeError, ValueError, OverflowError
        If an argument is of the wrong kind or out of range.
    ImportError
        If the element type needs ml_dtypes and that is not installed.
    MemoryError
        If the array is larger than the memory that is left, of the machine or of the process's cgroup:
        nothing is allocated then.
    KeyboardInterrupt
        On Ctrl-C.

    See Also
    --------
    normal : Allocates and fills at once; `fill_` then makes the pages just ahead of the values.

    Examples
    --------
    >>> import fanfill as ff
    >>> weight = ff.he_normal_(ff.empty((4096, 1024)), seed=7, key="weight")
    >>> weight.shape, weight.ctypes.data % 64
    ((4096, 1024), 0)
    """
    extents = as_shape(shape)
    element = as_dtype(dtype)
    kind = element.numpy_dtype()
    nbytes = math.prod(extents) * element.itemsize
    memory = populated_bytes(nbytes, f"shape: {extents} of {element.name}", threads)
    return memory.view(kind).reshape(extents)


def populated_bytes(nbytes: int, what: str, threads: int | None) -> np.ndarray[Any, Any]:
    """Return so many new bytes, aligned and with their pages made; `what` they are for is named in errors."""
    count = thread_count(threads)
    if nbytes < _POPULATED_BYTES:
        return aligned_bytes(nbytes, what)
    left = available_bytes()
    if left is not None and nbytes > left:
        raise MemoryError(
            f"{what} needs {nbytes:,} bytes, and {left:,} are available; make a part of it at a time "
            f"(region=), or choose a narrower dtype"
        )
    memory = aligned_bytes(nbytes, what)
    _core.make_pages(memory.ctypes.data, nbytes, count)
    return memory
