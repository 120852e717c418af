"""``python -m budget`` (in tests/) compares the figures with their budgets; ``--update`` writes them.

It knows where the figures are kept, and must not know how any of them is measured.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from budget.budget import (
    FIGURES,
    PRESETS,
    ROOT,
    configured,
    excess,
    measured,
    read_budgets,
    reviewed_loop,
)
from budget.callgrind import valgrind_version
from budget.command import output, tool
from budget.listing import mca_version
from budget.note import NOTE, with_tables


def origin_of_figures() -> dict[str, str]:
    """Where figures come from."""
    changed = output(tool("git"), "-C", ROOT, "status", "--porcelain", "--", "csrc", "CMakeLists.txt")
    commit = output(tool("git"), "-C", ROOT, "rev-parse", "--short=12", "HEAD").strip()
    return {
        "commit": commit + (" with changes" if changed else ""),
        "compiler": output(tool("c++"), "--version").splitlines()[0],
        "cross compiler": output(tool("aarch64-linux-gnu-g++"), "--version").splitlines()[0],
        "counter": valgrind_version(),
        "models": mca_version(),
    }


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Compare instruction counts with their budgets.")
    parser.add_argument("--update", action="store_true", help="write what is measured as the budgets")
    update = parser.parse_args().update
    origin = origin_of_figures()
    with tempfile.TemporaryDirectory() as scratch:
        builds = {preset: configured(preset, Path(scratch, preset)) for preset in set(PRESETS.values())}
        figures = measured(builds)
        reviewed = reviewed_loop(builds["aarch64"])
    if update:
        result = {"origin": origin, "budgets": figures, "reviewed loop": reviewed}
        note = with_tables(NOTE.read_text(), result)
        FIGURES.write_text(json.dumps(result, indent=2) + "\n")
        NOTE.write_text(note)
        return 0
    budgets = read_budgets()
    complaints = [f"{name}: no budget" for name in figures.keys() - budgets.keys()]
    complaints += [f"{name}: no longer measured" for name in budgets.keys() - figures.keys()]
    complaints += [excess(name, value, budgets[name]) for name, value in figures.items() if name in budgets]
    complaints = sorted(filter(None, complaints))
    sys.stdout.write("".join(f"{line}\n" for line in complaints))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
