"""Faults made to happen under a writing process: an error that names the file, and nothing lost or half done.

It must not know how the writer works; libfiu, a tiny tmpfs and limits of the system make the faults.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import fanfill as ff
from fanfill.checkpoint.target import Written

pytestmark = pytest.mark.system

# What every child runs. It says which error it met and which file that names; FAULT is what makes it.
PROGRAM = """
import os, sys
from pathlib import Path
import fanfill as ff
import fanfill.checkpoint.target
from fanfill.checkpoint import partial_file, writer
writer._CHUNK_BYTES = 2**18
partial_file._DIRECT_BYTES = 2**20
folder = Path(sys.argv[1])
plan = ff.Plan([ff.ParamSpec(f"w{i}", (2**19,), ff.Normal()) for i in range(4)], seed=int(sys.argv[2]))
options = dict(max_shard_size=2**22, replace=True, resume=sys.argv[3] == "resume")
FAULT
try:
    plan.write(folder, **options)
except OSError as error:
    print(error.errno, error.filename)
else:
    print("done")
"""
SHARD_BYTES = 2**22
MODES = ["afresh", "resume"]


def tool(name: str) -> str:
    """Return the path of a tool; a missing one is a failure, because what needs it would go unproven."""
    path = shutil.which(name)
    if path is None:
        pytest.fail(f"{name} is not installed; CONTRIBUTING.md lists what `pytest -m system` needs")
    return path


def plan(seed: int) -> ff.Plan:
    return ff.Plan([ff.ParamSpec(f"w{i}", (2**19,), ff.Normal()) for i in range(4)], seed=seed)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def write(folder: Path, seed: int) -> Written:
    return plan(seed).write(folder, max_shard_size=SHARD_BYTES, replace=True, resume=True)


def run_child(folder: Path, mode: str, *, fault: str = "", prefix: tuple[str, ...] = ()) -> list[str]:
    """Return what the child says: the error's number and file, or "done". It must not die of a signal."""
    program = PROGRAM.replace("FAULT", fault)
    command = [*prefix, sys.executable, "-c", program, str(folder), "2", mode]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, f"ended with {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout.splitlines()[-1].split(maxsplit=1)


def check_failure(folder: Path, mode: str, said: list[str], number: int) -> None:
    """Check the error, that the old checkpoint of seed 1 still stands, and that a later run gets there."""
    assert int(said[0]) == number, errno.errorcode.get(int(said[0]))
    assert Path(said[1]).name in {*OLD, folder.name}, "the error names no file of the checkpoint"
    left = contents(folder)
    assert {name: data for name, data in left.items() if not name.startswith(".")} == OLD
    temporary = [name for name in left if name.startswith(".")]
    assert mode == "resume" or temporary == []
    write(folder, 2)
    assert contents(folder) == NEW


OLD: dict[str, bytes] = {}
NEW: dict[str, bytes] = {}


@pytest.fixture(scope="module", autouse=True)
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> None:
    for seed, found in ((1, OLD), (2, NEW)):
        folder = tmp_path_factory.mktemp("whole")
        write(folder, seed)
        found.update(contents(folder))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the checkpoint of seed 1."""
    write(tmp_path / "m", 1)
    assert contents(tmp_path / "m") == OLD
    return tmp_path / "m"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder of a file system of its own, in memory, with room for the checkpoint three times."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid():
        pytest.skip("only root may mount a file system")
    command = [tool("mount"), "-t", "tmpfs", "-o", f"size={3 * 2**23}", "tmpfs", str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"this container may not mount: {done.stderr}")
    yield place
    subprocess.run([tool("umount"), str(place)], check=True)


@pytest.mark.parametrize("mode", MODES)
def test_a_disk_that_fills_up_while_we_write(mode: str, small_disk: Path) -> None:
    write(small_disk / "m", 1)
    # Another program takes the room that we saw free when we began.
    fault = f"""
def greedy(done, total):
    if done > total // 2:
        with open({str(small_disk / "other")!r}, "ab") as other:
            while True:
                try:
                    other.write(bytes(2**16)); other.flush()
                except OSError:
                    break
