"""The index of a checkpoint in several files: which file holds which tensor.

It must not know what is in the files, nor write one.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..regular_file import read_regular
from ..strict_json import json_object

__all__ = ["INDEX_NAME", "ShardIndex", "shard_names"]

INDEX_NAME = "model.safetensors.index.json"
_MAX_BYTES = 200_000_000  # a million tensors with names of a hundred letters
_MAX_NAME = 255
_SHARD = re.compile(r"model-(\d{5,})-of-(\d{5,})\.safetensors", re.ASCII)


@dataclass(frozen=True)
class ShardIndex:
    """What ``model.safetensors.index.json`` says.

    Attributes
    ----------
    weight_map : mapping of str to str
        Under each tensor's name, that of the file beside the index which holds it.
    total_size : int or None
        Bytes of all tensors, where the index says it.

    Examples
    --------
    >>> from fanfill.checkpoint.shard_index import ShardIndex
    >>> text = '{"metadata": {"total_size": 8}, "weight_map": {"w": "model-00001-of-00001.safetensors"}}'
    >>> ShardIndex.from_json(text).files
    ('model-00001-of-00001.safetensors',)
    """

    weight_map: Mapping[str, str]
    total_size: int | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """The files' names, each once, in the order of the alphabet."""
        return tuple(sorted(set(self.weight_map.values())))

    @classmethod
    def from_json(cls, text: str | bytes) -> ShardIndex:
        """Return the index that `text` is.

        Raises
        ------
        ValueError
            If it is no such object; or if a file's name has a folder in it, isn't that of a safetensors file,
            or differs from another only in upper and lower case or in how its letters are composed.
        """
        content = json_object(text, "the index")
        weight_map, metadata = content.get("weight_map"), content.get("metadata", {})
        if not isinstance(weight_map, dict) or not weight_map:
            raise ValueError("the index must have a weight_map from tensors to files")
        if not isinstance(metadata, dict):
            raise ValueError("metadata of the index must be an object")
        total_size = metadata.get("total_size")
        if total_size is not None and (type(total_size) is not int or total_size < 0):
            raise ValueError(
                f"total_size of the index must be a number of bytes, got {str(total_size)[:100]}"
            )
        folded: dict[str, str] = {}
        for file in dict.fromkeys(_checked_file(tensor, file) for tensor, file in weight_map.items()):
            twin = folded.setdefault(unicodedata.normalize("NFKC", file).casefold(), file)
            if twin != file:
                raise ValueError(
                    f"the index names {twin!r} and {file!r}, which are one file where case doesn't count"
                )
        return cls(weight_map, total_size)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> ShardIndex:
        """Return the index that a file holds.

        Raises
        ------
        OSError
            If the file can't be read.
        ValueError
            As for `from_json`; it names the file.
        """
        data = read_regular(path, _MAX_BYTES)
        try:
            return cls.from_json(data)
        except ValueError as error:
            raise ValueError(f"{os.fspath(path)} is no index of a checkpoint: {error}") from error


def _checked_file(tensor: str, file: Any) -> str:
    """Return a file's name that can't lead out of the index's folder."""
    if not isinstance(file, str):
        raise ValueError(f"the index gives {tensor[:100]!r} a file of type {type(file).__name__}")
    is_plain = file not in ("", ".", "..") and not set(file) & set("/\\:\0") and file.isprintable()
    if not is_plain or not file.endswith(".safetensors") or len(os.fsencode(file)) > _MAX_NAME:
        raise ValueError(
            f"the index gives {tensor[:100]!r} the file {file[:300]!r}: it must be the plain name of a "
            "safetensors file in the folder of the index"
        )
    return file


def shard_names(folder: Path) -> tuple[str, ...]:
    """Return the names that the shards of a folder without an index must have, from those that are there.

    Raises
    ------
    ValueError
        If there are shards of checkpoints of different numbers of files.
    """
    found = [match for name in sorted(os.listdir(folder)) if (match := _SHARD.fullmatch(name))]
    totals = {match[2] for match in found}
    if len(totals) > 1:
        raise ValueError(f"{folder} has shards of several checkpoints: of {' and of '.join(sorted(totals))}")
    if not found:
        return ()
    (total,) = totals
    if len(total) > 5:  # a hundred thousand files
        raise ValueError(f"{folder} has shards of a checkpoint of {total} files")
    return tuple(f"model-{number:05d}-of-{total}.safetensors" for number in range(1, int(total) + 1))
