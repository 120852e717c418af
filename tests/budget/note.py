"""The tables of the design note, written from the figures of budgets.json.

It must not measure anything, nor know what the prose around the tables says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

NOTE = Path(__file__).parents[2] / "docs" / "design" / "0003-instruction-budgets.md"

# Of each table: its columns' titles and what a figure's name holds between the law and dtype and its end.
_TABLES: dict[str, dict[str, str]] = {
    "counted": {
        "avx2": "avx2 {}: instructions per value",
        "scalar": "scalar {}: instructions per value",
    },
    "avx512": {
        "instructions": "avx512 {}: loop instructions per 32 values",
        "streaming": "avx512 {}, streaming: loop instructions per 32 values",
        "vector operations": "avx512 {}: vector operations per 32 values",
        "Sapphire Rapids cycles": "avx512 {}: cycles per 32 values on sapphirerapids",
        "its busiest port": "avx512 {}: cycles of the busiest port per 32 values on sapphirerapids",
        "Zen 4 cycles": "avx512 {}: cycles per 32 values on znver4",
        "its busiest pipe": "avx512 {}: cycles of the busiest port per 32 values on znver4",
    },
    "avx2": {
        "instructions": "avx2 {}: loop instructions per 32 values",
        "vector operations": "avx2 {}: vector operations per 32 values",
        "Skylake cycles": "avx2 {}: cycles per 32 values on skylake",
        "its busiest port": "avx2 {}: cycles of the busiest port per 32 values on skylake",
        "Zen 4 cycles": "avx2 {}: cycles per 32 values on znver4",
        "its busiest pipe": "avx2 {}: cycles of the busiest port per 32 values on znver4",
    },
    "neon": {
        "instructions": "neon {}: loop instructions per value",
        "vector operations": "neon {}: vector operations per value",
        "Neoverse N1 cycles": "neon {}: cycles per value on neoverse-n1",
        "its busiest pipe": "neon {}: cycles of the busiest port per value on neoverse-n1",
        "Neoverse V2 cycles": "neon {}: cycles per value on neoverse-v2",
        "its busiest pipe ": "neon {}: cycles of the busiest port per value on neoverse-v2",
    },
}


def _table(columns: Mapping[str, str], budgets: Mapping[str, float]) -> str:
    first = next(iter(columns.values()))
    before, after = (re.escape(part) for part in first.split("{}"))
    cases = [found[1] for name in budgets if (found := re.fullmatch(rf"{before}(\w+ \w+){after}", name))]
    lines = ["| law and dtype | " + " | ".join(title.strip() for title in columns) + " |"]
    lines.append("| --- |" + " ---: |" * len(columns))
    for case in cases:
        found_figures = (budgets.get(pattern.format(case)) for pattern in columns.values())
        figures = " | ".join("" if figure is None else f"{figure:.1f}" for figure in found_figures)
        lines.append(f"| {case} | {figures} |")
    return "\n".join(lines)


def with_tables(text: str, result: Mapping[str, Any]) -> str:
    """The note with every table, and the origin of the figures, as ``result`` (budgets.json) has them."""
    origin = result["origin"]
    blocks = {name: _table(columns, result["budgets"]) for name, columns in _TABLES.items()}
    counts = result["reviewed loop"]
    blocks["reviewed loop"] = ", ".join(f"`{mnemonic}` {count}" for mnemonic, count in counts.items()) + "."
    blocks["origin"] = "\n".join(f"- {what}: {origin[what]}" for what in origin)
    for name, block in blocks.items():
        before, begin, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition("<!-- end -->\n")
        if not (begin and end):
            raise ValueError(f"the note has no place for {name!r}")
        text = f"{before}{begin}\n{block}\n\n{end}{after}"
    return text
