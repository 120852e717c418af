"""Errors planted in a copy of the core, one at a time, each with the name of the check that must catch it.

It must not know how the checks work; the product itself has no hook for any of this.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .tool import NAME, ROOT, Tool, ToolError, call, program

# One instruction set is enough, and no flag but these two matters without vectors.
FLAGS = ("-std=c++17", "-O1", "-ffp-contract=off", "-pthread")


def _replace(old: str, new: str) -> Callable[[str], str]:
    # Wherever lines are broken.
    pattern = re.compile(r"\s+".join(map(re.escape, old.split())))

    def edit(text: str) -> str:
        found = pattern.findall(text)
        if len(found) != 1:
            raise ToolError(f"{old!r} is there {len(found)} times, so the error cannot be planted")
        return text.replace(found[0], new)

    return edit


def _perturb_coefficient(text: str) -> str:
    # The second coefficient of the octave below p = 1, 1 in 4096 too large: its third hexadecimal digit.
    literals = list(re.finditer(r"0x1\.([0-9a-f]{6})0*p[+-]\d+f", text))
    degree = int(re.findall(r"kDegree = (\d+);", text)[0])
    found = literals[-(4 * (degree + 1)) + 1]
    digits = f"{int(found[1], 16) + 0x1000:06x}"
    return text[: found.start(1)] + digits + text[found.end(1) :]


@dataclass(frozen=True)
class PlantedError:
    """One edit of one file of csrc, and the checks that must fail for it."""

    name: str
    file: str
    edit: Callable[[str], str]
    caught_by: str


PLANTED_ERRORS = (
    PlantedError("wrong coefficient", "kernel/quantile_table.hpp", _perturb_coefficient, "accuracy"),
    PlantedError(
        "wrapped index at n = 2^31",
        "kernel/quantile_window.hpp",
        _replace("kWindowFirst = kUnitExponent - 15;", "kWindowFirst = kUnitExponent - 16;"),
        "monotone",
    ),
    PlantedError(
        "tail threshold off by one index",
        "kernel/value.hpp",
        _replace("kTailIndices = 1u << 16;", "kTailIndices = (1u << 16) - 1;"),
        "tail_limit",
    ),
    PlantedError(
        "side threshold off by one word",
        "law.cpp",
        _replace(
            "? static_cast<std::uint64_t>(negative_count)", "? static_cast<std::uint64_t>(negative_count) + 1"
        ),
        "negative_count",
    ),
    PlantedError(
        "uniforms of 23 bits",
        "kernel/laws.hpp",
        _replace(
            "fused_wide(operator_or(words[i], splat(1u))", "fused_wide(operator_or(words[i], splat(511u))"
        ),
        "accuracy",
    ),
    PlantedError(
        "symmetric uniforms of 23 bits",
        "kernel/laws.hpp",
        _replace(
            "multiply(from_signed(operator_or(words[i], splat(1u))), k)",
            "multiply(from_signed(operator_or(words[i], splat(511u))), k)",
        ),
        "accuracy",
    ),
    PlantedError(
        "uniforms rounded twice",
        "kernel/laws.hpp",
        _replace(
            "minimum(maximum(fused_wide(operator_or(words[i], splat(1u)), k, middle), low), high)",
            "minimum(maximum(fused(from_signed(operator_or(words[i], splat(1u))),"
            " splat(static_cast<float>(k.v)), splat(static_cast<float>(middle.v))), low), high)",
        ),
        "accuracy",
    ),
    PlantedError(
        "truncated instead of rounded",
        "kernel/rounding.hpp",
        _replace("(b + 0x7FFFu + ((b >> 16) & 1u)) >> 16", "b >> 16"),
        "converter",
    ),
    PlantedError(
        "ties rounded up",
        "kernel/rounding.hpp",
        _replace("(b + 0x7FFFu + ((b >> 16) & 1u)) >> 16", "(b + 0x8000u) >> 16"),
        "converter",
    ),
)


def built_with(error: PlantedError | None, folder: Path) -> Tool:
    """Build the tool from a copy of the core, with an error or, to show that the copy is sound, with none."""
    source = folder / "csrc"
    shutil.copytree(ROOT / "csrc", source)
    if error is not None:
        path = source / error.file
        path.write_text(error.edit(path.read_text()))
    units = [
        *sorted(source.glob("*.cpp")),
        source / "isa" / "scalar.cpp",
        ROOT / "tests" / "exhaustive" / f"{NAME}.cpp",
    ]
    call(program("c++"), *FLAGS, f"-I{source}", f"-I{source / 'include'}", *units, "-o", folder / NAME)
    return Tool((str(folder / NAME),))
