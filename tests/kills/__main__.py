"""``python -m kills``: kill the writer of a checkpoint at random points, resume, and write the log.

It must not know how a trial goes.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from fanfill.checkpoint.file_system import file_system_type

from .trial import Trial, complaints, reference, run_trial

# What the result depends on: with changes here that no commit holds, the commit doesn't say what was tried.
_SOURCES = ("csrc", "python/fanfill", "tests/kills")
_ROOT = Path(__file__).parents[2]


def provenance() -> dict[str, Any]:
    """Return the commit, and whether its sources were changed since."""

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(_ROOT), *arguments], check=True, capture_output=True, text=True
        ).stdout.strip()

    return {
        "commit": git("rev-parse", "HEAD"),
        "changed_since": bool(git("status", "--porcelain", "--", *_SOURCES)),
    }


def main(argv: list[str] | None = None) -> int:
    """Run the trials; the exit status is 1 if one of them failed."""
    parser = argparse.ArgumentParser(prog="python -m kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="default: 200")
    parser.add_argument("--mib", type=int, default=64, help="size of the checkpoint, about (default: 64)")
    parser.add_argument(
        "--folder", type=Path, help="where to write (default: the system's for temporary files)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the random points (default: 0)")
    parser.add_argument("--out", type=Path, help="where the log goes")
    arguments = parser.parse_args(argv)
    draws = random.Random(arguments.seed)
    trials: list[Trial] = []
    failed: list[str] = []
    made = provenance()
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        kind = file_system_type(folder)
        whole = reference(folder, arguments.mib)
        while len(trials) < arguments.kills:
            trial = run_trial(folder / "m", whole, draws.random(), at_call=len(trials) % 2 == 1)
            shutil.rmtree(folder / "m", ignore_errors=True)
            if trial is None:
                continue
            trials.append(trial)
            failed += [f"kill {len(trials)}: {complaint}" for complaint in complaints(trial, whole)]
            sys.stderr.write(f"\r{len(trials)} kills, {len(failed)} failures")
    sys.stderr.write("\n" + "".join(f"{line}\n" for line in failed))
    if arguments.out is not None:
        head = {
            "title": "A checkpoint's writer killed at random points, and resumed",
            **made,
            "file_system": kind,
            "bytes": whole.total,
            "sha256": whole.sha256,
            "seconds_uninterrupted": round(whole.seconds, 3),
            "seed": arguments.seed,
            "seconds": round(time.monotonic() - begin, 1),
            "failed": failed,
        }
        lines = ",\n".join("  " + json.dumps(trial.to_dict()) for trial in trials)
        text = json.dumps(head, indent=1)[:-2] + f',\n "kills": [\n{lines}\n ]\n}}\n'
        arguments.out.write_text(text, encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
