"""Knows the clone's run: ``fanfill bench`` with what needs a compiler: clocks, stores, port bounds, targets.

It must not know how anything is measured.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from bench import in_cache
from bench.native import ROOT
from bench.port_bound import port_bounds
from bench.targets import judge, target_lines
from fanfill.benchmark import machine
from fanfill.commands import bench

# CPUs that a port bound is known for, by family and model.
_KNOWN_CORES = {
    **{f"25/{model}": "znver4" for model in (*range(16, 32), *range(96, 128), *range(160, 176))},
    # Those of servers and desktops; the vector pipes of Zen 5 in laptops are narrower.
    **{f"26/{model}": "znver5" for model in (*range(32), *range(64, 80))},
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    bench.add_arguments(parser)
    parser.description = "fanfill bench, with the cycles in cache, port bounds and targets of this clone"
    return parser


def _add_native(report: dict[str, Any], seconds: float) -> None:
    """Add what only a clone can measure."""
    family_model = report["machine"]["family_model"]
    report.update(machine.commit(ROOT / "CMakeLists.txt"))
    found = in_cache.measured(report, seconds)
    report["comparisons"] += found["comparisons"]
    report["in_cache"] = found["in_cache"]
    report["machine"]["compiler"] = found["compiler"]
    report["store_speeds"] = {
        one["left"]["way"]: one["left"]["bytes_per_s"]
        for one in found["comparisons"]
        if one["task"] == "stores"
    }
    report["port_bounds"] = [bound.to_dict() for bound in port_bounds()]
    report["port_bound_cpu"] = _KNOWN_CORES.get(family_model)
    report["targets"] = [verdict.to_dict() for verdict in judge(report)]


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark."""
    arguments = _parser().parse_args(argv)
    if arguments.list:
        return bench.run(arguments)
    try:
        earlier = bench.checked(arguments)
    except (bench.UsageError, ValueError, OSError) as error:
        _parser().error(str(error))
    report = bench.measure(arguments)
    _add_native(report, arguments.seconds)
    status = bench.finish(arguments, report, earlier)
    if not arguments.json:
        print("\n" + "\n".join(target_lines(report)))
    return status


if __name__ == "__main__":
    sys.exit(main())
