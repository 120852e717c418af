"""``python -m versus``: run the same tests on every installed library and write a result file.

It must not know a library's calls, nor what a test counts.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from proof.installed import installed
from proof.result_file import FOLDER, Record, provenance, shown, write

from .figure import figures
from .library import LIBRARIES, SEED, Library, present


def _records(libraries: list[Library], count: int) -> Iterator[Record]:
    for library in libraries:
        start = time.monotonic()
        found = figures(library, count)
        wrong = sorted(name for name, figure in found.items() if not figure["ok"])
        yield {
            "check": "side by side",
            "name": library.name,
            "version": library.version,
            "calls": list(library.calls),
            "dtypes": list(library.dtypes),
            "figures": found,
            "wrong": wrong,
            "inputs": count * len(found),
            "seconds": round(time.monotonic() - start, 1),
            "checks": sorted(found),
            # What other libraries do is a finding; only our own can fail here.
            "failed": {name: found[name] for name in wrong} if library.name == "fanfill" else {},
            "said": f"wrong: {', '.join(wrong) or 'nothing'}",
        }


def main() -> int:
    """Run what the arguments name."""
    parser = argparse.ArgumentParser(prog="versus", description=__doc__)
    parser.add_argument(
        "libraries", nargs="*", help=f"of {', '.join(LIBRARIES)}; default: all that are installed"
    )
    parser.add_argument("--count", type=int, default=2**24, help="values of each sample")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where results go")
    options = parser.parse_args()
    unknown = sorted(set(options.libraries) - set(LIBRARIES))
    if unknown:
        parser.error(f"no library is named {', '.join(unknown)}")
    head = provenance("csrc", "tests/versus", "tests/proof", "tests/stats")
    head |= {"seed": SEED, "count": options.count, **installed()}
    records = shown(_records(present(options.libraries or list(LIBRARIES)), options.count))
    return (
        0
        if write(options.folder / "versus.json", "Side by side: the same tests on all", head, records)
        else 1
    )


if __name__ == "__main__":
    sys.exit(main())
