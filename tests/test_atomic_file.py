"""AtomicFile: the names that it takes and the ones that it refuses.

It must not know what is written; test_checkpoint.py has the errors on the way.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fanfill.checkpoint.atomic_file import AtomicFile


def write(path: Path, *, replace: bool = False) -> None:
    with AtomicFile(path, 3, replace=replace) as file:
        file.write_at(b"new", 0)
        file.commit()


def test_a_name_as_long_as_the_file_system_allows(tmp_path: Path) -> None:
    write(tmp_path / ("x" * 255))
    assert os.listdir(tmp_path) == ["x" * 255]


def test_what_is_no_regular_file_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match=r"regular file.*pipe"):
        write(tmp_path / "pipe", replace=True)
    assert os.listdir(tmp_path) == ["pipe"]
    assert (tmp_path / "pipe").is_fifo()


def test_a_symbolic_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to("target")
    write(tmp_path / "link", replace=True)
    assert (tmp_path / "target").read_bytes() == b"old"
    assert (tmp_path / "link").read_bytes() == b"new"
