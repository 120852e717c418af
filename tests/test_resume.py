"""What a stopped run leaves, and what `resume` makes of it; it must not know what is in a file."""

from __future__ import annotations

import fcntl
import os
import resource
from collections.abc import Callable
from pathlib import Path

import pytest

import fanfill as ff
from fanfill.checkpoint import resume, writer

CHUNK = 4096


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_CHUNK_BYTES", CHUNK)


def plan(seed: int = 3) -> ff.Plan:
    return ff.Plan([ff.ParamSpec(f"w{i}", (5000 + i,), ff.Normal()) for i in range(4)], seed=seed)


def stop_at(share: float) -> Callable[[int, int], None]:
    def stop(done: int, total: int) -> None:
        if done >= share * total:
            raise KeyboardInterrupt

    return stop


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def whole(tmp_path: Path) -> dict[str, bytes]:
    plan().write(tmp_path / "whole", max_shard_size=41_000)
    return contents(tmp_path / "whole")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.99])
def test_a_stopped_run_is_continued_and_writes_only_what_is_missing(
    share: float, whole: dict[str, bytes], tmp_path: Path
) -> None:
    folder = tmp_path / "m"
    with pytest.raises(KeyboardInterrupt):
        plan().write(folder, max_shard_size=41_000, resume=True, progress=stop_at(share))
    left = contents(folder)
    assert left
    assert all(name.startswith(".model") and name.endswith((".partial", ".complete")) for name in left)
    done = plan().write(folder, max_shard_size=41_000, resume=True)
    assert contents(folder) == whole
    total = sum(size for _, size in done.files)
    assert done.bytes_written <= (1 - share) * total + 4 * CHUNK
    assert plan().write(folder, max_shard_size=41_000, resume=True).bytes_written == 0
    assert contents(folder) == whole


def test_nothing_to_resume_is_a_run_like_any_other(whole: dict[str, bytes], tmp_path: Path) -> None:
    done = plan().write(tmp_path / "m", max_shard_size=41_000, resume=True)
    assert done.bytes_written == sum(map(len, whole.values()))
    assert contents(tmp_path / "m") == whole


def partial_of(folder: Path) -> Path:
    """Stop a run in its first file and return that."""
    with pytest.raises(KeyboardInterrupt):
        plan().write(folder, max_shard_size=41_000, resume=True, progress=stop_at(0.2))
    (path,) = folder.iterdir()
    assert path.suffix == ".partial"
    return path


@pytest.mark.parametrize("damage", ["bit", "longer", "shorter", "empty", "other"])
def test_blocks_are_computed_again_and_not_taken_by_size(
    damage: str, whole: dict[str, bytes], tmp_path: Path
) -> None:
    path = partial_of(tmp_path / "m")
    before = path.read_bytes()
    if damage == "bit":
        changed = bytearray(before)
        changed[5 * CHUNK + 17] ^= 1
        path.write_bytes(changed)
    elif damage == "longer":
        path.write_bytes(before + b"x" * 9999)
    elif damage == "other":
        path.write_bytes(os.urandom(len(before)))
    else:
        os.truncate(path, 0 if damage == "empty" else 2 * CHUNK + 5)
    plan().write(tmp_path / "m", max_shard_size=41_000, resume=True)
    assert contents(tmp_path / "m") == whole


def test_one_wrong_block_is_all_that_is_written(whole: dict[str, bytes], tmp_path: Path) -> None:
    folder = tmp_path / "m"
    plan().write(folder, max_shard_size=41_000)
    path = folder / "model-00001-of-00002.safetensors"
    changed = bytearray(path.read_bytes())
    changed[5 * CHUNK + 17] ^= 1
    path.unlink()
    (folder / f".{path.name}.partial").write_bytes(changed)
    assert plan().write(folder, max_shard_size=41_000, resume=True).bytes_written == CHUNK
    assert contents(folder) == whole


