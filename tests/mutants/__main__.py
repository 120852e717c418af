"""``python -m mutants``: plant each error in a copy of the core, run the killers, say who killed whom.

It must not know what an error changes, nor how a killer works.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from proof.result_file import FOLDER, Record, provenance, shown, write

from .copy import Copy
from .killer import COSTLY, KILLERS, Programs, golden_lines
from .mutant import MUTANTS, Mutant


def _seen(killer: str, programs: Programs) -> bool:
    try:
        return {**KILLERS, **COSTLY}[killer](programs)
    except (subprocess.SubprocessError, RuntimeError, ValueError, IndexError, ArithmeticError):
        return True  # a program that died, hung, or counted what can't be


def killers_of(mutant: Mutant, folder: Path, store: Path, golden: str) -> list[str]:
    """Build a mutant; return the names of the killers that saw it."""
    copy = Copy.fresh(folder, store)
    for edit in mutant.edits:
        edit.apply(copy.csrc)
    programs = Programs(copy.build(), golden)
    asked = dict.fromkeys([*mutant.killed_by, *KILLERS])
    return [killer for killer in asked if _seen(killer, programs)]


def records_of(chosen: list[Mutant], scratch: Path) -> Iterator[Record]:
    """Yield the sound copy's record, which no killer may fail, and then each mutant's, two at a time."""
    store = scratch / "store"
    sound = Copy.fresh(scratch / "sound", store).build()
    golden = golden_lines(sound)
    wrong = [killer for killer in KILLERS if _seen(killer, Programs(sound, golden))]
    yield _record("none", (), wrong, {"none": {"failed": wrong}} if wrong else {}, 0.0)

    def killed(mutant: Mutant) -> Record:
        start = time.monotonic()
        folder = scratch / mutant.name.replace("/", " ")
        killers = killers_of(mutant, folder, store, golden)
        shutil.rmtree(folder)
        missed = [name for name in mutant.killed_by if name not in killers]
        failed: Record = {mutant.name: {"missed": missed}} if missed else {}
        return _record(mutant.name, mutant.killed_by, killers, failed, time.monotonic() - start)

    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(killed, chosen)


def _record(error: str, named: tuple[str, ...], killers: list[str], failed: Record, seconds: float) -> Record:
    return {
        "check": "planted_error",
        "error": error,
        "named": list(named),
        "caught_by": sorted(killers),
        "inputs": 1,
        "seconds": round(seconds, 1),
        "checks": ["planted_error"],
        "failed": failed,
        "said": f"{error}: killed by {', '.join(killers) or 'nobody'}",
    }


def main() -> int:
    """Run what the arguments name."""
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of mutants' names; default: all")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where results go")
    options = parser.parse_args()
    chosen = [m for m in MUTANTS if not options.names or any(part in m.name for part in options.names)]
    if not chosen:
        parser.error(f"no mutant's name holds {', '.join(options.names)}")
    head = provenance("csrc", "tests")
    head |= {"contract": 1, "compiler": "c++ -O1", "isas": ["scalar"]}
    with tempfile.TemporaryDirectory() as scratch:
        found = shown(records_of(chosen, Path(scratch)))
    return (
        0 if write(options.folder / "mutants.json", "Tests of the tests: planted errors", head, found) else 1
    )


if __name__ == "__main__":
    sys.exit(main())
