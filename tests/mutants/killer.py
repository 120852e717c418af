"""The killers: tests that run on the programs of a copy and say whether they saw an error.

It must not know the errors.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from exhaustive import proof
from exhaustive.tool import Report, Tool
from stats.battery import Battery, batteries, records, scale_battery
from stats.counter import Counter, Place

SEEDS = 20260101
# Block number, stream, words: Random123's first vector, and carries that others computed (seed 0).
KNOWN_WORDS = (
    (0, 0, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    (0xFFFFFFFF, 0, (0xC5B20A9D, 0x4434EC4E, 0x11BBE4FB, 0x2A1EF7A5)),
    (1 << 32, 0, (0x6AD0C5EC, 0xEA236249, 0x73A459F5, 0x074944B3)),
    (0, 1, (0x844515E1, 0xF08D6EAA, 0x0F19C053, 0x83F875F0)),
)


@dataclass(frozen=True)
class Programs:
    """What was built from a copy, and what `golden_bits` printed of the sound one."""

    paths: dict[str, Path]
    golden: str

    @property
    def counter(self) -> Counter:
        """The sampling tests' counter."""
        return Counter(self.paths["fanfill_stats"])

    @property
    def tool(self) -> Tool:
        """The exhaustive proof's tool."""
        return Tool((str(self.paths["fanfill_exhaustive"]),))

    def fails(self, name: str, *arguments: str) -> bool:
        """Run a C++ test; return whether it failed, by a status or a signal."""
        command = [str(self.paths[name]), *arguments]
        return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode != 0


def golden_lines(paths: dict[str, Path]) -> str:
    """Return what `golden_bits` prints."""
    return subprocess.run([paths["golden_bits"]], capture_output=True, text=True, check=False).stdout


def _known_words(programs: Programs) -> bool:
    counter = programs.counter
    return any(
        tuple(counter.words(Place(0, stream, 4 * block), 4).tolist()) != words
        for block, stream, words in KNOWN_WORDS
    )


def _group(
    name: str, scale: float, keep: Callable[[Battery], bool] = lambda _: True
) -> Callable[[Programs], bool]:
    def fails(programs: Programs) -> bool:
        chosen = [battery for battery in batteries()[name] if keep(battery)]
        return any(
            record["failed"] for record in records(programs.counter, chosen, scale, SEEDS, nightly=False)
        )

    return fails


def _scale(programs: Programs) -> bool:
    found = records(programs.counter, [scale_battery("float32")], 0.3, SEEDS, nightly=False)
    return any(record["failed"] for record in found)


def _exhaustive(check: Callable[[Tool], list[Report]], *names: str) -> Callable[[Programs], bool]:
    def fails(programs: Programs) -> bool:
        failed = {name for report in check(programs.tool) for name in report["failed"]}
        return bool(failed if not names else failed & set(names))

    return fails


def _sweeps(tool: Tool) -> list[Report]:
    laws = ("normal", "uniform_0_1", "uniform_symmetric", "truncated_2", "truncated_asymmetric")
    return [proof.sweep(tool, law, "float32", f"edges:{proof.QUICK.edges}", tool.isas) for law in laws]


def _accuracy(tool: Tool) -> list[Report]:
    laws = ("normal", "uniform_0_1", "uniform_symmetric", "truncated_2")
    return [proof.accuracy(tool, law, "float32", proof.QUICK) for law in laws]


KILLERS: dict[str, Callable[[Programs], bool]] = {
    "known words": _known_words,
    "golden bits": lambda programs: golden_lines(programs.paths) != programs.golden,
    "bit matrix": lambda programs: programs.fails("test_bit_matrix", "700"),
    "guard pages": lambda programs: programs.fails("test_guard_pages", "7"),
    "test_rows": lambda programs: programs.fails("test_rows"),
    "test_fill": lambda programs: programs.fails("test_fill"),
    "test_parallel": lambda programs: programs.fails("test_parallel"),
    "buckets": _group("buckets", 0.001, lambda battery: battery.dtype in ("bfloat16", "float8_e4m3fn")),
    "distribution": _group("distribution", 0.001),
    "moments": _group("moments", 0.001, lambda battery: battery.name.startswith("moments")),
    "tails": _group("tails", 0.002),
    "streams": _group("streams", 0.0002, lambda battery: battery.law != "words"),
    "avalanche": _group("streams", 0.0005, lambda battery: battery.law == "words"),
    "exhaustive tails": _exhaustive(lambda tool: [proof.tails(tool, "normal", proof.QUICK)]),
    "exhaustive bounds": _exhaustive(_sweeps, "bounds"),
    "exhaustive sweeps": _exhaustive(_sweeps),
    "exhaustive accuracy": _exhaustive(_accuracy, "accuracy"),
    "exhaustive converters": _exhaustive(lambda tool: list(proof.converter_records(tool, proof.QUICK))),
}
# Minutes each: only where a mutant names them.
COSTLY: dict[str, Callable[[Programs], bool]] = {"mean and variance": _scale}
