"""Knows how tensors on any device are filled: host memory in place, other memory through chunks of it.

It must not know names, modules or recipes, nor which process holds what.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch

from ..dtype import NAMES, of_torch
from ..fill import Job, fill_many_
from ..memory import memory_of
from ..memory.torch_tensor import refuse_subclass
from ..region import Region
from ..stream import Seed
from .region_block import block_region, blocks
from .trace import refuse_traced

__all__ = ["CHUNK_BYTES", "check_tensor", "fill_jobs_"]

# Two of them are in use at a time: one is filled while the other is copied.
CHUNK_BYTES = 32 << 20
_ALIGNMENT = 64


def check_tensor(tensor: Any, name: str) -> None:
    """Raise what filling this tensor would raise, on whatever device it is."""
    refuse_traced(tensor, name)
    if tensor.device.type in ("cpu", "meta") or tensor.layout is not torch.strided:
        memory_of(tensor, name)  # which refuses the meta device and all layouts but the strided
        return
    refuse_subclass(torch, tensor, name)
    if of_torch(tensor.dtype) is None:
        raise TypeError(f"{name} has elements of {tensor.dtype}; fanfill writes {NAMES}")
    if tensor.is_neg() or tensor.is_conj():
        raise ValueError(f"{name} is a negated or conjugate view; fill the tensor that it views")
    if any(not step and extent > 1 for step, extent in zip(tensor.stride(), tensor.shape, strict=True)):
        raise ValueError(
            f"{name} has stride 0 along an axis, so many of its elements are one; fill a copy of it"
        )


def fill_jobs_(jobs: Sequence[Job], *, seed: Seed, threads: int | None = None) -> None:
    """Fill the tensors of many jobs, each on its own device, as `fanfill.fill_many_` does in host memory.

    What isn't in host memory is drawn on the host in chunks of 32 MiB, two of them, page-locked where the
    device's backend offers that, and copied in the device's current stream while the next chunk is drawn.
    A chunk takes many small tensors. When this returns, the values are there.

    Parameters
    ----------
    jobs : sequence of fanfill.Job
        Of torch tensors that `check_tensor` lets pass.
    seed, threads
        As for `fanfill.fill_many_`.
    """
    host = [job for job in jobs if job.out.device.type == "cpu"]
    if host:
        fill_many_(host, seed=seed, threads=threads)
    devices = dict.fromkeys(job.out.device for job in jobs if job.out.device.type != "cpu")
    for device in devices:
        _fill_on(device, [job for job in jobs if job.out.device == device], seed, threads)


def _fill_on(device: Any, jobs: Sequence[Job], seed: Seed, threads: int | None) -> None:
    size = min(CHUNK_BYTES, sum(_span(job.out.numel() * job.out.element_size()) for job in jobs))
    chunks = [_Chunk(size, device), _Chunk(size, device)]
    for turn, pieces in enumerate(_packed(jobs, size)):
        chunk = chunks[turn % 2]
        chunk.wait()
        own = [
            Job(chunk.view(begin, job.out, block), job.law, job.key, region)
            for job, block, region, begin in pieces
        ]
        fill_many_(own, seed=seed, threads=threads)
        with torch.no_grad():
            for each, (job, block, _, _) in zip(own, pieces, strict=True):
                job.out.detach()[block].copy_(each.out, non_blocking=chunk.is_pinned)
        chunk.copying()
    for chunk in chunks:
        chunk.wait()


Piece = tuple[Job, tuple[slice, ...], Region, int]


def _packed(jobs: Sequence[Job], size: int) -> Iterator[list[Piece]]:
    """Cut the jobs into blocks and yield as many at a time as a chunk holds, with their places in it."""
    pieces: list[Piece] = []
    used = 0
    for job in jobs:
        shape = tuple(job.out.shape)
        region = job.region or Region(shape, [[(0, extent)] for extent in shape])
        itemsize = job.out.element_size()
        for block in blocks(shape, size // itemsize):
            nbytes = math.prod(own.stop - own.start for own in block) * itemsize
            if nbytes and used + nbytes > size:
                yield pieces
                pieces, used = [], 0
            if nbytes:
                pieces.append((job, block, block_region(region, block), used))
                used += _span(nbytes)
    if pieces:
        yield pieces


def _span(nbytes: int) -> int:
    return -(-nbytes // _ALIGNMENT) * _ALIGNMENT


class _Chunk:
    """A piece of host memory that a device copies from."""

    def __init__(self, size: int, device: Any) -> None:
        self._bytes, self.is_pinned = _host_memory(size, device)
        self._device = device
        self._wait: Callable[[], object] | None = None

    def view(self, begin: int, like: Any, block: tuple[slice, ...]) -> Any:
        """Return the memory from the byte `begin` on as a tensor of the dtype of `like`, for a block."""
        shape = tuple(own.stop - own.start for own in block)
        nbytes = math.prod(shape) * like.element_size()
        return self._bytes[begin : begin + nbytes].view(like.dtype).view(shape)

    def copying(self) -> None:
        """Note that copies out of this memory are under way."""
        if self.is_pinned:
            backend = torch.get_device_module(self._device)
            event = backend.Event()
            event.record(backend.current_stream(self._device))
            self._wait = event.synchronize

    def wait(self) -> None:
        """Wait until nothing is copied out of this memory any more."""
        if self._wait is not None:
            self._wait()
            self._wait = None


def _host_memory(size: int, device: Any) -> tuple[Any, bool]:
    """Return host memory, and whether it is page-locked: then the device copies while the host goes on."""
    backend = torch.get_device_module(device)
    if hasattr(backend, "Event") and hasattr(backend, "current_stream"):
        try:
            return torch.empty(size, dtype=torch.uint8, device="cpu", pin_memory=True), True
        except (RuntimeError, NotImplementedError):
            pass  # a backend without page-locked memory, or no more of it to be had
    return torch.empty(size, dtype=torch.uint8, device="cpu"), False
