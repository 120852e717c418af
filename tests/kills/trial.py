"""One trial: a child writes and is killed, and a run with `resume` must end in an uninterrupted one's files.

It must not know how many trials there are, nor where their log goes.
"""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from . import child

__all__ = ["Reference", "Trial", "reference", "run_trial"]

_CHILD = Path(child.__file__)


@dataclass(frozen=True)
class Reference:
    """An uninterrupted run: what it ends in, how long it takes, and how many system calls."""

    mib: int
    sha256: str
    total: int
    seconds: float
    calls: int


@dataclass(frozen=True)
class Trial:
    """One kill, and what came of it."""

    kind: str  # after a time, or at a system call
    call: int | None  # twice the number of that call, plus one if the kill came after it
    seconds: float  # from the first byte to the kill
    offset: int  # bytes that were reported as written by then
    left: dict[str, int]  # how many files the kill left that are partial, complete, or have their names
    rewritten: int  # bytes that the run with resume wrote
    sha256: str  # of names and contents in the end

    def to_dict(self) -> dict[str, Any]:
        """Return the entry of the log."""
        return {**asdict(self), "seconds": round(self.seconds, 6)}


def digest(folder: Path) -> str:
    """Return the SHA-256 of the names and contents of all files in a folder."""
    total = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        total.update(path.name.encode() + b"\0")
        total.update(path.read_bytes())
    return total.hexdigest()


def _start(folder: Path, mib: int, tally: Path, *more: str) -> subprocess.Popen[str]:
    tally.write_bytes(bytes(child.TALLY.size))
    command = [sys.executable, str(_CHILD), str(folder), str(mib), str(tally), *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as said:
        assert said.readline().startswith("ready ")
    return process


def reference(folder: Path, mib: int) -> Reference:
    """Run a child to its end, three times, and return what an uninterrupted run is."""
    seconds = []
    for number in range(3):
        place = folder / f"whole-{number}"
        process = _start(place, mib, folder / "tally")
        begin = time.monotonic()
        assert process.wait() == 0
        seconds.append(time.monotonic() - begin)
    _, calls = child.TALLY.unpack((folder / "tally").read_bytes())
    total = sum(path.stat().st_size for path in place.iterdir())
    return Reference(mib, digest(place), total, sorted(seconds)[1], calls)


def run_trial(folder: Path, whole: Reference, draw: float, *, at_call: bool) -> Trial | None:
    """Kill a child at a point that `draw`, in [0, 1), says, resume, and return what was seen.

    None if the child had ended before. The folder must not exist yet, and is left for the caller to remove.
    """
    tally = folder.with_name(f"{folder.name}.tally")
    call = 2 + int(draw * 2 * whole.calls) if at_call else None
    process = _start(folder, whole.mib, tally, *([] if call is None else [str(call)]))
    begin = time.monotonic()
    if call is None:
        time.sleep(draw * whole.seconds)
        process.kill()
    status = process.wait()
    seconds = time.monotonic() - begin
    offset, _ = child.TALLY.unpack(tally.read_bytes())
    tally.unlink()
    if status != -signal.SIGKILL:
        assert status == 0, f"the child ended with {status}"
        return None
    names = [path.name for path in folder.iterdir()] if folder.exists() else []
    left = {stage: sum(name.endswith(f".{stage}") for name in names) for stage in ("partial", "complete")}
    left["final"] = sum(not name.startswith(".") for name in names)
    rewritten = child.write(folder, whole.mib).bytes_written
    return Trial("call" if at_call else "time", call, seconds, offset, left, rewritten, digest(folder))


def complaints(trial: Trial, whole: Reference) -> list[str]:
    """Return what is wrong with a trial; nothing if it went as it must."""
    found = []
    if trial.sha256 != whole.sha256:
        found.append("the files in the end aren't those of an uninterrupted run")
    if trial.rewritten > whole.total - trial.offset:
        found.append(
            f"{trial.rewritten} bytes were written, and {whole.total - trial.offset} were unfinished"
        )
    return found
