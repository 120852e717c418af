"""Knows how to run one task against one rival, in a process of its own (``-m fanfill.benchmark.worker``).

It must not know other tasks, nor how a report looks; what it finds it tells as lines of JSON.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import mmap
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import rivals, tasks
from .comparison import Comparison, compare
from .fill import Entry, Fill
from .form import arrays, memory_bytes
from .law_check import check_law
from .machine import bind
from .tasks import Match, Scale

__all__ = ["main"]

_SCOUT_ROUNDS = 3
_KEPT = 2
_M_MMAP_THRESHOLD = -3  # of malloc.h

Tell = Callable[[str, Any], None]


class Worker:
    """One task against one rival.

    Parameters
    ----------
    task : str
        A name of `tasks.TASKS`, or a module that is such a task.
    rival : str
        A name of `rivals.RIVALS`.
    seconds : float
        The budget of one comparison.
    scale : Scale
        How large it may be.
    tell : callable
        Takes the kind of an event and its content.
    """

    def __init__(self, task: str, rival: str, seconds: float, scale: Scale, tell: Tell) -> None:
        self.task = tasks.load(task) if task in tasks.TASKS else importlib.import_module(task)
        self.rival = rival
        self.seconds = seconds
        self.matches = list(self.task.matches(rival, scale))
        self.clock = "cpu" if self.task.ONE_CPU else "wall"
        self.tell = tell
        self.modules: dict[str, rivals.Rival] = {}
        self.checked: set[Entry] = set()
        self.memory = np.empty(0, np.uint8)

    def run(self) -> None:
        """Load both sides, then run every match; a rival that isn't installed is told as absent."""
        try:
            for name in dict.fromkeys(("fanfill", self.rival)):
                self.modules[name] = rivals.load(name)
                self.tell("version", {name: self.modules[name].version()})
        except (ImportError, OSError) as error:
            self.tell("absent", {self.rival: f"{error}".partition("\n")[0]})
            return
        self.memory = self._warm_memory()
        self.tell("pages", huge_page_bytes(self.memory) / max(1, self.memory.size))
        for done, match in enumerate(self.matches):
            self.tell("progress", [done, len(self.matches)])
            self._match(match)
        self.tell("version", {self.rival: self.modules[self.rival].version()})  # some know more by now

    def _warm_memory(self) -> Any:
        """Private anonymous memory, page-aligned, every page touched: what a long-lived tensor has."""
        sizes = [
            memory_bytes(work)
            for match in self.matches
            for work in (match.left, match.right)
            if work.memory == "warm"
        ]
        mapped = mmap.mmap(-1, max(sizes, default=1), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        memory = np.frombuffer(mapped, dtype=np.uint8)
        memory.fill(255)
        return memory

    def _match(self, match: Match) -> None:
        left_ways = self.modules["fanfill"].ways(match.left)
        left = Entry("fanfill", match.left_way or left_ways[0], match.left)
        if self.rival == "fanfill":
            ways = [match.right_way or self.modules["fanfill"].ways(match.right)[0]]
        else:
            ways = list(self.modules[self.rival].ways(match.right))
            ways = [way for way in ways if match.right_way in ("", way)]
        if len(ways) > _KEPT:
            ways = self._scout(left, match, ways)
        for way in ways:
            one = self._tried(left, Entry(self.rival, way, match.right), match.quantity)
            if one is not None:
                self.tell("comparison", one.to_dict())

    def _scout(self, left: Entry, match: Match, ways: list[str]) -> list[str]:
        """Time every way briefly; return the best two, and the best of Philox."""
        found: dict[str, Comparison] = {}
        for way in ways:
            one = self._tried(left, Entry(self.rival, way, match.right), match.quantity, _SCOUT_ROUNDS)
            if one is not None:
                found[way] = one
                self.tell("scouted", one.to_dict())
        best = sorted(found, key=lambda way: found[way].ratio)
        return list(dict.fromkeys([*best[:_KEPT], *[way for way in best if "philox" in way.lower()][:1]]))

    def _tried(
        self, left: Entry, right: Entry, quantity: str, rounds: int | None = None
    ) -> Comparison | None:
        """Compare two entries; one that raises is told as failed, and the others go on."""
        try:
            return self._pair(left, right, quantity, rounds)
        except Exception as error:  # noqa: BLE001 - whatever a library raises
            why = f"{type(error).__name__}: {error}".partition("\n")[0]
            self.tell("failed", {f"{left.workload} beside {right}: {right.workload}": why})
            return None

    def _pair(self, left: Entry, right: Entry, quantity: str, rounds: int | None = None) -> Comparison | None:
        """Compare two entries, in so many rounds if told, unless one draws another law than it says."""
        ours, theirs = self._ready(left), self._ready(right)
        if ours is None or theirs is None:
            return None
        sides = ((left, ours), (right, theirs))
        if rounds is not None:
            return compare(*sides, quantity, 0.0, rounds, self.clock)
        return compare(*sides, quantity, self.seconds, self.task.ROUNDS, self.clock)

    def _ready(self, entry: Entry) -> Fill | None:
        """Prepare an entry, run it once into spoilt memory, and check what it has drawn."""
        work = entry.workload
        places: list[Any] = []
        if work.memory == "warm":
            self.memory[: memory_bytes(work)] = 255
            places = arrays(work, self.memory)
        fill = self.modules[entry.rival].prepare(entry.way, work, places)
        fill.run(1)
        values = None if entry in self.checked else fill.values()
        if values is not None:
            try:
                check_law(work, values)
            except ValueError as error:
                self.tell("refused", {f"{entry}: {work}": f"{error}"})
                return None
            self.checked.add(entry)
        return fill


def _map_large_blocks() -> None:
    """Have glibc map each block of 128 KiB or more anew, as it does by itself only with very large ones.

    Otherwise what one round has freed is the next one's memory, and that isn't new.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):  # another libc
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, 128 << 10)


def huge_page_bytes(memory: Any) -> int:
    """Return how much of the memory is in huge pages, as far as the system tells."""
    address, inside = memory.ctypes.data, False
    with contextlib.suppress(OSError, ValueError), open("/proc/self/smaps", encoding="utf-8") as lines:
        for line in lines:
            head, _, rest = line.partition(" ")
            if "-" in head and not head.endswith(":"):
                start, end = (int(part, 16) for part in head.split("-"))
                inside = start <= address < end
            elif inside and head == "AnonHugePages:":
                return int(rest.split()[0]) * 1024
    return 0


@contextlib.contextmanager
def _own_stdout() -> Iterator[Tell]:
    """Yield what tells events; whatever a library prints goes to stderr instead."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as stream:
        os.dup2(2, 1)

        def tell(kind: str, content: Any) -> None:
            stream.write(json.dumps([kind, content]) + "\n")
            stream.flush()

        yield tell


def main() -> int:
    """Read from stdin what to do, and do it."""
    asked = json.load(sys.stdin)
    bind(asked["cpu"])  # before any library starts a thread
    warnings.simplefilter("ignore")  # what libraries say of themselves
    with _own_stdout() as tell:
        worker = Worker(asked["task"], asked["rival"], asked["seconds"], Scale(**asked["scale"]), tell)
        if any(match.left.memory == "new" for match in worker.matches):
            _map_large_blocks()
        worker.run()
        tell("done", None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
