"""Knows how the memory of `fanfill.empty` becomes a torch tensor.

It must not know laws, modules or devices.
"""

from __future__ import annotations

import math
from typing import Any

import torch

from ..dtype import as_dtype
from ..empty import populated_bytes
from ..region import as_shape

__all__ = ["empty"]


def empty(*size: Any, dtype: torch.dtype | None = None, threads: int | None = None) -> torch.Tensor:
    """Return a new CPU tensor to be filled, in the memory of `fanfill.empty`: its pages are there already.

    ``torch.empty`` leaves it to whoever writes first to wait for every page of 4 KiB.

    Parameters
    ----------
    *size : int or sequence of int
        The shape, as for ``torch.empty``.
    dtype : torch.dtype, optional
        One that fanfill fills; ``torch.get_default_dtype()`` by default.
    threads : int, optional
        See `fanfill.set_num_threads`.

    Returns
    -------
    torch.Tensor
        Contiguous, on the CPU. It holds the memory until the last tensor that shares it is gone; it cannot be
        resized in place, for the memory is not torch's.

    Raises
    ------
    TypeError, ValueError, OverflowError, MemoryError
        As for `fanfill.empty`.

    Examples
    --------
    >>> import torch, fanfill as ff, fanfill.torch
    >>> weight = ff.he_normal_(fanfill.torch.empty(64, 32, dtype=torch.bfloat16), seed=7, key="weight")
    >>> weight.shape
    torch.Size([64, 32])
    """
    shape = as_shape(size[0] if len(size) == 1 else size, "size")
    element = as_dtype(torch.get_default_dtype() if dtype is None else dtype)
    nbytes = math.prod(shape) * element.itemsize
    memory = torch.from_numpy(populated_bytes(nbytes, f"size: {shape} of {element.name}", threads))
    return memory.view(getattr(torch, element.name)).view(shape)
