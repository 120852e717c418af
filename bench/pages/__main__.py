"""The command line of these measurements: which to make, how often, and where the results go.

It must not know what any of them measures.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path
from typing import Any

from bench.pages.machine import describe

_TASKS = {
    "policies": "every policy of pages and stores, in new and old memory",
    "allocation": "numpy.empty, torch.empty and fanfill.empty, each with a fill",
    "threads": "two threads and more beside one, from 4 bytes up",
    "regions": "rows of every width, strided, cut, transposed, single columns",
    "small": "1,000 values from Python, beside torch",
    "many_tensors": "45,395 tensors in one call",
}


def _lines(results: dict[str, Any], path: tuple[str, ...] = ()) -> list[str]:
    """Return a line for everything that was timed, with its ratios."""
    lines = []
    for name, value in results.items():
        if not isinstance(value, dict):
            continue
        if "best_s" in value:
            figures = [f"best {value['best_s']:.3e} s", f"median {value['median_s']:.3e} s"]
            figures += [
                f"{other} {ratio['ratio']:.3f} [{ratio['low']:.3f} {ratio['high']:.3f}]"
                for other, ratio in value.items()
                if isinstance(ratio, dict)
            ]
            lines.append(f"{': '.join((*path, name)):<75} {'  '.join(figures)}")
        elif "ratio" in value:
            lines.append(
                f"{': '.join((*path, name)):<75} {value['ratio']:.3f} "
                f"[{value['low']:.3f} {value['high']:.3f}], of the best {value['ratio_of_best']:.3f}"
            )
        else:
            lines += _lines(value, (*path, name))
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.pages", description="Measure pages, stores, threads, regions and small fills."
    )
    parser.add_argument("tasks", nargs="+", choices=_TASKS, metavar="task", help=", ".join(_TASKS))
    parser.add_argument("--rounds", type=int, default=15, help="samples of each side (default: 15)")
    parser.add_argument("--mib", type=int, default=256, help="of the buffer (default: 256)")
    parser.add_argument("--out", type=Path, help="JSON file for the results")
    arguments = parser.parse_args()
    if arguments.rounds < 2 or arguments.mib < 1:
        parser.error("--rounds must be at least 2 and --mib at least 1")
    if arguments.out is not None and not arguments.out.parent.is_dir():
        parser.error(f"--out: there is no folder {arguments.out.parent}")
    results: dict[str, Any] = {"machine": describe(), "rounds": arguments.rounds}
    for task in arguments.tasks:
        module = importlib.import_module(f"bench.pages.{task}")
        results[task] = module.measure(arguments.rounds, arguments.mib << 20)
        print(f"{task}: {_TASKS[task]}")
        print("\n".join(_lines(results[task])))
    results["machine"]["load_average_after"] = describe()["load_average"]
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
