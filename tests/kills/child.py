"""The process that is killed: it writes a checkpoint, and kills itself where it is told to.

It must not know what becomes of the files. Started as ``python child.py FOLDER MIB TALLY [CALL]``: it says
"ready" before it writes, keeps the bytes done and the number of system calls in the file TALLY, and sends
itself SIGKILL before or after the system call of that number: before if it is even, after if it is odd.
"""

from __future__ import annotations

import functools
import mmap
import os
import signal
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fanfill as ff

# What is imported when it is needed shall not take part of the time to be killed in.
import fanfill.checkpoint.target

# All system calls by which the writer changes anything.
CALLS = (
    "open",
    "ftruncate",
    "posix_fallocate",
    "pwrite",
    "fsync",
    "close",
    "replace",
    "link",
    "unlink",
    "mkdir",
)
TALLY = struct.Struct("<qq")  # bytes done, calls made


@functools.cache
def plan(mib: int) -> ff.Plan:
    """Return a plan of about so many MiB: large tensors and many small ones."""
    large = [ff.ParamSpec(f"layers.{i}.weight", (1024, 64 * mib), ff.Normal(0.0, 0.02)) for i in range(3)]
    small = [ff.ParamSpec(f"layers.{i}.bias", (64 * mib,), ff.Uniform()) for i in range(1000)]
    return ff.Plan([*large, *small], seed=11)


def write(folder: Path, mib: int, progress: Callable[[int, int], None] | None = None) -> Any:
    """Write the checkpoint into `folder`, or what is left of it to write."""
    return plan(mib).write(folder, max_shard_size=mib * 2**18, resume=True, progress=progress)


def _count_calls(tally: Any, last: int | None) -> None:
    made = 0

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal made
            made += 1
            struct.pack_into("<q", tally, 8, made)
            number = made
            if last is not None and number == last // 2 and last % 2 == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            result = real(*arguments, **options)
            if last is not None and number == last // 2 and last % 2 == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    for name in CALLS:
        setattr(os, name, counted(getattr(os, name)))


def main() -> None:
    """Write and be killed."""
    folder, mib, tally_path = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    with open(tally_path, "r+b") as file:
        tally = mmap.mmap(file.fileno(), TALLY.size)
    wanted = plan(mib).hash
    sys.stdout.write(f"ready {wanted}\n")
    sys.stdout.flush()
    _count_calls(tally, int(sys.argv[4]) if len(sys.argv) > 4 else None)
    write(folder, mib, lambda done, total: struct.pack_into("<q", tally, 0, done))


if __name__ == "__main__":
    main()