options["progress"] = greedy
"""
    said = run_child(small_disk / "m", mode, fault=fault)
    (small_disk / "other").unlink()
    check_failure(small_disk / "m", mode, said, errno.ENOSPC)


def test_a_disk_without_room_is_said_before_anything_is_written(small_disk: Path) -> None:
    write(small_disk / "m", 1)
    (small_disk / "other").write_bytes(bytes(2**23))
    before = os.stat(small_disk / "m").st_mtime_ns
    said = run_child(small_disk / "m", "afresh")
    assert said == [str(errno.ENOSPC), str(small_disk / "m")]
    assert os.stat(small_disk / "m").st_mtime_ns == before
    assert contents(small_disk / "m") == OLD


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("limit", [4096, SHARD_BYTES - 4096])
def test_a_limit_on_the_size_of_files(limit: int, mode: str, folder: Path) -> None:
    fault = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))"
    check_failure(folder, mode, run_child(folder, mode, fault=fault), errno.EFBIG)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("call", "number"),
    [
        ("rw/pwrite", errno.EIO),
        ("rw/pwrite", errno.EDQUOT),
        ("sync/fsync", errno.EIO),
        ("dir/rename", errno.EACCES),
    ],
)
def test_an_error_of_a_system_call(call: str, number: int, mode: str, folder: Path) -> None:
    chance = "enable_random probability=0.2," if call == "rw/pwrite" else "enable "
    control = f"{chance}name=posix/io/{call},failinfo={number}"
    said = run_child(folder, mode, prefix=(tool("fiu-run"), "-x", "-c", control))
    check_failure(folder, mode, said, number)


@pytest.mark.parametrize(
    "control",
    [
        "enable name=posix/io/rw/pwrite/reduce",
        f"enable_random name=posix/io/rw/pwrite,probability=0.3,failinfo={errno.EINTR}",
    ],
)
@pytest.mark.parametrize("mode", MODES)
def test_short_and_interrupted_writes_are_carried_on(control: str, mode: str, folder: Path) -> None:
    assert run_child(folder, mode, prefix=(tool("fiu-run"), "-x", "-c", control)) == ["done"]
    assert contents(folder) == NEW


@pytest.mark.parametrize("mode", MODES)
def test_a_file_cut_off_by_others_is_an_error_and_no_bus_error(mode: str, folder: Path) -> None:
    fault = """
def cut(done, total):
    for path in folder.glob(".*.partial"):
        os.truncate(path, 0)
options["progress"] = cut
"""
    said = run_child(folder, mode, fault=fault)
    check_failure(folder, mode, said, errno.EIO)


UNPRIVILEGED = "os.setgroups([]); os.setgid(65534); os.setuid(65534)"


@pytest.fixture
def open_path(tmp_path: Path) -> Path:
    """Return a folder that an unprivileged user reaches."""
    if os.geteuid():
        pytest.skip("only root may become another user")
    for above in (tmp_path, *tmp_path.parents):
        if not above.stat().st_mode & 0o001:
            above.chmod(above.stat().st_mode | 0o011)
    return tmp_path


def test_a_folder_that_may_not_be_written(open_path: Path) -> None:
    write(open_path / "m", 1)
    said = run_child(open_path / "m", "afresh", fault=UNPRIVILEGED)
    check_failure(open_path / "m", "afresh", said, errno.EACCES)


def test_a_folder_that_may_not_be_made(open_path: Path) -> None:
    said = run_child(open_path / "new" / "m", "afresh", fault=UNPRIVILEGED)
    assert said == [str(errno.EACCES), str(open_path / "new")]
    assert os.listdir(open_path) == []


def test_a_folder_that_may_be_written_and_not_listed(open_path: Path) -> None:
    (open_path / "m").mkdir()
    (open_path / "m").chmod(0o733)
    assert run_child(open_path / "m", "afresh", fault=UNPRIVILEGED) == ["done"]
    assert contents(open_path / "m") == NEW


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("stage", ["partial", "complete"])
def test_what_another_user_could_still_change_is_not_taken(stage: str, mode: str, open_path: Path) -> None:
    (open_path / "m").mkdir()
    (open_path / "m").chmod(0o777)
    name = sorted(OLD)[0]
    path = open_path / "m" / f".{name}.{stage}"
    path.write_bytes(NEW[name])
    path.chmod(0o666)
    assert run_child(open_path / "m", mode, fault=UNPRIVILEGED) == ["done"]
    assert contents(open_path / "m") == NEW
    assert {each.stat().st_uid for each in (open_path / "m").iterdir()} == {65534}


@pytest.mark.parametrize("mode", MODES)
def test_what_another_user_has_left_half_written_is_not_taken(mode: str, open_path: Path) -> None:
    (open_path / "m").mkdir()
    (open_path / "m").chmod(0o777)
    name = sorted(OLD)[0]
    (open_path / "m" / f".{name}.partial").write_bytes(b"theirs")
    (open_path / "m" / f".{name}.partial").chmod(0o600)
    said = run_child(open_path / "m", mode, fault=UNPRIVILEGED)
    assert said == [str(errno.EACCES), str(open_path / "m" / name)]
    assert contents(open_path / "m") == {f".{name}.partial": b"theirs"}
