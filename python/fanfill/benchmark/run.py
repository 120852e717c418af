"""Knows how to run tasks against rivals, each pair in a process of its own, and to gather what they tell.

It must not know how a fill is timed, nor how a report looks.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from . import tasks
from .tasks import Scale

__all__ = ["Results", "Run"]


@dataclass
class Results:
    """All that a run has found."""

    comparisons: list[dict[str, Any]] = field(default_factory=list)
    scouted: list[dict[str, Any]] = field(default_factory=list)  # every way of a rival that has many, briefly
    refused: dict[str, str] = field(default_factory=dict)  # entry: why its output is not of its law
    failed: dict[str, str] = field(default_factory=dict)  # what could not be run, and why
    absent: dict[str, str] = field(default_factory=dict)  # rival: why it is not here
    versions: dict[str, str] = field(default_factory=dict)
    huge_pages: float = 0.0  # the largest share of a warm buffer

    def take(self, task: str, kind: str, content: Any) -> None:
        """Take in what a worker has told."""
        if kind in ("comparison", "scouted"):
            (self.comparisons if kind == "comparison" else self.scouted).append({"task": task, **content})
        elif kind == "pages":
            self.huge_pages = max(self.huge_pages, content)
        elif kind in ("refused", "failed", "absent", "version"):
            into: dict[str, str] = self.versions if kind == "version" else getattr(self, kind)
            into.update(content)


class Run:
    """Some tasks against some rivals.

    Parameters
    ----------
    names : list of str
        The tasks.
    rivals : list of str
        The rivals; a task leaves out those that it doesn't ask.
    seconds : float
        The budget of one comparison.
    scale : Scale
        How large a fill may be.
    cpu : int or None
        To which CPU the tasks of one thread are bound.
    """

    def __init__(
        self, names: list[str], rivals: list[str], seconds: float, scale: Scale, cpu: int | None
    ) -> None:
        self.cells = [
            (name, rival)
            for name in dict.fromkeys(names)
            for rival in tasks.load(name).RIVALS
            if rival in rivals
        ]
        self.seconds = seconds
        self.scale = scale
        self.cpu = cpu
        self.results = Results()

    def results_of_all(self, progress: Callable[[float, float, str], None]) -> Results:
        """Run every pair of task and rival.

        Parameters
        ----------
        progress : callable
            Is told the pairs done, with fractions, all of them, and what is being run.
        """
        for at, (name, rival) in enumerate(self.cells):
            progress(at, len(self.cells), f"{name}: {rival}")
            if rival in self.results.absent:
                continue
            for kind, content in self._told(name, rival):
                if kind == "progress":
                    progress(at + content[0] / content[1], len(self.cells), f"{name}: {rival}")
                else:
                    self.results.take(name, kind, content)
        progress(len(self.cells), len(self.cells), "")
        return self.results

    def _told(self, name: str, rival: str) -> Iterator[tuple[str, Any]]:
        """Start a worker and yield what it tells; one that dies has failed, and the run goes on."""
        asked = {
            "task": name,
            "rival": rival,
            "seconds": self.seconds,
            "scale": asdict(self.scale),
            "cpu": self.cpu if tasks.load(name).ONE_CPU else None,
        }
        command = [sys.executable, "-m", f"{__package__}.worker"]
        is_done = False
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
            worker = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=_environment(),
            )
            try:
                with worker:
                    assert worker.stdin is not None
                    assert worker.stdout is not None
                    worker.stdin.write(json.dumps(asked))
                    worker.stdin.close()
                    for line in worker.stdout:
                        kind, content = json.loads(line)
                        is_done = is_done or kind == "done"
                        yield kind, content
            finally:
                worker.kill()
            if not is_done:
                errors.seek(0)
                last = (errors.read().strip().splitlines() or [""])[-1]
                yield "failed", {f"{name}: {rival}": f"exit status {worker.returncode}: {last[:300]}"}


def _environment() -> dict[str, str]:
    """Return the environment of a worker: it finds the same packages, and chooses its own threads and ISA."""
    paths = [path for path in sys.path if path]
    kept = {name: value for name, value in os.environ.items() if name not in ("FANFILL_NUM_THREADS",)}
    return {**kept, "PYTHONPATH": os.pathsep.join(paths)}
