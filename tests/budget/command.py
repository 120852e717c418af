"""External programs: where they are and what they print.

It must not know what any of them is for.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def tool(name: str) -> str:
    """The path of a program, those beside this Python first."""
    beside_python = str(Path(sys.executable).parent)
    path = shutil.which(name, path=os.pathsep.join([beside_python, os.environ.get("PATH", "")]))
    if path is None:
        raise RuntimeError(f"{name} is not installed; CONTRIBUTING.md lists what the budgets need")
    return path


def output(
    *command: str | Path,
    stdin: str | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> str:
    """What a command prints; a failing one raises with the end of its complaint."""
    done = subprocess.run(
        [str(part) for part in command],
        input=stdin,
        env={**os.environ, **(environment or {})},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stdout[-2000:] + done.stderr[-4000:]
        raise RuntimeError(f"{command[0]} exited with {done.returncode}\n{said}")
    return done.stdout
