"""What a job and a short row cost beside their values, in instructions: no clock is asked.

It must not know how a fill spends them.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from budget.command import output, tool

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[2]
VALUES = 100_000  # of a run, about

# A microsecond is some 5,000 instructions on one core.
INSTRUCTIONS_PER_MICROSECOND = 5000

Cost = Callable[[str, int], float]


@pytest.fixture(scope="module")
def cost(cpp_build: Callable, tmp_path_factory: pytest.TempPathFactory) -> Cost:
    """``cost(kind, values)``: instructions of one more job, or one more row, of so many values, with AVX2."""
    folder = tmp_path_factory.mktemp("fill_cost")
    program, counts = folder / "fill_cost", folder / "callgrind.out"
    source = ROOT / "tests/budget/fill_cost.cpp"
    warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
    library = cpp_build("release").folder / "libfanfill.a"
    output(
        *(tool("c++"), "-std=c++17", "-O2", *warnings, f"-I{ROOT / 'csrc/include'}"),
        *(source, library, "-pthread", "-o", program),
    )

    def total(kind: str, count: int, values: int) -> int:
        valgrind = [tool("valgrind"), "--quiet", "--tool=callgrind", f"--callgrind-out-file={counts}"]
        output(*valgrind, program, kind, str(count), str(values), environment={"FANFILL_ISA": "avx2"})
        found = re.search(r"^(?:summary|totals): (\d+)$", counts.read_text(), re.MULTILINE)
        assert found is not None
        return int(found[1])

    @functools.cache
    def each(kind: str, values: int) -> float:
        count = max(10, min(1000, VALUES // values))
        return (total(kind, 2 * count, values) - total(kind, count, values)) / count

    return each


def test_a_job_takes_well_below_a_microsecond(cost: Cost) -> None:
    assert cost("jobs", 1) < 0.6 * INSTRUCTIONS_PER_MICROSECOND


def contiguous(cost: Cost) -> float:
    """Instructions of one more value in a long row."""
    return (cost("rows", 8192) - cost("rows", 4096)) / 4096


@pytest.mark.parametrize("width", [64, 65, 100, 512])
def test_rows_cost_little_more_than_contiguous_values(cost: Cost, width: int) -> None:
    assert cost("rows", width) / width < contiguous(cost) / 0.7


def test_a_column_of_single_values_costs_less_than_twenty_contiguous_ones(cost: Cost) -> None:
    assert cost("rows", 1) < 20 * contiguous(cost)
