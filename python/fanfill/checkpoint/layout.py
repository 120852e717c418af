"""One safetensors file of a plan, byte for byte: which of them are header, and which are whose elements.

It must not know where the file lies, nor how it is written.
"""

from __future__ import annotations

import json
import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from ..fill import Job, fill_many_
from ..plan.param_spec import ParamSpec
from ..plan.plan import Plan
from ..region import Region
from .header import COUNTER_BYTES, MAX_HEADER
from .stored_laws import StoredLaws

__all__ = ["Buffer", "CheckpointLayout", "plan_metadata"]

Buffer: TypeAlias = np.ndarray[tuple[int], np.dtype[np.uint8]]

_PAGE = 4096
_MAX_LAWS = 4_000_000  # every file of the checkpoint carries them


def plan_metadata(plan: Plan) -> dict[str, str]:
    """Return what each file of a plan's checkpoint says of where it comes from.

    ``format`` is as transformers wants it. Under ``fanfill.`` come the plan's contract version, seed, hash,
    recipe, model and laws, the last unless they take more than 4 MB; and of float8 tensors that no scales
    belong to them.
    """
    metadata = {
        "format": "pt",
        "fanfill.contract_version": str(plan.contract_version),
        "fanfill.seed": str(plan.seed),
        "fanfill.plan_hash": plan.hash,
    }
    if plan.recipe is not None:
        metadata["fanfill.recipe"] = plan.recipe
    if plan.model is not None:
        metadata["fanfill.model"] = plan.model
    if plan.buffer_numel:
        metadata["fanfill.buffer_elements"] = str(plan.buffer_numel)
    if any(spec.dtype.startswith("float8") for spec in plan):
        metadata["fanfill.float8_scales"] = "none"
    laws = StoredLaws.of(plan).to_json()
    if len(laws) <= _MAX_LAWS:
        metadata["fanfill.laws"] = laws
    return metadata


class CheckpointLayout:
    """A safetensors file of some of a plan's tensors.

    The header is padded with spaces to a page, where the data begins. First come the counters, each an int64
    scalar at zero, then the tensors in the order of the plan, wide element types first, so that each is
    aligned to its elements.

    Parameters
    ----------
    specs : iterable of ParamSpec
        The tensors.
    seed : int
        That of the plan.
    metadata : mapping of str to str
        What `plan_metadata` gives.
    counters : sequence of str, default ()
        Names of the counters.

    Attributes
    ----------
    head_bytes, size : int
        Bytes before the tensors, and of the whole file.

    Raises
    ------
    ValueError
        If a tensor is called ``__metadata__`` or like another, or the header exceeds what readers accept.

    Examples
    --------
    >>> import numpy as np, fanfill as ff
    >>> from fanfill.checkpoint.layout import CheckpointLayout, plan_metadata
    >>> plan = ff.Plan([ff.ParamSpec("w", (8, 4), ff.Normal())], seed=7)
    >>> layout = CheckpointLayout(plan, plan.seed, plan_metadata(plan))
    >>> layout.size
    4224
    >>> data = layout.fill_(np.empty(128, np.uint8), 4096)
    >>> bool((data.view("f4").reshape(8, 4) == plan.array("w")).all())
    True
    """

    def __init__(
        self,
        specs: Iterable[ParamSpec],
        seed: int,
        metadata: Mapping[str, str],
        counters: Sequence[str] = (),
    ) -> None:
        ordered = sorted(specs, key=lambda spec: -spec.element.itemsize)
        self._seed = seed
        self._head = _header(ordered, metadata, counters) + bytes(COUNTER_BYTES * len(counters))
        self.head_bytes = len(self._head)
        self._specs = [spec for spec in ordered if spec.nbytes]
        self._starts: list[int] = []
        self.size = len(self._head)
        for spec in self._specs:
            self._starts.append(self.size)
            self.size += spec.nbytes

    def fill_(self, buffer: Buffer, offset: int, *, threads: int | None = None) -> Buffer:
        """Write the file's bytes from `offset` on into `buffer`, and return it.

        Parameters
        ----------
        buffer : array of uint8
            Of any size up to the file's end, aligned to 8 bytes.
        offset : int
            A multiple of 8.
        threads : int, optional
            As for `fanfill.fill_`.
        """
        end = offset + buffer.nbytes
        head = np.frombuffer(self._head, np.uint8)[offset:end]
        buffer[: head.size] = head
        jobs = []
        for spec, start, stop, at in self._pieces(offset, end):
            itemsize = spec.element.itemsize
            # Integers of the element's width: NumPy alone has no bfloat16 or float8, and none is needed here.
            out = buffer[at : at + (stop - start) * itemsize].view(f"u{itemsize}")
            region = Region.flat(spec.shape, start, stop)
            jobs.append(Job(out, spec.drawn_law, spec.name, region=region, dtype=spec.dtype))
        fill_many_(jobs, seed=self._seed, threads=threads)
        return buffer

    def _pieces(self, offset: int, end: int) -> Iterator[tuple[ParamSpec, int, int, int]]:
        """Yield each tensor in those bytes, the first and last of its elements there, and where they lie."""
        index = max(0, bisect_right(self._starts, offset) - 1)
        while index < len(self._specs) and self._starts[index] < end:
            spec, begin = self._specs[index], self._starts[index]
            first, last = max(offset, begin), min(end, begin + spec.nbytes)
            if first < last:
                itemsize = spec.element.itemsize
                yield spec, (first - begin) // itemsize, (last - begin) // itemsize, first - offset
            index += 1


def _header(specs: Sequence[ParamSpec], metadata: Mapping[str, str], counters: Sequence[str]) -> bytes:
    """Return the file's first bytes: the length of the JSON, the JSON, and spaces up to a page."""
    entries: dict[str, Any] = {"__metadata__": dict(metadata)}
    tensors: list[tuple[str, str, tuple[int, ...], int]] = [
        *((name, "I64", (), COUNTER_BYTES) for name in counters),
        *((s.name, s.element.safetensors_name, s.shape, s.nbytes) for s in specs),
    ]
    offset = 0
    for name, dtype, shape, size in tensors:
        if name in entries:
            raise ValueError(f"a safetensors file can't hold a tensor called {name!r}; rename the parameter")
        entries[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-(8 + len(text)) % _PAGE)
    if len(text) > MAX_HEADER:
        raise ValueError(
            f"the safetensors header would be {len(text):,} bytes and readers accept {MAX_HEADER:,}; "
            "write several files, with max_shard_size"
        )
    return struct.pack("<Q", len(text)) + text
