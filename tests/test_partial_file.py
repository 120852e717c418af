"""A file while it is written: around the page cache or not, and mended; not under which name it ends."""

from __future__ import annotations

import errno
import mmap
import os
from pathlib import Path

import numpy as np
import pytest

from fanfill.checkpoint import file_system, partial_file
from fanfill.checkpoint.partial_file import PartialFile

SIZE = 3 * 4096 + 17


@pytest.fixture(params=["ext4", "tmpfs", None])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """Return what the file system is taken for, whether it can write around its cache or not."""
    monkeypatch.setattr(partial_file, "file_system_type", lambda path: request.param)
    monkeypatch.setattr(partial_file, "_DIRECT_BYTES", 0)
    return request.param  # type: ignore[no-any-return]


def pages(size: int) -> memoryview:
    """Return memory that begins at a page, with content."""
    memory = np.frombuffer(mmap.mmap(-1, size), np.uint8)
    memory[:] = np.random.default_rng(size).integers(0, 256, size, dtype=np.uint8)
    return memory.data


def opened(path: Path, *, resume: bool = False) -> PartialFile:
    return PartialFile(path, SIZE, resume=resume)


@pytest.mark.parametrize("shift", [0, 1, 4096])
def test_any_bytes_at_any_place(shift: int, kind: str | None, tmp_path: Path) -> None:
    data = pages(SIZE)
    file = opened(tmp_path / "f")
    assert not file.is_direct or kind == "ext4"
    file.write_at(data[shift:], shift)
    file.write_at(bytes(data[:shift]), 0)
    file.sync()
    file.close()
    assert (tmp_path / "f").read_bytes() == data


def test_memory_that_a_device_does_not_take_goes_through_the_cache(kind: str | None, tmp_path: Path) -> None:
    data = pages(SIZE + 1)[1:]
    file = opened(tmp_path / "f")
    file.write_at(data, 0)
    file.sync()
    file.close()
    assert (tmp_path / "f").read_bytes() == data


def test_a_short_write_is_carried_on(
    kind: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, real = pages(SIZE), os.pwrite
    file = opened(tmp_path / "f")
    monkeypatch.setattr(os, "pwrite", lambda to, view, offset: real(to, view[: min(len(view), 4096)], offset))
    file.write_at(data, 0)
    file.sync()
    file.close()
    assert (tmp_path / "f").read_bytes() == data


def test_only_what_differs_is_mended(kind: str | None, tmp_path: Path) -> None:
    data = pages(SIZE)
    (tmp_path / "f").write_bytes(bytes(data[:5000]) + b"\0" * 9)
    file = opened(tmp_path / "f", resume=True)
    assert file.resumed
    written = [file.mend_at(data[start : start + 4096], start) for start in range(0, SIZE, 4096)]
    file.sync()
    file.close()
    assert written == [0, 4096, 4096, 17]
    assert (tmp_path / "f").read_bytes() == data


def test_a_file_that_is_cut_off_is_no_finished_one(kind: str | None, tmp_path: Path) -> None:
    file = opened(tmp_path / "f")
    os.truncate(tmp_path / "f", 5)
    with pytest.raises(OSError, match="cut off by another program"):
        file.sync()
    file.close()


def test_a_file_system_that_only_writes_through_its_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def cached(path: str, flags: int, *mode: int) -> int:
        if flags & os.O_DIRECT:
            raise OSError(errno.EINVAL, "Invalid argument")
        return real(path, flags, *mode)

    monkeypatch.setattr(partial_file, "file_system_type", lambda path: "ext4")
    monkeypatch.setattr(partial_file, "_DIRECT_BYTES", 0)
    monkeypatch.setattr(os, "open", cached)
    file = opened(tmp_path / "f")
    assert not file.is_direct
    file.write_at(pages(SIZE), 0)
    file.close()
    assert (tmp_path / "f").read_bytes() == pages(SIZE)


def test_what_can_not_be_prepared_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(partial_file, "file_system_type", lambda path: "xfs")
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space"):
        PartialFile(tmp_path / "f", SIZE, resume=False)
    assert os.listdir(tmp_path) == []


def test_the_type_of_a_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert file_system.file_system_type("/proc") == "proc"
    assert file_system.file_system_type(tmp_path)

    def absent(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", absent)
    assert file_system.file_system_type(tmp_path) is None
