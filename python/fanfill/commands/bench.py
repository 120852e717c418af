"""Knows the arguments of ``fanfill bench`` and what they do: a run, its table, its files, its regressions.

It must not know other commands, nor how anything is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from errno import EACCES, ENOTDIR
from pathlib import Path
from typing import Any

from ..benchmark import tasks
from ..benchmark.rivals import RIVALS
from ..benchmark.tasks import Scale
from ..benchmark.workload import WARM_BYTES
from ..config import isa_complaint
from ..exit_status import FAILED, OK, UsageError
from ..memory.available import available_bytes
from ..threads import default_threads
from .arguments import file_size, output_path

__all__ = ["UsageError", "add_arguments", "checked", "finish", "measure", "run"]

_LEAST_BYTES = 1 << 12
_LARGEST = 4 * 10**9  # bytes, a billion float32, where nobody says how much memory is left
# A library that returns new arrays holds two of them beside the buffer, and works in as much again.
_COPIES = 4
_SHARE = 3  # of the memory that is left, for the largest fill in place
_FILE = "speed.json"


class _NamesAction(argparse.Action):
    """Adds names to those of the same option given before, each once; the first replace the default."""

    def __call__(
        self, parser: object, namespace: argparse.Namespace, values: Any, option_string: object = None
    ) -> None:
        before = getattr(namespace, self.dest)
        kept = [] if before is self.default else before
        setattr(namespace, self.dest, list(dict.fromkeys([*kept, *values])))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``fanfill bench``."""
    parser.epilog = (
        'A rival that isn\'t installed is named as absent; pip install "fanfill[bench]" brings them. '
        "exit status: 0 done, 1 failed or slower than --compare's by more than the spread, 2 wrong usage"
    )
    parser.add_argument("--list", action="store_true", help="list tasks and rivals, and end")
    parser.add_argument(
        "--task", nargs="+", action=_NamesAction, choices=tasks.TASKS, default=list(tasks.TASKS),
        metavar="NAME", help=f"of {', '.join(tasks.TASKS)}; given again, more of them (default: all)",
    )  # fmt: skip
    parser.add_argument(
        "--rival", nargs="+", action=_NamesAction, choices=list(RIVALS), default=list(RIVALS),
        metavar="NAME", help=f"of {', '.join(RIVALS)}; given again, more of them (default: all installed)",
    )  # fmt: skip
    parser.add_argument(
        "--size", type=file_size, metavar="SIZE",
        help="of the largest fill, such as 64MiB (default: as memory allows; most are of 256MiB)",
    )  # fmt: skip
    parser.add_argument(
        "--seconds", type=_seconds, default=1.0, metavar="S",
        help="time for each comparison (default: %(default)s); 0 makes the fewest rounds",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=output_path, metavar="DIR", help=f"where to write {_FILE} and the pictures, PNG and SVG"
    )
    parser.add_argument("--json", action="store_true", help="print the report as one JSON object")
    parser.add_argument(
        "--compare", type=Path, metavar="FILE", help=f"a {_FILE} of an earlier run; tells regressions"
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure fanfill beside memset and other libraries on this machine, and print, write and draw it."""
    if arguments.list:
        _print_list()
        return OK
    earlier = checked(arguments)
    report = measure(arguments)
    return finish(arguments, report, earlier)


def checked(arguments: argparse.Namespace) -> dict[str, Any] | None:
    """Refuse what can't be done before anything runs; return the report to compare with.

    Raises
    ------
    UsageError, ValueError, OSError
        If sizes, names or files don't fit.
    """
    from ..benchmark.regression import read_report

    _look_for_idle(arguments.task, arguments.rival)
    if complaint := isa_complaint():
        raise UsageError(complaint)
    size = WARM_BYTES if arguments.size is None else arguments.size
    if size < _LEAST_BYTES:
        raise UsageError(f"--size: {size:,} bytes are below {_LEAST_BYTES:,}, which no clock here can time")
    left = available_bytes()
    if left is not None and _COPIES * size > left:
        raise ValueError(
            f"--size: {size:,} bytes need some {_COPIES * size:,} with all that the libraries allocate, and "
            f"{left:,} are available; choose at most {left // _COPIES >> 20}MiB"
        )
    earlier = None if arguments.compare is None else read_report(arguments.compare)
    if arguments.out is not None:  # the last, as it makes the folder
        _check_out(arguments.out)
    return earlier


def _look_for_idle(names: Sequence[str], rivals: Sequence[str]) -> None:
    """Say which rivals none of the tasks asks, and refuse if that is every one of them."""
    asked = {name: tasks.load(name).RIVALS for name in names}
    idle = [rival for rival in rivals if not any(rival in own for own in asked.values())]
    if not idle or set(rivals) == set(RIVALS):  # all of them stand for whoever is asked
        return
    listed = "; ".join(f"{name} asks {', '.join(own)}" for name, own in asked.items())
    complaint = f"--rival: no task asks {', '.join(idle)}: {listed}"
    if len(idle) == len(rivals):
        raise UsageError(complaint)
    print(f"fanfill: {complaint}", file=sys.stderr)


def _check_out(folder: Path) -> None:
    """Refuse a folder that can't be written; make it if it isn't there."""
    _require_matplotlib()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(ENOTDIR, "is no folder", str(folder)) from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(EACCES, "can't be written", str(folder))


def _require_matplotlib() -> None:
    try:
        import matplotlib  # noqa: F401 - asked for now, as the run takes minutes
    except ImportError as error:
        raise UsageError('--out: the pictures need matplotlib: pip install "fanfill[bench]"') from error


def scale_of(arguments: argparse.Namespace) -> Scale:
    """Return how large this run may be."""
    if arguments.size is not None:
        return Scale(arguments.size, arguments.size, default_threads())
    left = available_bytes()
    most = _LARGEST if left is None else left // _SHARE
    return Scale(WARM_BYTES, most, default_threads())


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Run what the arguments ask for and return the report."""
    from ..benchmark import machine
    from ..benchmark.progress import BenchmarkProgress
    from ..benchmark.run import Run

    scale, cpu = scale_of(arguments), machine.cpu_to_bind()
    head = machine.describe(cpu, scale.threads, scale.size)
    asked = Run(arguments.task, arguments.rival, arguments.seconds, scale, cpu)
    bar = BenchmarkProgress()
    with bar:
        found = asked.results_of_all(bar.show)
    head["pages"] = f"{found.huge_pages:.0%} of a buffer in huge pages" if found.huge_pages else "4 KiB pages"
    return {
        **machine.commit(Path(__file__).parents[1] / "__init__.py"),
        "machine": head,
        "versions": found.versions,
        "absent": found.absent,
        "refused": found.refused,
        "failed": found.failed,
        "comparisons": found.comparisons,
        "scouted": found.scouted,
    }


def finish(arguments: argparse.Namespace, report: dict[str, Any], earlier: dict[str, Any] | None) -> int:
    """Print, write and draw a report, and compare it with an earlier one; return the exit status."""
    from ..benchmark.regression import changes, changes_text
    from ..benchmark.table import report_text

    found = [] if earlier is None else changes(earlier, report)
    text = None if earlier is None else changes_text(earlier, report, found)
    report["regressions"] = [each.what for each in found if each.is_regression]
    if arguments.out is not None:
        from ..benchmark.plots import draw_all

        report["pictures"] = draw_all(report, arguments.out)
        written = json.dumps(report, indent=1) + "\n"
        (arguments.out / _FILE).write_text(written, encoding="utf-8")
    if arguments.json:
        print(json.dumps(report))
    else:
        print(report_text(report))
        if text is not None:
            print(f"\n{text}")
    return FAILED if report["regressions"] or not report["comparisons"] else OK


def _print_list() -> None:
    width = max(map(len, tasks.TASKS))
    print("tasks:")
    for name in tasks.TASKS:
        print(f"  {name:<{width}}  {tasks.load(name).SUMMARY}")
    print("rivals:")
    for name in RIVALS:
        asking = [task for task in tasks.TASKS if name in tasks.load(task).RIVALS]
        print(f"  {name:<16}  in {', '.join(asking)}")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} isn't a number") from None
    if not 0.0 <= seconds <= 3600.0:
        raise argparse.ArgumentTypeError(f"{text} isn't in 0 ... 3600")
    return seconds
