"""``python -m bits``: run our own set, and dieharder where asked for, on every layout; write a result.

It must not know what a test computes.
"""

from __future__ import annotations

import argparse
import io
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from exhaustive.tool import program
from fanfill.random import LAYOUTS, raw_to
from proof.result_file import FOLDER, Record, provenance, shown, write
from proof.statistic import FIXED_ALPHA, bonferroni

from .own_set import TESTS

# dieharder says weak beyond 0.5 %, expected now and then of a faultless source, and failed beyond this.
DIEHARDER_ALPHA = 1e-6
_LINE = re.compile(r"^\s*([a-z_0-9]+)\|\s*(\d+)\|\s*(\d+)\|\s*(\d+)\|\s*([\d.]+)\|\s*(\w+)", re.MULTILINE)


def words_of(layout: str, seed: int, count: int) -> np.ndarray:
    """Return the words that ``fanfill raw`` writes."""
    stream = io.BytesIO()
    raw_to(stream, layout, seed=seed, count=count)  # type: ignore[arg-type]
    return np.frombuffer(stream.getvalue(), "<u4")


def own_records(layout: str, seed: int, count: int) -> Iterator[Record]:
    """Run our own set on one layout."""
    words = words_of(layout, seed, count)
    for name, test in TESTS.items():
        start = time.monotonic()
        statistics = test(words)
        p = bonferroni(statistics)
        worst = min(statistics, key=lambda statistic: statistic.p)
        yield {
            "check": name,
            "name": layout,
            "inputs": count,
            "statistics": len(statistics),
            "p": p,
            "most_extreme": {"name": worst.name, "value": worst.value, "p": worst.p},
            "seconds": round(time.monotonic() - start, 1),
            "checks": [name],
            "failed": {name: {"p": p, "worst": worst.name}} if p < FIXED_ALPHA else {},
            "said": f"p = {p:.2g}, {worst.name} = {worst.value:.6g}",
        }


def dieharder_records(layout: str, seed: int, tests: list[str]) -> Iterator[Record]:
    """Pipe ``fanfill raw`` into dieharder: all its tests, or those whose numbers are named."""
    for test in tests:
        start = time.monotonic()
        source = [sys.executable, "-m", "fanfill", "raw", "--layout", layout, "--seed", str(seed)]
        command = [program("dieharder"), "-g", "200", *(["-a"] if test == "all" else ["-d", test])]
        with subprocess.Popen(source, stdout=subprocess.PIPE) as raw:
            done = subprocess.run(command, stdin=raw.stdout, capture_output=True, text=True, check=True)
            raw.stdout.close() if raw.stdout else None
            status = raw.wait()
        found = [
            (name, int(size), float(p), said) for name, _, size, _, p, said in _LINE.findall(done.stdout)
        ]
        # Eight digits are printed, so that a p of 0 or 1 is beyond the seventh.
        bad = {
            name: p
            for name, _, p, said in found
            if said == "FAILED" or not DIEHARDER_ALPHA < p < 1 - DIEHARDER_ALPHA
        }
        if not found or status:
            bad["dieharder"] = f"{len(found)} results, fanfill raw exited with {status}"
        yield {
            "check": f"dieharder {test}",
            "name": layout,
            "inputs": sum(size for _, size, _, _ in found),
            "p_values": [p for _, _, p, _ in found],
            "weak": sum(said == "WEAK" for *_, said in found),
            "statistics": len(found),
            "seconds": round(time.monotonic() - start, 1),
            "checks": sorted({name for name, *_ in found}),
            "failed": bad,
            "said": ", ".join(f"{name} {p:.3g}" for name, _, p, _ in found[:8]),
        }


def main() -> int:
    """Run what the arguments name."""
    parser = argparse.ArgumentParser(prog="bits", description=__doc__)
    parser.add_argument("layouts", nargs="*", help=f"of {', '.join(LAYOUTS)}; default: all")
    parser.add_argument("--count", type=int, default=2**26, help="words that our own set gets, per layout")
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument(
        "--dieharder",
        nargs="*",
        metavar="TEST",
        default=[],
        help="numbers of its tests, or 'all' (an hour a layout)",
    )
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where results go")
    options = parser.parse_args()
    unknown = sorted(set(options.layouts) - set(LAYOUTS))
    if unknown:
        parser.error(f"no layout is named {', '.join(unknown)}")
    head = provenance("csrc", "tests/bits", "tests/proof", "python/fanfill/random.py")
    head |= {"contract": 1, "isas": ["chosen"], "compiler": "the installed package's"}
    records: list[Record] = []
    for layout in options.layouts or LAYOUTS:
        records += shown(own_records(layout, options.seed, options.count))
        records += shown(dieharder_records(layout, options.seed, options.dieharder))
    return 0 if write(options.folder / "bits.json", "Batteries of bits: eight orders", head, records) else 1


if __name__ == "__main__":
    sys.exit(main())
