"""The header of a safetensors file: from its bytes to what they say.

It must not know plans, nor how a file is written.
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..region import MAX_ELEMENTS
from ..regular_file import open_regular
from ..strict_json import json_object

__all__ = ["COUNTER_BYTES", "MAX_HEADER", "CheckpointHeader", "StoredTensor"]

COUNTER_BYTES = 8  # an int64 scalar
MAX_HEADER = 100_000_000  # what readers of the format accept
_MAX_AXES = 64  # what NumPy and torch have
_METADATA = "__metadata__"
_PREFIX = "fanfill."

# Bits of an element, by the format's names.
_BITS = {
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 64),
    **dict.fromkeys(("F32", "I32", "U32"), 32),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 16),
    **dict.fromkeys(("F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "F8_E8M0", "I8", "U8", "BOOL"), 8),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    "F4": 4,
}


@dataclass(frozen=True)
class StoredTensor:
    """What a header says of one tensor; `start` and `stop` are bytes of the data after the header."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int

    @property
    def numel(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class CheckpointHeader:
    """What the header of a safetensors file says.

    Attributes
    ----------
    tensors : tuple of StoredTensor
        In the order of the data.
    metadata : mapping of str to str
        The file's ``__metadata__``; what fanfill wrote into it begins with ``fanfill.``.
    header_bytes, file_bytes : int
        Sizes of the header, its length field included, and of the file.

    Examples
    --------
    >>> import os, tempfile, fanfill as ff
    >>> from fanfill.checkpoint.header import CheckpointHeader
    >>> plan = ff.Plan([ff.ParamSpec("w", (8, 4), ff.Normal())], seed=7)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "model.safetensors")
    ...     written = plan.write(path)
    ...     CheckpointHeader.read(path).fanfill["seed"]
    '7'
    """

    tensors: tuple[StoredTensor, ...]
    metadata: Mapping[str, str]
    header_bytes: int
    file_bytes: int

    @property
    def fanfill(self) -> dict[str, str]:
        """What fanfill wrote into the metadata, under its names without the prefix; empty for other files."""
        return {
            key.removeprefix(_PREFIX): value
            for key, value in self.metadata.items()
            if key.startswith(_PREFIX)
        }

    @classmethod
    def read(cls, path: str | os.PathLike[str], *, follow: bool = True) -> CheckpointHeader:
        """Return the header of a file, of which nothing else is read.

        Parameters
        ----------
        path : path-like
            The file.
        follow : bool, default True
            Whether `path` may be a symbolic link.

        Raises
        ------
        OSError
            If the file can't be read, or is no regular file.
        ValueError
            If the file isn't what the format asks for: a header that is too long, cut off, no JSON object of
            the right members, or tensors with gaps, overlaps, sizes that don't fit, or more or less data.
        """
        with os.fdopen(open_regular(path, follow=follow), "rb") as file:
            file_bytes = os.fstat(file.fileno()).st_size
            try:
                (length,) = struct.unpack("<Q", file.read(8))
            except struct.error:
                raise _malformed(
                    path, f"it has {file_bytes} bytes and its length field alone takes 8"
                ) from None
            if length > MAX_HEADER:
                raise _malformed(path, f"a header of {length:,} bytes, and readers accept {MAX_HEADER:,}")
            if 8 + length > file_bytes:
                raise _malformed(path, f"a header of {length:,} bytes in a file of {file_bytes:,}")
            text = file.read(length)
        try:
            tensors, metadata = _parsed(text)
            _check_data(tensors, file_bytes - 8 - length)
            _check_fanfill(metadata)
        except ValueError as error:
            raise _malformed(path, str(error)) from error
        return cls(tensors, metadata, 8 + length, file_bytes)


def _malformed(path: str | os.PathLike[str], reason: str) -> ValueError:
    return ValueError(f"{os.fspath(path)} is no safetensors file: {reason}")


def _parsed(text: bytes) -> tuple[tuple[StoredTensor, ...], dict[str, str]]:
    entries = json_object(text, "the header")
    metadata = entries.pop(_METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise ValueError(f"{_METADATA} isn't an object of strings")
    tensors = sorted(
        (_stored(name, entry) for name, entry in entries.items()), key=lambda t: (t.start, t.stop)
    )
    return tuple(tensors), metadata


def _stored(name: str, entry: Any) -> StoredTensor:
    owner = f"tensor {_cut(name)!r}"
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"{owner} must have dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _BITS:
        raise ValueError(f"{owner} has the unknown dtype {_cut(str(dtype))!r}")
    if not _are_sizes(shape) or not _are_sizes(offsets) or len(offsets) != 2:
        raise ValueError(f"{owner} has a shape or data_offsets that aren't sizes")
    if len(shape) > _MAX_AXES or math.prod(extent for extent in shape if extent) > MAX_ELEMENTS:
        raise ValueError(f"{owner} doesn't fit: over {_MAX_AXES} axes or 2^62 elements, {_cut(str(shape))}")
    tensor = StoredTensor(name, dtype, tuple(shape), *offsets)
    if tensor.numel * _BITS[dtype] != 8 * (tensor.stop - tensor.start):
        raise ValueError(f"{owner}, {dtype} of shape {tensor.shape}, doesn't fit data_offsets {offsets}")
    return tensor


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(size) is int and size >= 0 for size in value)


def _check_data(tensors: Sequence[StoredTensor], size: int) -> None:
    end = 0
    for tensor in tensors:
        if tensor.start != end:
            raise ValueError(
                f"tensor {_cut(tensor.name)!r} begins at byte {tensor.start:,} of the data, not at {end:,}"
            )
        end = tensor.stop
    if end != size:
        raise ValueError(f"the tensors take {end:,} bytes and the file holds {size:,}")


def _check_fanfill(metadata: Mapping[str, str]) -> None:
    """Refuse what no version of fanfill writes: numbers that are none."""
    for member in ("contract_version", "seed", "buffer_elements"):
        text = metadata.get(_PREFIX + member, "0")
        if not (text.isascii() and text.isdecimal() and len(text) <= 20):
            raise ValueError(f"{_PREFIX}{member} in its metadata is {_cut(text)!r} and no number")


def _cut(text: str) -> str:
    """Return the text, or its beginning if it is long: a hostile file shall not fill a terminal."""
    return text if len(text) <= 100 else f"{text[:100]}..."
