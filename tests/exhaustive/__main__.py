"""``python -m exhaustive``: build the tool, run the proof and write result files.

It must not know what the checks are, only their order.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from proof.result_file import provenance, shown, write

from . import proof
from .planted_error import PLANTED_ERRORS, built_with
from .proof import Size
from .tool import ROOT, Report, Tool, built_by_cmake, under_qemu

CONVERTERS, PLANTED = "converters", "planted_errors"
# What a result depends on: with changes here that no commit holds, the commit does not say what was proved.
SOURCES = ("csrc", "tests/exhaustive")


def planted_records(folder: Path) -> Iterable[Report]:
    """Plant each error, run the checks that should see it, and say which did."""
    for number, error in enumerate((None, *PLANTED_ERRORS)):
        place = folder / str(number)
        place.mkdir()
        caught = sorted(proof.failures(built_with(error, place)))
        missed = caught if error is None else [] if error.caught_by in caught else [error.caught_by]
        yield {
            "check": "planted_error",
            "error": "none" if error is None else error.name,
            "caught_by": caught,
            "inputs": 1,
            "checks": ["planted_error"],
            "failed": {"planted_error": {"missed": missed}} if missed else {},
        }


def main() -> int:
    """Run what the arguments name."""
    parser = argparse.ArgumentParser(prog="exhaustive", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"laws, {CONVERTERS!r} or {PLANTED!r}; default: all")
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "results", help="where results go")
    parser.add_argument("--quick", action="store_true", help="a sample of every set of inputs")
    parser.add_argument(
        "--arm", action="store_true", help="64-bit Arm under qemu-user too; needs a cross compiler"
    )
    options = parser.parse_args()
    size: Size = proof.QUICK if options.quick else proof.FULL
    held, head = True, provenance(*SOURCES)
    head["size"] = "quick" if options.quick else "full"
    with tempfile.TemporaryDirectory() as scratch:
        tool = Tool((str(built_by_cmake(Path(scratch, "here"), "release")),))
        head |= {key: tool.about[key] for key in ("contract", "compiler", "isas")}
        there = under_qemu(built_by_cmake(Path(scratch, "arm"), "aarch64")) if options.arm else None
        for part in options.parts or [*tool.about["laws"], CONVERTERS, PLANTED]:
            sys.stderr.write(f"{part}\n")
            if part == CONVERTERS:
                records = shown(proof.converter_records(tool, size))
            elif part == PLANTED:
                records = shown(planted_records(Path(scratch)))
            else:
                records = shown(proof.law_records(tool, part, size))
                if there is not None:
                    part_size = proof.QUICK if options.quick else proof.EMULATED
                    records += shown(proof.elsewhere_records(tool, there, part, part_size))
            path = options.folder / f"exhaustive_{part}.json"
            held &= write(path, f"Exhaustive proof: {part}", head, records)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
