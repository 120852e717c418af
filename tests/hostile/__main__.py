"""``python -m hostile``: run the hostile tests and the Python boundary in their long form; write a result.

It must not know what a test does, only the figures that it records.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import pytest

from exhaustive.tool import ROOT
from proof.installed import installed
from proof.result_file import FOLDER, Record, provenance, write

PATHS = (ROOT / "tests" / "hostile", ROOT / "tests" / "test_python_boundary.py")


class Recorder:
    """What became of each test, with its own figures."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a test's call says, and a set-up or a cleaning that failed."""
        if report.when != "call" and report.passed:
            return
        name = report.nodeid.rpartition("/")[2].replace(".py::", ": ")
        self.records.append(
            {
                "check": "hostile",
                "name": name,
                "inputs": 1,
                **dict(report.user_properties),
                "seconds": round(report.duration, 1),
                "checks": [name.partition(":")[0].removeprefix("test_")],
                "failed": {} if report.passed else {name: report.outcome},
            }
        )


def main() -> int:
    """Run the tests; further arguments are pytest's."""
    parser = argparse.ArgumentParser(prog="hostile", description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the result goes")
    options, others = parser.parse_known_args()
    os.environ["FANFILL_TESTS"] = "long"
    head = provenance("csrc", "python", "tests/hostile", "tests/cpp", "tests/fuzz", str(PATHS[1]))
    head |= installed()
    recorder = Recorder()
    arguments = ["-v", "-m", "not framework", "--forbid-skips", *map(str, PATHS), *others]
    status = pytest.main(arguments, plugins=[recorder])
    held = write(options.folder / "hostile.json", "Hostile surroundings: long form", head, recorder.records)
    return 0 if held and status == pytest.ExitCode.OK else 1


if __name__ == "__main__":
    sys.exit(main())
