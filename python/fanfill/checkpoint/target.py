"""Where a plan's checkpoint goes: one safetensors file, or a folder of one or several that loaders open.

It must not know of models or the command line, nor how tensors are drawn or laid out.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import resource
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..byte_size import byte_size
from ..plan.plan import Plan
from .atomic_file import AtomicFile, check_room, sync_folder
from .layout import CheckpointLayout, plan_metadata
from .resume import content_check, layout_check
from .shard_index import INDEX_NAME
from .shard_plan import checked_part, files_of_part, index_json, shard_files
from .writer import CheckpointWriter, ProgressCallback

__all__ = ["Target", "Written"]

_WEIGHTS = re.compile(r"model(-\d{5,}-of-\d{5,})?\.safetensors(\.index\.json)?", re.ASCII)
_TEMPORARY = re.compile(r"\.(.+)\.(partial|complete)")
_MOST_HELD = 1024  # files that stay locked until they have their names


@dataclass(frozen=True)
class Written:
    """What a run did.

    Attributes
    ----------
    files : tuple of (Path, int)
        The files, which all stand now, and their bytes.
    bytes_written : int
        Bytes that this run wrote; with `resume` those that were there already are not among them.
    """

    files: tuple[tuple[Path, int], ...]
    bytes_written: int


class Target:
    """The files of one checkpoint, or of one process's part of it.

    Parameters
    ----------
    path : path-like
        A name that ends in ``.safetensors`` is one file; any other is a folder, made where it doesn't exist.
    plan : Plan
        Gives the tensors.
    counters : sequence of str, default ()
        Names of int64 scalars at zero, such as a batch norm's ``num_batches_tracked``, which a loader expects
        and no law draws.
    beside : mapping of str to bytes, default {}
        Names and contents of files that a folder gets too, such as ``config.json``.
    max_shard_size : int or str, optional
        Bytes of the tensors of one file of a folder, such as ``"5GB"``; see `shard_files`. Default: no limit.
    part : (int, int), default (1, 1)
        Which of how many processes this is, counted from 1; see `files_of_part`. The first one also writes
        what isn't a safetensors file.

    Raises
    ------
    ValueError
        If there is but one file and `max_shard_size` or `part` ask for several, or the plan can't be a
        safetensors file.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        plan: Plan,
        *,
        counters: Sequence[str] = (),
        beside: Mapping[str, bytes] | None = None,
        max_shard_size: int | str | None = None,
        part: tuple[int, int] = (1, 1),
    ) -> None:
        self.path = Path(path)
        part = checked_part(part)
        is_file = self.path.suffix == ".safetensors"
        if is_file and max_shard_size is not None:
            raise ValueError(f"max_shard_size makes several files, and {self.path} is one; give a folder")
        if part[1] > 1 and (is_file or max_shard_size is None):
            way_out = "a folder and max_shard_size" if is_file else "max_shard_size too"
            raise ValueError(f"part shares out several files; give {way_out}")
        self._folder = self.path.parent if is_file else self.path
        limit = None if max_shard_size is None else byte_size(max_shard_size, "max_shard_size")
        shards = shard_files(plan, counters, max_shard_size=limit)
        metadata = plan_metadata(plan)
        self._layouts = {
            self.path if is_file else self.path / shard.name: CheckpointLayout(
                shard.specs, plan.seed, metadata, shard.counters
            )
            for shard in files_of_part(shards, part)
        }
        self._all_names = {*(shard.name for shard in shards), *([INDEX_NAME] if len(shards) > 1 else [])}
        self._texts: dict[Path, bytes] = {}
        if not is_file and part[0] == 1:
            if len(shards) > 1:
                index = index_json(shards, plan.numel - plan.buffer_numel).encode()
                self._texts[self.path / INDEX_NAME] = index
            self._texts |= {self.path / name: content for name, content in (beside or {}).items()}

    def files(self) -> list[tuple[Path, int]]:
        """Return each file's name and size in bytes."""
        return [
            *((path, layout.size) for path, layout in self._layouts.items()),
            *((path, len(content)) for path, content in self._texts.items()),
        ]

    def check(self, *, replace: bool = False, resume: bool = False) -> None:
        """Raise what `write` would, before a byte is written, where a name is taken or of the wrong kind.

        Raises
        ------
        FileExistsError
            If one of the names is taken and `replace` is false; with `resume` only if by something else.
        IsADirectoryError, NotADirectoryError
            If a folder stands where a file shall be, or a file where a folder shall be.
        OSError
            If the folder holds weights of another checkpoint, under names that this one doesn't use.
        """
        folder = self._existing_folder()
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "is no folder; give another path", str(folder))
        for file in self._atomic_files(replace, resume, None):
            if file.path.is_dir() and not file.path.is_symlink():
                message = f"is a folder; a name that ends in {file.path.suffix} is one file"
                raise IsADirectoryError(errno.EISDIR, message, str(file.path))
            file.check()
        self._refuse_other_checkpoint()

    def _refuse_other_checkpoint(self) -> None:
        """Raise if the folder has weights that no part writes.

        Loaders would open them, or mix them in; and what another run has left half written takes up the disk
        for good, since nobody sees it.
        """
        if self._folder != self.path or not self._folder.is_dir():
            return
        names: list[str] = []
        with contextlib.suppress(PermissionError):  # a folder may be written and not listed
            names = sorted(os.listdir(self._folder))
        for name in names:
            left = _TEMPORARY.fullmatch(name)
            final = left[1] if left else name
            if _WEIGHTS.fullmatch(final) and final not in self._all_names:
                message = "is of another checkpoint, and loaders would take it for this one's; remove it"
                if left:
                    message = "is left of an interrupted run that made other files; finish it or remove this"
                raise OSError(errno.ENOTEMPTY, message, str(self._folder / name))

    def _existing_folder(self) -> Path:
        """Return the target's folder, or the lowest above it that exists."""
        folder = self._folder
        while not os.path.lexists(folder) and folder != folder.parent:
            folder = folder.parent
        return folder

    def _atomic_files(self, replace: bool, resume: bool, threads: int | None) -> list[AtomicFile]:
        checks = {
            **{path: layout_check(layout, threads) for path, layout in self._layouts.items()},
            **{path: content_check(content) for path, content in self._texts.items()},
        }
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        # Whoever writes the same files begins with the first, so that its lock will do where there are many.
        held = _MOST_HELD if limit == resource.RLIM_INFINITY else min(_MOST_HELD, limit // 4)
        return [
            AtomicFile(
                path,
                size,
                replace=replace,
                resume=checks[path] if resume else None,
                stays_open=number < held,
            )
            for number, (path, size) in enumerate(self.files())
        ]

    def write(
        self,
        *,
        replace: bool = False,
        resume: bool = False,
        threads: int | None = None,
        progress: ProgressCallback | None = None,
    ) -> Written:
        """Write the files; none stands under its name before all are complete.

        They then get their names one after the other, those that aren't safetensors files, without which
        loaders open nothing, last.

        Parameters
        ----------
        replace : bool, default False
            Whether files of these names may be replaced.
        resume : bool, default False
            Continue where an earlier run was stopped, and if this one is, leave what it has for the next.
            Finished files are taken as they are if blocks sampled from them are right; of unfinished ones
            every block is computed again, and written where it isn't right.
        threads : int, optional
            As for `fill_`.
        progress : callable, optional
            Called with the bytes of the files that are done and the bytes in all.

        Raises
        ------
        FileExistsError
            If one of the names is taken and `replace` is false; nothing is written then.
        OSError
            As for `check`, if there isn't room for all files, or if one can't be written; it names the file.
            Folders made for it are removed again.
        """
        self.check(replace=replace, resume=resume)
        files = self._atomic_files(replace, resume, threads)
        check_room(self._existing_folder(), sum(file.missing_bytes for file in files), self.path)
        total, done = sum(size for _, size in self.files()), 0

        def advance(size: int) -> None:
            nonlocal done
            done += size
            if progress is not None:
                progress(done, total)

        with contextlib.ExitStack() as stack:
            made = stack.enter_context(_Folders(self._folder))
            writer = CheckpointWriter(threads)
            for file in files:
                stack.enter_context(file)
                if file.is_finished:
                    advance(file.size)
                elif file.path in self._layouts:
                    writer.write(self._layouts[file.path], file, advance)
                else:
                    content = self._texts[file.path]
                    writer.written += file.write_at(content, 0)
                    file.finish()
                    advance(len(content))
            for file in files:
                file.publish()
            sync_folder(self._folder)
            made.keep()
        return Written(tuple(self.files()), writer.written)


class _Folders:
    """Makes a folder and those above it, and removes those it made unless told to keep them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: list[Path] = []

    def __enter__(self) -> _Folders:
        missing = []
        folder = self._folder
        while not folder.exists():
            missing.append(folder)
            folder = folder.parent
        for folder in reversed(missing):
            with contextlib.suppress(FileExistsError):  # another part made it meanwhile
                folder.mkdir()
                self._made.append(folder)
        return self

    def __exit__(self, *_: object) -> None:
        for folder in reversed(self._made):
            with contextlib.suppress(OSError):  # not empty: someone else uses it
                folder.rmdir()

    def keep(self) -> None:
        """Leave the folders where they are, and make their names durable."""
        for folder in self._made:
            sync_folder(folder.parent)
        self._made = []
