"""Knows what each parser must do with any bytes: refuse them by ValueError, or give what holds together.

It must not know where the bytes come from.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable

import fanfill as ff
from fanfill.checkpoint.header import CheckpointHeader
from fanfill.checkpoint.shard_index import ShardIndex
from fanfill.checkpoint.stored_laws import StoredLaws
from fanfill.hf.config import _check_numbers
from fanfill.strict_json import json_object

from .boundary import boundary

__all__ = ["TARGETS"]


def header(data: bytes) -> bool:
    """Read the bytes as a safetensors file, as they are and with the length put right; return if one is."""
    end = data.rfind(b"}") + 1
    text = data[8:end]
    # Few mutations of a header keep its length.
    right = len(text).to_bytes(8, "little") + text + data[end:]
    return any([_header(data), data != right and _header(right)])


def _header(data: bytes) -> bool:
    descriptor = os.memfd_create("fuzz")
    try:
        os.write(descriptor, data)
        found = CheckpointHeader.read(f"/proc/self/fd/{descriptor}")
    except ValueError:
        return False
    finally:
        os.close(descriptor)
    end = 0
    for tensor in found.tensors:
        assert tensor.start == end <= tensor.stop
        assert all(type(extent) is int and extent >= 0 for extent in tensor.shape)
        assert tensor.numel == math.prod(tensor.shape) <= 2**62
        end = tensor.stop
    assert found.header_bytes + end == found.file_bytes == len(data)
    assert len({tensor.name for tensor in found.tensors}) == len(found.tensors)
    laws(found.fanfill.get("laws", "{}").encode())
    return True


def index(data: bytes) -> bool:
    """Read the bytes as an index of shards; return whether they are one."""
    try:
        found = ShardIndex.from_json(data)
    except ValueError:
        return False
    for name in found.files:
        assert os.path.basename(name) == name
        assert name not in ("", ".", "..")
        assert "\0" not in name
        assert os.path.normpath(os.path.join("/folder", name)) == f"/folder/{name}"
    assert len({name.casefold() for name in found.files}) == len(found.files)
    return True


def plan(data: bytes) -> bool:
    """Read the bytes as a plan, with the hash put right; return whether they are one."""
    try:
        text = data.decode()
        try:
            found = ff.Plan.from_json(text)
        except ValueError as error:
            # No mutation would ever find the hash of its own content.
            said = re.search(
                r"says its hash is (.*) but its content has ([0-9a-f]{64})", str(error), re.DOTALL
            )
            if said is None or not said[1]:
                raise
            found = ff.Plan.from_json(text.replace(said[1], said[2]))
    except ValueError:
        return False
    assert ff.Plan.from_json(found.to_json()) == found
    assert 0 <= found.seed < 2**64
    for spec in found:
        assert spec.numel <= 2**62
        if spec.numel < 1000 and spec.dtype == "float32":
            found.array(spec.name)
    return True


def laws(data: bytes) -> bool:
    """Read the bytes as the laws in a file's metadata; return whether they are some."""
    try:
        found = StoredLaws.from_json(data.decode())
        for name in found.members:
            found.spec(name, (2, 3), "F32")
    except ValueError:
        return False
    return True


def config(data: bytes) -> bool:
    """Read the bytes as a configuration, up to where transformers would take over."""
    try:
        _check_numbers(json_object(data, "the config", infinities=True))
    except ValueError:
        return False
    return True


TARGETS: dict[str, Callable[[bytes], bool]] = {
    each.__name__: each for each in (header, index, plan, laws, config, boundary)
}
