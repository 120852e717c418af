"""dieharder (Brown): which of its tests are run, how it is called, and how its report is read.

It must not know where the words come from, only the command that writes them.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass

from exhaustive.tool import ToolError, program
from proof.statistic import FIXED_ALPHA, NIGHTLY_SUSPICION

# Eight digits are printed, so that a p of 0 or 1 is beyond the seventh.
_LINE = re.compile(r"^\s*([a-z_0-9]+)\|\s*(\d+)\|\s*(\d+)\|\s*(\d+)\|\s*([\d.]+)\|\s*(\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Result:
    """One line of a report: a test, the length of its tuples, its p-value and dieharder's word for it."""

    name: str
    tuple_length: int
    samples: int  # of all its p-values together
    p: float
    said: str

    @property
    def is_suspicious(self) -> bool:
        """Whether another seed must be asked."""
        return not NIGHTLY_SUSPICION < self.p < 1.0 - NIGHTLY_SUSPICION

    @property
    def is_bad(self) -> bool:
        """Whether no other seed need be asked."""
        return not FIXED_ALPHA < self.p < 1.0 - FIXED_ALPHA


def results(report: str) -> list[Result]:
    """Read what dieharder printed."""
    return [
        Result(name, int(length), int(each) * int(times), float(p), said)
        for name, length, each, times, p, said in _LINE.findall(report)
    ]


# Chosen by what a test can see and what it costs, not by how it ended: every test that dieharder itself calls
# good, on its own sample. Left out are opso, oqso and dna, which it calls suspect, and sums, not to be used.
# Of the families that `-a` runs in dozens and that take nine tenths of its hour: bit patterns of lengths that
# share no factor with a word and of those that do, lagged sums inside a block of 4 words and one block on,
# distances in two and three dimensions, and greatest common divisors of 10^8 pairs, a tenth of the usual.
_PLAIN = (0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 15, 16, 100, 101, 102, 204, 205, 206, 207, 208, 209)
SELECTION: tuple[tuple[str, ...], ...] = (
    *(("-d", str(number)) for number in _PLAIN),
    ("-d", "17", "-p", "10"),
    *(("-d", "200", "-n", str(bits)) for bits in (1, 2, 3, 5, 8)),
    *(("-d", "201", "-n", str(dimensions)) for dimensions in (2, 3)),
    *(("-d", "202", "-n", str(length)) for length in range(2, 6)),
    *(("-d", "203", "-n", str(lag)) for lag in (0, 1, 3, 4)),
)
ALL: tuple[tuple[str, ...], ...] = (("-a",),)


def run(source: list[str], arguments: tuple[str, ...]) -> list[Result]:
    """Pipe what a command writes into dieharder; return its results."""
    command = [program("dieharder"), "-g", "200", *arguments]
    with subprocess.Popen(source, stdout=subprocess.PIPE) as raw:
        done = subprocess.run(command, stdin=raw.stdout, capture_output=True, text=True, check=False)
        if raw.stdout:
            raw.stdout.close()
        status = raw.wait()
    found = results(done.stdout)
    if done.returncode or status or not found:
        raise ToolError(
            f"{command} exited with {done.returncode} and {len(found)} results, its source with {status}\n"
            f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        )
    return found
