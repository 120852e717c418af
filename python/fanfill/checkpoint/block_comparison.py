"""Blocks of a checkpoint held against what a plan draws there, bit for bit, up to the first that differs.

It must not know how blocks are cut and read, nor what becomes of the finding.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..element_values import element_values
from ..fill import Job, fill_many_
from ..plan.param_spec import ParamSpec
from ..region import Region
from .block import Block, Bytes
from .header import StoredTensor

__all__ = ["BlockComparison", "Difference"]


@dataclass(frozen=True)
class Difference:
    """The first element of a checkpoint that isn't the plan's.

    Attributes
    ----------
    file, tensor : str
        Where it is.
    index : int
        Its flat, row-major index in the tensor.
    multi_index : tuple of int
        Its index along each axis.
    expected, found : float
        The plan's value and the file's.
    expected_bits, found_bits : str
        Both as the element's bits, in hex: two values may be printed alike.
    """

    file: str
    tensor: str
    index: int
    multi_index: tuple[int, ...]
    expected: float
    found: float
    expected_bits: str
    found_bits: str

    def to_dict(self) -> dict[str, Any]:
        """Return the difference as plain JSON types; a value that isn't finite as None."""
        finite = {
            name: value if math.isfinite(value) else None
            for name, value in (("expected", self.expected), ("found", self.found))
        }
        return {**asdict(self), "multi_index": list(self.multi_index), **finite}

    def __str__(self) -> str:
        place = f"[{', '.join(map(str, self.multi_index))}]"
        return (
            f"{self.file}: tensor {self.tensor} differs first at {place}, flat index {self.index}: expected "
            f"{self.expected!r} (0x{self.expected_bits}), found {self.found!r} (0x{self.found_bits})"
        )


class BlockComparison:
    """Draws what blocks shall hold and compares; remembers the first difference."""

    def __init__(self, specs: Mapping[str, ParamSpec | None], seed: int, threads: int) -> None:
        self.difference: Difference | None = None
        self.blocks = self.nbytes = 0
        self.pool = ThreadPoolExecutor(max_workers=threads)
        self._specs = specs
        self._seed = seed
        self._threads = threads
        self._buffer: Bytes = np.empty(0, np.uint8)

    def __enter__(self) -> BlockComparison:
        self.pool.__enter__()
        return self

    def __exit__(self, *_: Any) -> None:
        self.pool.shutdown(cancel_futures=True)

    def compare(self, batch: list[tuple[Block, Bytes]]) -> None:
        """Compare the blocks that have a counterpart in the plan, unless a difference was found before."""
        if self.difference is not None:
            return
        own = [(block, found) for block, found in batch if block.tensor.name in self._specs]
        expected = self._drawn(own)
        pairs = [(found, drawn) for (_, found), drawn in zip(own, expected, strict=True)]
        places = list(self.pool.map(lambda pair: _first_unequal(*pair), pairs))
        for (block, found), drawn, place in zip(own, expected, places, strict=True):
            self.blocks += 1
            self.nbytes += block.size
            if place is not None:
                self.difference = _difference(block, found, drawn, place)
                return

    def _drawn(self, batch: list[tuple[Block, Bytes]]) -> list[Bytes]:
        """Return what the blocks shall hold, in one buffer that the next call uses again."""
        starts = np.cumsum([0, *(-(-block.size // 64) * 64 for block, _ in batch)]).tolist()
        if self._buffer.size < starts[-1]:
            self._buffer = np.frombuffer(mmap.mmap(-1, starts[-1]), dtype=np.uint8)
        drawn = [self._buffer[at : at + block.size] for at, (block, _) in zip(starts, batch, strict=False)]
        jobs: list[Job] = []
        places: set[tuple[str, int]] = set()
        for out, (block, _) in zip(drawn, batch, strict=True):
            spec = self._specs[block.tensor.name]
            if spec is None:
                out[:] = 0
                continue
            if (
                spec.name,
                block.start,
            ) in places:  # a tied twin: one call refuses to draw the same numbers twice
                fill_many_(jobs, seed=self._seed, threads=self._threads)
                jobs, places = [], set()
            places.add((spec.name, block.start))
            jobs.append(_job(spec, block, out))
        fill_many_(jobs, seed=self._seed, threads=self._threads)
        return drawn


def _job(spec: ParamSpec, block: Block, out: Bytes) -> Job:
    itemsize = spec.element.itemsize
    region = Region.flat(spec.shape, block.start // itemsize, block.stop // itemsize)
    return Job(out.view(f"u{itemsize}"), spec.drawn_law, spec.name, region, spec.dtype)


def _first_unequal(found: Bytes, expected: Bytes) -> int | None:
    """Return the place of the first byte that differs, or None."""
    whole = found.size // 8 * 8  # eight bytes at a time, while they are equal
    is_equal = np.array_equal(found[:whole].view("u8"), expected[:whole].view("u8"))
    if is_equal and np.array_equal(found[whole:], expected[whole:]):
        return None
    return int(np.argmax(found != expected))


def _difference(block: Block, found: Bytes, expected: Bytes, byte: int) -> Difference:
    tensor = block.tensor
    itemsize = (tensor.stop - tensor.start) // tensor.numel
    at = byte // itemsize * itemsize
    index = (block.start + at) // itemsize
    pair = [each[at : at + itemsize] for each in (expected, found)]
    wanted, got = (float(element_values(bits, tensor.dtype)[0]) for bits in pair)
    wanted_bits, got_bits = (bits.tobytes()[::-1].hex() for bits in pair)
    place = _multi_index(tensor, index)
    return Difference(str(block.file.path), tensor.name, index, place, wanted, got, wanted_bits, got_bits)


def _multi_index(tensor: StoredTensor, index: int) -> tuple[int, ...]:
    places = []
    for axis in range(len(tensor.shape)):
        stride = math.prod(tensor.shape[axis + 1 :])
        places.append(index // stride % tensor.shape[axis])
    return tuple(places)
