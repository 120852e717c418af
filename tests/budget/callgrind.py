"""Instructions that a fill executes per value, counted by valgrind's callgrind.

It must not know the kernels, nor what a good figure is.
"""

from __future__ import annotations

import re
from pathlib import Path

from budget.command import output, tool

ROOT = Path(__file__).parents[2]
BYTES = 1 << 20
FILLS = 1


def build_program(build: Path, compiler: str, folder: Path) -> Path:
    """Compiles fill_values.cpp into ``folder``, linked with the library of a build folder."""
    program = folder / "fill_values"
    source = Path(__file__).with_name("fill_values.cpp")
    include = ROOT / "csrc" / "include"
    warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
    compile_ = [tool(compiler), "-std=c++17", "-O2", *warnings, f"-I{include}"]
    output(*compile_, source, build / "libfanfill.a", "-pthread", "-o", program)
    return program


def instructions_per_value(program: Path, isa: str, law: str, dtype: str) -> float:
    """Instructions of one value: the difference of 1 and 2 fills, so that the program's start drops out."""
    once, values = _count(program, isa, law, dtype, FILLS)
    twice, _ = _count(program, isa, law, dtype, 2 * FILLS)
    return (twice - once) / (FILLS * values)


def _count(program: Path, isa: str, law: str, dtype: str, fills: int) -> tuple[int, int]:
    """Instructions of a whole run, and the values of one fill."""
    counts = program.with_name("callgrind.out")
    valgrind = [tool("valgrind"), "--quiet", "--tool=callgrind", f"--callgrind-out-file={counts}"]
    arguments = [law, dtype, str(BYTES), str(fills)]
    answer = output(*valgrind, program, *arguments, environment={"FANFILL_ISA": isa}).split()
    if answer[0] != isa:
        raise RuntimeError(f"{answer[0]} ran, not {isa}")
    summary = re.search(r"^(?:summary|totals): (\d+)$", counts.read_text(), re.MULTILINE)
    if summary is None:
        raise RuntimeError("callgrind wrote no summary")
    counts.unlink()
    return int(summary[1]), int(answer[1])


def valgrind_version() -> str:
    """The version of the counter."""
    return output(tool("valgrind"), "--version").strip()
