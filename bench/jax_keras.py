"""Knows how to time JAX's and Keras' own initializers beside ours: ``python -m bench.jax_keras``.

It must not know how an initializer draws, nor how the times are compared.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench.native import ROOT
from fanfill.benchmark.comparison import compare
from fanfill.benchmark.fill import Entry, Fill
from fanfill.benchmark.machine import bind, commit, cpu_to_bind
from fanfill.benchmark.workload import DTYPES, Workload

# Each needs a process of its own: Keras keeps the backend that it was imported with.
SIDES = ("jax", "keras numpy", "keras torch", "keras jax")
_JAX = ("he_normal", "glorot_uniform", "normal")
_KERAS = ("HeNormal", "GlorotUniform", "RandomNormal")
# Law of the task, and the ratio to reach: 15 for JAX and 20 for Keras, for truncated normals.
_TASK = {"HeNormal": "truncated", "GlorotUniform": "uniform", "RandomNormal": "normal"}
_TARGETS = {"jax": 15.0, "keras numpy": 20.0, "keras torch": 20.0, "keras jax": 20.0}
_COLUMNS = 1024

Make = Callable[[], Any]


def _jax_makers(dtype: str, rows: int) -> Iterator[tuple[str, str, Make, Make]]:
    """Yield an initializer's name, law, JAX's own way of running it, and ours."""
    import jax

    from fanfill.jax import initializers

    key, shape = jax.random.key(7), (rows, _COLUMNS)
    for name, law in zip(_JAX, _TASK.values(), strict=True):
        theirs, ours = (getattr(module, name)() for module in (jax.nn.initializers, initializers))
        compiled = jax.jit(lambda key, init=theirs: init(key, shape, dtype))

        def draw_theirs(run: Any = compiled) -> Any:
            return run(key).block_until_ready()

        def draw_ours(init: Any = ours) -> Any:
            return init(key, shape, dtype).block_until_ready()

        yield name, law, draw_theirs, draw_ours


def _keras_makers(dtype: str, rows: int) -> Iterator[tuple[str, str, Make, Make]]:
    import keras

    import fanfill.keras

    shape = (rows, _COLUMNS)
    for name in _KERAS:

        def draw(init: Any) -> Any:
            tensor = init(shape, dtype)
            return tensor.block_until_ready() if hasattr(tensor, "block_until_ready") else tensor

        theirs, ours = (getattr(module, name)(seed=7) for module in (keras.initializers, fanfill.keras))
        yield name, _TASK[name], lambda init=theirs: draw(init), lambda init=ours: draw(init)


def _fill(make: Make) -> Fill:
    """Each result is let go before the next is drawn."""

    def run(repeat: int) -> None:
        for _ in range(repeat):
            make()

    make()  # compiled, and its code in memory

    def values() -> Any:
        found = make()
        return np.asarray(found.float() if hasattr(found, "float") else found).astype(np.float64)

    return Fill(run, values, has_threads=True)


def measure(side: str, dtype: str, size: int, seconds: float) -> list[dict[str, Any]]:
    """Compare every initializer of one side; in the process that was started for it."""
    rows = size // DTYPES[dtype] // _COLUMNS
    makers = _jax_makers if side == "jax" else _keras_makers
    found = []
    for name, law, theirs, ours in makers(dtype, rows):
        work = Workload(law, dtype, rows * _COLUMNS * DTYPES[dtype])
        fills = _fill(ours), _fill(theirs)
        stds = [float(fill.values().std()) for fill in fills]
        if abs(stds[0] / stds[1] - 1.0) > 0.02:
            raise ValueError(f"{side} {name}: ours has standard deviation {stds[0]}, theirs {stds[1]}")
        result = compare(
            (Entry("fanfill", name, work), fills[0]), (Entry(side, name, work), fills[1]), "values", seconds
        )
        target = _TARGETS[side] if law == "truncated" else None
        found.append({"side": side, "initializer": name, "target": target, **result.to_dict()})
    return found


def _started(side: str, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "bench.jax_keras", "--side", side, "--dtype", arguments.dtype]
    command += ["--mib", str(arguments.mib), "--seconds", str(arguments.seconds)]
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "KERAS_BACKEND": side.rpartition(" ")[2]}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def _line(row: dict[str, Any]) -> str:
    ours, theirs = row["left"], row["right"]
    target = f"{row['target']:8.0f} x" if row["target"] else ""
    return (
        f"{row['side']:12} {row['initializer']:16} {row['ratio']:8.1f} x"
        f"  ({row['low']:.1f} to {row['high']:.1f}) {target:10}"
        f"  ours {ours['median_s'] * 1e3:9.2f} ms, theirs {theirs['median_s'] * 1e3:9.2f} ms"
        f", load {row['load_average']:.1f}"
    )


def main() -> int:
    """Run the comparison."""
    parser = argparse.ArgumentParser(prog="python -m bench.jax_keras", description=__doc__)
    parser.add_argument("--side", choices=SIDES, help="print one side as JSON (what this starts for each)")
    parser.add_argument("--dtype", choices=("float32", "bfloat16", "float16"), default="float32")
    parser.add_argument("--mib", type=int, default=64, help="size of each tensor (default: 64)")
    parser.add_argument("--seconds", type=float, default=5.0, help="budget of one comparison (default: 5)")
    parser.add_argument("--out", type=Path, help="where to write the JSON")
    arguments = parser.parse_args()
    if arguments.mib < 1:
        parser.error("--mib: must be at least 1")
    bind(cpu_to_bind())  # before any library starts a thread
    warnings.simplefilter("ignore")
    if arguments.side is not None:
        json.dump(
            measure(arguments.side, arguments.dtype, arguments.mib << 20, arguments.seconds), sys.stdout
        )
        return 0
    rows = []
    sys.stdout.write(f"{arguments.mib} MiB of {arguments.dtype}, one thread, new memory for each tensor\n")
    for side in SIDES:
        for row in _started(side, arguments):
            rows.append(row)
            sys.stdout.write(_line(row) + "\n")
            sys.stdout.flush()
    if arguments.out is not None:
        arguments.out.write_text(
            json.dumps({**commit(ROOT / "CMakeLists.txt"), "rows": rows}, indent=1) + "\n", encoding="utf-8"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
