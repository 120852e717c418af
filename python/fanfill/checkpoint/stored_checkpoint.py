"""A checkpoint as it lies on disk: its safetensors files, and which of them holds which tensor.

It must not know plans or laws, nor read a tensor's data.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..regular_file import link_target, open_regular
from .header import CheckpointHeader, StoredTensor
from .shard_index import INDEX_NAME, ShardIndex, shard_names

__all__ = ["StoredCheckpoint", "StoredFile"]

_SINGLE = "model.safetensors"


@dataclass(frozen=True, eq=False)
class StoredFile:
    """One file of a checkpoint: its name, where that leads, and its header."""

    path: Path
    target: Path
    header: CheckpointHeader

    def open(self) -> int:
        """Return a descriptor to read the file, whose size must be what it was when the header was read.

        Raises
        ------
        OSError
            If it can't be opened, or its size is another one.
        """
        descriptor = open_regular(self.target)
        if os.fstat(descriptor).st_size != self.header.file_bytes:
            os.close(descriptor)
            raise OSError(errno.EIO, "changed its size while it was read", str(self.path))
        return descriptor


@dataclass(frozen=True)
class StoredCheckpoint:
    """The files of a checkpoint, their headers read.

    Attributes
    ----------
    path : Path
        What was asked for: a file, or a folder.
    files : tuple of StoredFile
        Those that are there, in the order of their names.
    missing_files : tuple of str
        Names of those that the index, or the numbers in the names of the others, ask for.
    index_faults : tuple of str
        Where index and files contradict each other, one sentence each.
    metadata : mapping of str to str
        What fanfill wrote into the files, under its names without the prefix; empty for other files.

    Examples
    --------
    >>> import os, tempfile, fanfill as ff
    >>> from fanfill.checkpoint.stored_checkpoint import StoredCheckpoint
    >>> plan = ff.Plan([ff.ParamSpec("w", (8, 4), ff.Normal())], seed=7)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = plan.write(folder)
    ...     list(StoredCheckpoint.read(folder).tensors)
    ['w']
    """

    path: Path
    files: tuple[StoredFile, ...]
    missing_files: tuple[str, ...]
    index_faults: tuple[str, ...]
    metadata: Mapping[str, str]

    @property
    def tensors(self) -> dict[str, tuple[StoredFile, StoredTensor]]:
        """Under each tensor's name the file that holds it and the tensor."""
        return {tensor.name: (file, tensor) for file in self.files for tensor in file.header.tensors}

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> StoredCheckpoint:
        """Return the checkpoint of one safetensors file, or of a folder.

        Of a folder it is the ``model.safetensors``, else the files that ``model.safetensors.index.json``
        names, else those called ``model-00001-of-0000N.safetensors`` and so on. A file that an index names
        may be no symbolic link but one of Hugging Face's cache.

        Raises
        ------
        OSError
            If a file can't be read.
        ValueError
            If a file isn't what its format asks for, a tensor is in two files, the files' own accounts of
            seed and plan differ, or there is no safetensors file.
        """
        path = Path(path)
        if path.name == INDEX_NAME:
            path = path.parent
        if not path.is_dir():
            return cls._of([StoredFile(path, path, CheckpointHeader.read(path))], path)
        if os.path.lexists(single := path / _SINGLE):
            return cls._of([StoredFile(single, single, CheckpointHeader.read(single))], path)
        index = ShardIndex.read(path / INDEX_NAME) if os.path.lexists(path / INDEX_NAME) else None
        names = shard_names(path) if index is None else index.files
        if not names:
            raise ValueError(f"{path} has no {_SINGLE}, no {INDEX_NAME} and no shards")
        present = [name for name in names if os.path.lexists(path / name)]
        files = [_shard(path, name) for name in present]
        missing = tuple(name for name in names if name not in set(present))
        return cls._of(files, path, missing, index)

    @classmethod
    def _of(
        cls,
        files: list[StoredFile],
        path: Path,
        missing: tuple[str, ...] = (),
        index: ShardIndex | None = None,
    ) -> StoredCheckpoint:
        holders: dict[str, str] = {}
        for file in files:
            for tensor in file.header.tensors:
                twin = holders.setdefault(tensor.name, file.path.name)
                if twin != file.path.name:
                    raise ValueError(
                        f"{path}: tensor {tensor.name[:100]!r} is in {twin} and in {file.path.name}"
                    )
        faults: tuple[str, ...] = ()
        if index is not None:
            faults = tuple(_index_faults(index, holders, files, missing))
        return cls(path, tuple(files), missing, faults, _common_metadata(path, files))


def _shard(folder: Path, name: str) -> StoredFile:
    target = link_target(folder / name)
    return StoredFile(folder / name, target, CheckpointHeader.read(target, follow=False))


def _common_metadata(path: Path, files: list[StoredFile]) -> dict[str, str]:
    """Return what the files say of themselves, which must be the same in all."""
    common: dict[str, str] = {}
    for number, file in enumerate(files):
        own = file.header.fanfill
        if number and own != common:
            differing = sorted(key for key in {*own, *common} if own.get(key) != common.get(key))
            raise ValueError(
                f"{path} mixes several checkpoints: {files[0].path.name} and {file.path.name} differ in "
                f"{', '.join(differing)[:300]}"
            )
        common = own
    return common


def _index_faults(
    index: ShardIndex, holders: Mapping[str, str], files: list[StoredFile], missing: tuple[str, ...]
) -> list[str]:
    faults = [
        f"the index has tensor {name[:100]!r} in {file}, which lacks it"
        for name, file in index.weight_map.items()
        if file not in missing and holders.get(name) != file
    ]
    faults += [
        f"the index lacks tensor {name[:100]!r} of {file}"
        for name, file in holders.items()
        if name not in index.weight_map
    ]
    size = sum(file.header.file_bytes - file.header.header_bytes for file in files)
    if index.total_size is not None and not missing and index.total_size != size:
        faults.append(f"the index says {index.total_size:,} bytes of tensors and the files hold {size:,}")
    return faults
