"""The instruction budgets: every figure that is held, how it is measured, and how it compares.

It must not know what a kernel does with its instructions, nor write a budget.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from budget.callgrind import build_program, instructions_per_value
from budget.command import output, tool
from budget.hot_loop import HotLoop
from budget.listing import Listing, read_listing

ROOT = Path(__file__).parents[2]
FIGURES = Path(__file__).with_name("budgets.json")
ALLOWANCE = 0.03
CASES = (
    ("normal", "float32"),
    ("uniform", "float32"),
    ("uniform_symmetric", "float32"),
    ("truncated", "float32"),
    ("normal", "bfloat16"),
    ("normal", "float16"),
    ("normal", "float8_e4m3fn"),
    ("normal", "float64"),
)
COUNTED = ("avx2", "scalar")  # run under callgrind, which has no AVX-512
CORES = {
    "avx512": ("sapphirerapids", "znver4"),
    "avx2": ("skylake", "znver4"),
    "neon": ("neoverse-n1", "neoverse-v2"),
}
PER = {"avx512": 32, "avx2": 32, "neon": 1}  # values that a listing's figures are for
PRESETS = {"avx512": "release", "avx2": "release", "neon": "aarch64"}


def counted_figures(build: Path, isa: str) -> dict[str, float]:
    """Instructions per value of every case, run on one instruction set."""
    with tempfile.TemporaryDirectory() as folder:
        program = build_program(build, "c++", Path(folder))
        return {
            f"{isa} {law} {dtype}: instructions per value": instructions_per_value(program, isa, law, dtype)
            for law, dtype in CASES
        }


def listed_figures(build: Path, isa: str) -> dict[str, float]:
    """Lengths and modelled cycles of every case's hot loops, in the listing of one instruction set."""
    listing = read_listing(build, isa)
    per = f" per {PER[isa]} values" if PER[isa] > 1 else " per value"
    figures: dict[str, float] = {}
    multiplies = set()
    for law, dtype in CASES:
        scale = PER[isa] / listing.group_values(dtype)
        loops = listing.loops(law, dtype)
        multiplies |= {loop.multiplies for loop in loops}
        for streams in (False, True):
            chosen = [loop for loop in loops if loop.streams == streams]
            if chosen:
                longest = max(chosen, key=lambda loop: len(loop.instructions))
                name = f"{isa} {law} {dtype}{', streaming' if streams else ''}: "
                figures[f"{name}loop instructions{per}"] = scale * len(longest.instructions)
                figures[f"{name}vector operations{per}"] = scale * longest.vector_operations
                if not streams:  # the models take a streaming store for one that nothing overtakes
                    figures |= _modelled(listing, longest, name, per, scale)
    if len(multiplies) != 1:
        raise RuntimeError(f"not every loop of {isa} is whole: Philox multiplies {sorted(multiplies)} times")
    return figures


def _modelled(listing: Listing, loop: HotLoop, name: str, per: str, scale: float) -> dict[str, float]:
    figures = {}
    for core in CORES[listing.isa]:
        simulation = listing.simulate(loop, core)
        figures[f"{name}cycles{per} on {core}"] = scale * simulation.cycles
        figures[f"{name}cycles of the busiest port{per} on {core}"] = scale * simulation.busiest
    return figures


def reviewed_loop(build: Path) -> dict[str, int]:
    """How often each instruction occurs in the loop that the design note reviews: neon, normal, float32."""
    loops = read_listing(build, "neon").loops("normal", "float32")
    return max(loops, key=lambda loop: len(loop.instructions)).mnemonics


def configured(preset: str, folder: Path) -> Path:
    """A build folder of a preset, configured only."""
    options = ["-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}", "-DFANFILL_TESTS=OFF"]
    output(tool("cmake"), "-S", ROOT, "-B", folder, "--preset", preset, *options)
    return folder


def measured(builds: Mapping[str, Path]) -> dict[str, float]:
    """Every figure, from the configured build folder of each preset."""
    figures: dict[str, float] = {}
    for isa, preset in PRESETS.items():
        figures |= listed_figures(builds[preset], isa)
    output(tool("cmake"), "--build", builds["release"], "-j", "2")
    for isa in COUNTED:
        figures |= counted_figures(builds["release"], isa)
    return {name: round(value, 3) for name, value in figures.items()}


def excess(name: str, value: float, budget: float) -> str:
    """What to say of a figure above its budget; nothing of one within it."""
    if value <= budget * (1 + ALLOWANCE):
        return ""
    return f"{name}: {value:.3f}, {value / budget - 1:+.1%} over the budget of {budget:.3f}"


def read_budgets() -> dict[str, float]:
    """The budgets of the repository."""
    budgets: dict[str, float] = json.loads(FIGURES.read_text())["budgets"]
    return budgets
