"""Knows what a large checkpoint costs as a whole: `fanfill init` and `fanfill verify` of one model.

It must not know how a checkpoint is written or proved. ``python -m bench.large_checkpoint`` prints it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.native import ROOT
from fanfill.benchmark import machine
from fanfill.checkpoint.file_system import file_system_type

__all__ = ["main", "measured"]


def measured(arguments: list[str]) -> dict[str, Any]:
    """Run ``fanfill`` with `arguments` and ``--json`` in a process of its own; return what it says and took.

    Returns
    -------
    dict
        ``report``, the command's own; ``seconds`` on the wall and ``cpu_seconds``, start and imports
        included; ``peak_bytes`` of resident memory.
    """
    begin = time.perf_counter()
    command = [sys.executable, "-m", "fanfill", *arguments, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        said = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(f"fanfill {' '.join(arguments)} ended with status {child.returncode}")
    return {
        "report": json.loads(said),
        "seconds": time.perf_counter() - begin,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_bytes": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
    }


def main(argv: list[str] | None = None) -> int:
    """Write the model, verify it, remove it, and print both."""
    parser = argparse.ArgumentParser(prog="python -m bench.large_checkpoint", description=__doc__)
    parser.add_argument(
        "folder", type=Path, metavar="FOLDER", help="where to write, on the disk to be measured"
    )
    parser.add_argument("--model", default="llama-3-8b", help="default: llama-3-8b, 16 GB")
    parser.add_argument("--dtype", default="bfloat16", help="default: bfloat16")
    parser.add_argument("--max-shard-size", default="5GB", metavar="SIZE", help="default: 5GB")
    parser.add_argument("--out", type=Path, help="where to write the JSON")
    arguments = parser.parse_args(argv)
    head = machine.commit(ROOT / "CMakeLists.txt")  # before anything takes time
    with tempfile.TemporaryDirectory(dir=arguments.folder, prefix=".bench-") as name:
        target = str(Path(name) / "m")
        options = ["--dtype", arguments.dtype, "--max-shard-size", arguments.max_shard_size]
        written = measured(["init", arguments.model, *options, "--out", target])
        verified = measured(["verify", target])
        kind = file_system_type(name)
    result = {
        **head,
        "model": arguments.model,
        "dtype": arguments.dtype,
        "file_system": kind,
        "bytes": written["report"]["bytes"],
        "load": os.getloadavg(),
        "cpus": os.cpu_count(),
        "init": {key: value for key, value in written.items() if key != "report"},
        "verify": {key: value for key, value in verified.items() if key != "report"},
        "bytes_checked": verified["report"]["bytes_checked"],
        "plan_hash": verified["report"]["plan_hash"],
    }
    for step in ("init", "verify"):
        took = result[step]
        sys.stdout.write(
            f"{step:<7}{took['seconds']:8.1f} s{took['cpu_seconds']:8.1f} s of CPU"
            f"{took['peak_bytes'] / 2**20:8.0f} MiB at most\n"
        )
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
