"""Knows how fast a checkpoint is written beside zeros: those written the same way, and by a simple loop.

It must not know how a value is made or a file is laid out. ``python -m bench.checkpoint`` prints it.
"""

from __future__ import annotations

import argparse
import json
import mmap
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import fanfill as ff
from bench.native import ROOT
from fanfill.benchmark import machine
from fanfill.checkpoint.atomic_file import AtomicFile
from fanfill.checkpoint.file_system import file_system_type
from fanfill.checkpoint.layout import Buffer, CheckpointLayout, plan_metadata
from fanfill.checkpoint.writer import CheckpointWriter

_ROWS, _COLUMNS = 4096, 4096
_PLAIN_BYTES = 2**20
_FILL_BYTES, _FILLS = 4 * 2**20, 400


class _Zeros(CheckpointLayout):
    """A file of the same size whose bytes nobody makes: the writer's buffers hold zeros from the start."""

    def fill_(self, buffer: Buffer, offset: int, *, threads: int | None = None) -> Buffer:
        return buffer


def _plan(size: int, dtype: str) -> ff.Plan:
    """Return a plan of matrices such as a large model has, of about `size` bytes."""
    one = ff.ParamSpec("w", (_ROWS, _COLUMNS), ff.Normal(0.0, 0.02), dtype=dtype)
    count = max(1, round(size / one.nbytes))
    specs = [
        ff.ParamSpec(f"layers.{index}.weight", one.shape, one.law, dtype=dtype) for index in range(count)
    ]
    return ff.Plan(specs, seed=0)


def _write(layout: CheckpointLayout, path: Path, threads: int | None) -> None:
    with AtomicFile(path, layout.size) as file:
        CheckpointWriter(threads).write(layout, file, lambda size: None)
        file.commit()


def _write_plain(size: int, path: Path) -> None:
    """Write zeros as the simplest program does: one buffer, one call after the other, synced at the end."""
    zeros = np.zeros(_PLAIN_BYTES, np.uint8)
    with path.open("wb", buffering=0) as file:
        for start in range(0, size, _PLAIN_BYTES):
            file.write(zeros[: min(_PLAIN_BYTES, size - start)].data)
        os.fsync(file.fileno())


def _seconds(write: Callable[[], None], path: Path) -> float:
    begin = time.perf_counter()
    write()
    seconds = time.perf_counter() - begin
    path.unlink()
    return seconds


def _one_core(layout: CheckpointLayout) -> list[float]:
    """Return how many gigabytes a second one thread fills, chunk after chunk of the writer's size."""
    buffer = np.frombuffer(mmap.mmap(-1, _FILL_BYTES), np.uint8)
    speeds = []
    for number in range(_FILLS):
        begin = time.perf_counter()
        layout.fill_(buffer, number % (layout.size // _FILL_BYTES) * _FILL_BYTES, threads=1)
        speeds.append(_FILL_BYTES / (time.perf_counter() - begin) / 1e9)
    return speeds[_FILLS // 4 :]  # the first ones meet new pages and tables


def measure(folder: Path, size: int, dtype: str, rounds: int, threads: int | None) -> dict[str, Any]:
    """Return the speeds of all ways at one place, in rounds in which each has its turn.

    Parameters
    ----------
    folder : Path
        Where to write.
    size, dtype
        Bytes and element type of the checkpoint.
    rounds : int
        How often; which way goes first changes from round to round.
    threads : int or None
        As for `fanfill.fill_`.
    """
    plan = _plan(size, dtype)
    arguments = (plan, plan.seed, plan_metadata(plan))
    ours, zeros = CheckpointLayout(*arguments), _Zeros(*arguments)
    seconds: dict[str, list[float]] = {"fanfill": [], "zeros": [], "plain": []}
    with tempfile.TemporaryDirectory(dir=folder, prefix=".bench-") as name:
        path = Path(name) / "m.safetensors"
        ways: dict[str, Callable[[], None]] = {
            "fanfill": lambda: _write(ours, path, threads),
            "zeros": lambda: _write(zeros, path, threads),
            "plain": lambda: _write_plain(ours.size, path),
        }
        kind = file_system_type(name)
        for number in range(rounds + 1):  # the first one warms up
            order = list(ways) if number % 2 else list(reversed(ways))
            for way in order:
                taken = _seconds(ways[way], path)
                if number:
                    seconds[way].append(taken)
    ratios = [zero / own for own, zero in zip(seconds["fanfill"], seconds["zeros"], strict=True)]
    return {
        "file_system": kind,
        "bytes": ours.size,
        "dtype": dtype,
        "gigabytes_per_second": {
            way: _spread([ours.size / each / 1e9 for each in own]) for way, own in seconds.items()
        },
        "ratio_to_zeros": _spread(ratios),
        "one_core": _spread(_one_core(ours)),
    }


def _spread(values: list[float]) -> dict[str, float]:
    low, _, high = statistics.quantiles(values, n=4) if len(values) > 1 else values * 3
    return {
        "median": statistics.median(values), "quartile_low": low, "quartile_high": high,
        "min": min(values), "max": max(values),
    }  # fmt: skip


def _text(folder: Path, found: dict[str, Any]) -> str:
    lines = [
        f"{folder} ({found['file_system']}), {found['bytes'] / 1e9:.2f} GB of {found['dtype']}",
        f"  {'':<34}{'median':>8}{'quartiles':>16}{'range':>16}",
    ]
    labels = {
        "fanfill": "checkpoint, GB/s",
        "zeros": "zeros, same way, GB/s",
        "plain": "zeros, write() in a loop, GB/s",
    }
    rows = [(label, found["gigabytes_per_second"][way]) for way, label in labels.items()]
    rows += [("one thread fills, GB/s", found["one_core"])]
    rows += [("checkpoint / zeros same way", found["ratio_to_zeros"])]
    for label, s in rows:
        quartiles = f"{s['quartile_low']:.2f} - {s['quartile_high']:.2f}"
        lines.append(f"  {label:<34}{s['median']:>8.2f}{quartiles:>16}{s['min']:>9.2f} - {s['max']:.2f}")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """Measure each place and print it."""
    parser = argparse.ArgumentParser(prog="python -m bench.checkpoint", description=__doc__)
    parser.add_argument(
        "folders", nargs="+", type=Path, metavar="FOLDER", help="such as /dev/shm and a disk's"
    )
    parser.add_argument("--gigabytes", type=float, default=1.0, help="size of the file (default: 1)")
    parser.add_argument("--dtype", nargs="+", default=["bfloat16"], help="default: bfloat16")
    parser.add_argument("--rounds", type=int, default=7, help="default: 7")
    parser.add_argument("--threads", type=int, help="default: all cores")
    parser.add_argument("--out", type=Path, help="where to write the JSON")
    arguments = parser.parse_args(argv)
    found = []
    for folder in arguments.folders:
        for dtype in arguments.dtype:
            size = int(arguments.gigabytes * 1e9)
            found.append(measure(folder, size, dtype, arguments.rounds, arguments.threads))
            sys.stdout.write(_text(folder, found[-1]) + "\n")
            sys.stdout.flush()
    if arguments.out is not None:
        report = {
            **machine.commit(ROOT / "CMakeLists.txt"),
            "load": os.getloadavg(),
            "cpus": os.cpu_count(),
            "results": found,
        }
        arguments.out.write_text(json.dumps(report, indent=1, default=str) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