def test_a_finished_file_of_another_plan_is_no_finished_file(whole: dict[str, bytes], tmp_path: Path) -> None:
    folder = tmp_path / "m"
    plan(seed=4).write(folder, max_shard_size=41_000)
    old = contents(folder)
    with pytest.raises(FileExistsError, match="holds something else"):
        plan().write(folder, max_shard_size=41_000, resume=True)
    assert contents(folder) == old
    done = plan().write(folder, max_shard_size=41_000, resume=True, replace=True)
    assert contents(folder) == whole
    # The index is the same for both seeds.
    assert done.bytes_written == sum(size for path, size in done.files if path.suffix == ".safetensors")


def test_a_complete_file_with_a_wrong_block_is_written_again(whole: dict[str, bytes], tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        plan().write(tmp_path / "m", max_shard_size=41_000, resume=True, progress=stop_at(0.9))
    (path,) = (path for path in (tmp_path / "m").iterdir() if path.suffix == ".complete")
    content = bytearray(path.read_bytes())
    content[CHUNK] ^= 1
    path.write_bytes(content)
    plan().write(tmp_path / "m", max_shard_size=41_000, resume=True)
    assert contents(tmp_path / "m") == whole


@pytest.mark.parametrize("place", [0, 3 * 8192 + 511, -1])
def test_the_sample_of_a_finished_file_has_its_head_every_stretch_and_its_end(
    place: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resume, "_BLOCK_BYTES", 512)
    monkeypatch.setattr(resume, "_STRETCH_BYTES", 8192)
    path = tmp_path / "m.safetensors"
    plan().write(path)
    whole = path.read_bytes()
    content = bytearray(whole)
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(FileExistsError, match="holds something else"):
        plan().write(path, resume=True)
    for edited in (whole + b"x", whole[:-1]):
        path.write_bytes(edited)
        with pytest.raises(FileExistsError, match="holds something else"):
            plan().write(path, resume=True)
    path.write_bytes(whole)
    assert plan().write(path, resume=True).bytes_written == 0


def test_a_run_without_resume_clears_what_another_left(whole: dict[str, bytes], tmp_path: Path) -> None:
    partial_of(tmp_path / "m")
    (tmp_path / "m" / ".model-00002-of-00002.safetensors.complete").write_bytes(b"left")
    done = plan().write(tmp_path / "m", max_shard_size=41_000)
    assert done.bytes_written == sum(map(len, whole.values()))
    assert contents(tmp_path / "m") == whole


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("stage", ["partial", "complete"])
def test_a_file_that_another_process_writes_is_left_to_it(stage: str, resume: bool, tmp_path: Path) -> None:
    path = tmp_path / f".m.safetensors.{stage}"
    path.write_bytes(b"theirs")
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(OSError, match="another process is writing it") as caught:
            plan().write(tmp_path / "m.safetensors", resume=resume)
    assert caught.value.filename == str(tmp_path / "m.safetensors")
    assert contents(tmp_path) == {path.name: b"theirs"}
    plan().write(tmp_path / "m.safetensors", resume=resume)


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("seed", [3, 4])
def test_a_second_run_takes_no_file_that_the_first_has_finished(
    seed: int, resume: bool, whole: dict[str, bytes], tmp_path: Path
) -> None:
    refused: list[str] = []

    def second(done: int, total: int) -> None:
        if len(refused) < 4 and done > 0.2 * len(refused) * total:
            with pytest.raises(OSError, match="another process is writing it") as caught:
                plan(seed).write(tmp_path / "m", max_shard_size=41_000, resume=resume)
            refused.append(Path(caught.value.filename).name)

    plan().write(tmp_path / "m", max_shard_size=41_000, progress=second)
    # By the end the first file is complete, and the lock is still there.
    assert refused == ["model-00001-of-00002.safetensors"] * 4
    assert contents(tmp_path / "m") == whole


def test_locks_do_not_take_all_descriptors(whole: dict[str, bytes], tmp_path: Path) -> None:
    used = len(os.listdir("/proc/self/fd"))
    most = 0

    def count(done: int, total: int) -> None:
        nonlocal most
        most = max(most, len(os.listdir("/proc/self/fd")) - used)

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    many = ff.Plan([ff.ParamSpec(f"w{i}", (64,), ff.Normal()) for i in range(60)], seed=0)
    resource.setrlimit(resource.RLIMIT_NOFILE, (4 * 20 + used, before[1]))
    try:
        many.write(tmp_path / "m", max_shard_size=256, progress=count)
        many.write(tmp_path / "m", max_shard_size=256, resume=True)
        assert ff.verify(tmp_path / "m", many)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert 20 <= most < 40


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("kind", ["symbolic", "hard"])
def test_a_link_under_the_temporary_name_is_not_written_through(
    kind: str, resume: bool, tmp_path: Path
) -> None:
    (tmp_path / "precious").write_bytes(b"old")
    temporary = tmp_path / ".m.safetensors.partial"
    if kind == "symbolic":
        temporary.symlink_to("precious")
    else:
        temporary.hardlink_to(tmp_path / "precious")
    plan().write(tmp_path / "m.safetensors", resume=resume)
    assert (tmp_path / "precious").read_bytes() == b"old"
    assert sorted(os.listdir(tmp_path)) == ["m.safetensors", "precious"]
    assert not (tmp_path / "m.safetensors").is_symlink()


def test_a_kill_between_link_and_unlink_leaves_nothing_to_do(tmp_path: Path) -> None:
    plan().write(tmp_path / "m.safetensors")
    (tmp_path / ".m.safetensors.complete").hardlink_to(tmp_path / "m.safetensors")
    assert plan().write(tmp_path / "m.safetensors", resume=True).bytes_written == 0
    assert os.listdir(tmp_path) == ["m.safetensors"]


@pytest.mark.parametrize("resume", [False, True])
def test_a_half_written_file_beside_a_complete_one_is_cleared(
    resume: bool, whole: dict[str, bytes], tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        plan().write(tmp_path / "m", max_shard_size=41_000, resume=True, progress=stop_at(0.9))
    (path,) = (path for path in (tmp_path / "m").iterdir() if path.suffix == ".complete")
    path.with_suffix(".partial").write_bytes(b"older")
    plan().write(tmp_path / "m", max_shard_size=41_000, resume=resume)
    assert contents(tmp_path / "m") == whole


@pytest.mark.parametrize("stage", ["partial", "complete"])
def test_a_file_that_another_process_has_put_in_place_is_left_to_it(
    stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f".m.safetensors.{stage}"
    path.write_bytes(b"seen")
    (tmp_path / "theirs").write_bytes(b"theirs")

    def lock(descriptor: int, how: int) -> None:  # by then the name is another file's
        os.replace(tmp_path / "theirs", path)

    monkeypatch.setattr(fcntl, "flock", lock)
    with pytest.raises(OSError, match="another process is writing it"):
        plan().write(tmp_path / "m.safetensors", resume=True)
    assert contents(tmp_path) == {path.name: b"theirs"}


def test_room_is_asked_only_for_what_is_missing(
    whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KeyboardInterrupt):
        plan().write(tmp_path / "m", max_shard_size=41_000, resume=True, progress=stop_at(0.9))
    reserved = sum(path.stat().st_blocks * 512 for path in (tmp_path / "m").iterdir())
    needed = sum(map(len, whole.values())) - reserved
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": needed + 8192})())
    plan().write(tmp_path / "m", max_shard_size=41_000, resume=True)
    assert contents(tmp_path / "m") == whole


@pytest.mark.parametrize("resume", [False, True])
def test_what_is_left_makes_place_for_the_next_run(
    resume: bool, whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KeyboardInterrupt):
        plan(seed=4).write(tmp_path / "m", max_shard_size=41_000, resume=True, progress=stop_at(0.9))
    reserved = sum(path.stat().st_blocks * 512 for path in (tmp_path / "m").iterdir())
    needed = sum(map(len, whole.values())) - reserved
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": needed + 8192})())
    plan().write(tmp_path / "m", max_shard_size=41_000, resume=resume)
    assert contents(tmp_path / "m") == whole
