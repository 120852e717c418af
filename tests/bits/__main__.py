"""``python -m bits``: run our own set, and dieharder where asked for, on the layouts; write a result.

It must not know what a test computes.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from fanfill.random import LAYOUTS, raw_to
from proof.installed import installed
from proof.result_file import FOLDER, Record, provenance, shown, write
from proof.statistic import FIXED_ALPHA, bonferroni

from .dieharder import ALL, SELECTION, Result, run
from .own_set import TESTS

DIEHARDER: dict[str, Sequence[tuple[str, ...]]] = {"none": (), "selection": SELECTION, "all": ALL}


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


def dieharder_records(layout: str, seed: int, tests: Sequence[tuple[str, ...]]) -> Iterator[Record]:
    """Pipe ``fanfill raw`` into dieharder; what is suspicious once more, on another seed."""
    for test in tests:
        start = time.monotonic()
        found = run(_raw(layout, seed), test)
        bad = {result.name: result.p for result in found if result.is_bad}
        again: list[Result] = []
        if not bad and any(result.is_suspicious for result in found):
            again = run(_raw(layout, seed + 1), test)
            bad = {
                then.name: [first.p, then.p]
                for first, then in zip(found, again, strict=True)
                if first.is_suspicious and then.is_suspicious
            }
        yield {
            "check": "dieharder",
            "name": layout,
            "arguments": " ".join(test),
            "inputs": sum(result.samples for result in found + again),
            "p_values": [result.p for result in found],
            "p_again": [result.p for result in again],
            "weak": sum(result.said == "WEAK" for result in found),
            "statistics": len(found),
            "seconds": round(time.monotonic() - start, 1),
            "checks": sorted({result.name for result in found}),
            "failed": bad,
            "said": ", ".join(f"{result.name} {result.tuple_length} {result.p:.3g}" for result in found[:8]),
        }


def _raw(layout: str, seed: int) -> list[str]:
    return [sys.executable, "-m", "fanfill", "raw", "--layout", layout, "--seed", str(seed)]


def main() -> int:
    """Run what the arguments name."""
    parser = argparse.ArgumentParser(prog="bits", description=__doc__)
    parser.add_argument("layouts", nargs="*", help=f"of {', '.join(LAYOUTS)}; default: all")
    parser.add_argument("--count", type=int, default=2**26, help="words that our own set gets, per layout")
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument(
        "--dieharder",
        choices=DIEHARDER,
        default="none",
        help="which of its tests: minutes a layout, or an hour (default: none)",
    )
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where results go")
    options = parser.parse_args()
    unknown = sorted(set(options.layouts) - set(LAYOUTS))
    if unknown:
        parser.error(f"no layout is named {', '.join(unknown)}")
    head = provenance("csrc", "tests/bits", "tests/proof", "python/fanfill/random.py")
    head |= installed()
    tests = DIEHARDER[options.dieharder]

    def judged(layout: str) -> list[Record]:
        own = shown(own_records(layout, options.seed, options.count))
        return own + shown(dieharder_records(layout, options.seed, tests))

    with ThreadPoolExecutor(2) as pool:
        records = [found for part in pool.map(judged, options.layouts or LAYOUTS) for found in part]
    return 0 if write(options.folder / "bits.json", "Batteries of bits: eight orders", head, records) else 1


if __name__ == "__main__":
    sys.exit(main())
