"""``python -m stats``: build the counter, run the sampling tests and write result files.

It must not know what the tests are, only their groups.
"""

from __future__ import annotations

import argparse
import datetime
import sys
import tempfile
from pathlib import Path

from proof.cpp_target import built, configured
from proof.result_file import FOLDER, provenance, shown, write

from .battery import batteries, records
from .counter import NAME, Counter

FIXED_BASE = 20260101


def main() -> int:
    """Run what the arguments name."""
    parser = argparse.ArgumentParser(prog="stats", description=__doc__)
    parser.add_argument("groups", nargs="*", help=f"of {', '.join(batteries())}; default: all")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where results go")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the long form's samples")
    parser.add_argument(
        "--nightly", action="store_true", help="seeds of today, and what is suspicious once more on others"
    )
    options = parser.parse_args()
    groups = batteries()
    unknown = sorted(set(options.groups) - set(groups))
    if unknown or not options.scale > 0.0:
        parser.error(f"no group is named {', '.join(unknown)}" if unknown else "--scale must be above 0")
    base = int(datetime.date.today().strftime("%Y%m%d")) if options.nightly else FIXED_BASE
    head = provenance("csrc", "tests/stats", "tests/proof")
    held = True
    with tempfile.TemporaryDirectory() as scratch:
        counter = Counter(built(configured(Path(scratch), "release"), NAME))
        about = counter.about
        head |= {"contract": about["contract"], "compiler": about["compiler"], "isas": [about["chosen"]]}
        head |= {"scale": options.scale, "seeds": base}
        for name in options.groups or groups:
            sys.stderr.write(f"{name}\n")
            found = shown(records(counter, groups[name], options.scale, base, nightly=options.nightly))
            held &= write(options.folder / f"stats_{name}.json", f"Sampling tests: {name}", head, found)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
