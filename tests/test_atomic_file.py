"""AtomicFile: the names that it takes and the ones that it refuses.

It must not know what is written; test_checkpoint.py has the errors on the way.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import fanfill as ff
from fanfill.checkpoint.atomic_file import AtomicFile
from fanfill.checkpoint.shard_index import INDEX_NAME


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


@pytest.mark.parametrize("replace", [False, True])
def test_content_is_durable_before_a_name_and_names_in_the_end(
    replace: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, str]] = []

    def recorded(call: str) -> Any:
        function = getattr(os, call)

        def record(first: Any, *rest: Any, **named: Any) -> Any:
            name = os.readlink(f"/proc/self/fd/{first}") if type(first) is int else rest[0]
            calls.append((call, Path(name).name))
            return function(first, *rest, **named)

        return record

    for call in ("fsync", "replace", "link"):
        monkeypatch.setattr(os, call, recorded(call))
    plan = ff.Plan([ff.ParamSpec(name, (64,), ff.Normal()) for name in "ab"], seed=0)
    plan.write(tmp_path / "new" / "m", max_shard_size=256, replace=replace)
    names = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)] + [INDEX_NAME]
    made = [(call, f".{n}.{stage}") for n in names for call, stage in
            (("fsync", "partial"), ("replace", "complete"))]  # fmt: skip
    named = [("replace" if replace else "link", name) for name in names]
    # The folder's own name, and that of the one above it, which was made too.
    assert calls == [*made, *named, ("fsync", "m"), ("fsync", tmp_path.name), ("fsync", "new")]
