"""What the compiler makes of a kernel: its hot loops, their length, and their cycles in models of cores.

It takes the flags from CMake's compile commands, and must not know what a good figure is.
"""

from __future__ import annotations

import functools
import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from budget.command import output, tool
from budget.hot_loop import HotLoop, functions, hot_loops

ROOT = Path(__file__).parents[2]
_TURNS = 100  # of a loop that llvm-mca simulates
_MCA = "llvm-mca-19"  # a model of another version has other cycles

# The kernel that runs for each case. Arguments that a pattern leaves open have one value.
_KERNELS = {
    ("uniform", "float32"): r"fill_row_fused<UniformLaw, Float32Format>",
    ("uniform_symmetric", "float32"): r"fill_row_fused<SymmetricUniformLaw, Float32Format>",
    ("normal", "float32"): r"fill_row_fused<NormalLaw<false\b[^>]*>, Float32Format>",
    ("truncated", "float32"): r"fill_row_fused<NormalLaw<true, false\b[^>]*>, Float32Format>",
    ("normal", "bfloat16"): r"fill_row_fused<NormalLaw<false\b[^>]*>, BFloat16Format>",
    ("normal", "float16"): r"fill_row_fused<NormalLaw<false\b[^>]*>, Float16Format>",
    ("normal", "float8_e4m3fn"): r"fill_row_fused<NormalLaw<false\b[^>]*>, Float8Format<3, 7> >",
    ("normal", "float64"): r"fill_row64_fused<NormalLaw64<false\b[^>]*> >",
}
_TRIPLES = {"avx512": "x86_64", "avx2": "x86_64", "neon": "aarch64"}


@dataclass(frozen=True)
class Simulation:
    """llvm-mca's account of one turn of a loop."""

    cycles: float
    busiest: float  # cycles that the busiest port works


@dataclass(frozen=True)
class Listing:
    """The compiler's listing of one instruction set's unit."""

    isa: str
    group_words: int  # words that one turn of a hot loop takes
    text: str
    names: dict[str, str]

    def loops(self, law: str, dtype: str) -> list[HotLoop]:
        """The hot loops of a kernel: for ordinary stores, and where the set has them for streaming ones."""
        wanted = _KERNELS[law, dtype]
        found = [lines for name, lines in functions(self.text, self.names) if re.match(wanted, name)]
        if len(found) != 1:
            fused = sorted(name for name in self.names.values() if re.match(r"fill_row\w*_fused<", name))
            known = "\n".join(fused)
            raise RuntimeError(f"{len(found)} kernels {wanted} in the listing of {self.isa}, but\n{known}")
        loops = hot_loops(found[0])
        if not loops:
            raise RuntimeError(f"no loop with Philox's multiplications in {wanted} of {self.isa}")
        return loops

    def group_values(self, dtype: str) -> int:
        """Values that one turn of a hot loop writes."""
        return self.group_words // 2 if dtype == "float64" else self.group_words

    def simulate(self, loop: HotLoop, core: str) -> Simulation:
        """A loop in llvm-mca's model of a core."""
        options = [f"-mtriple={_TRIPLES[self.isa]}", f"-mcpu={core}", f"-iterations={_TURNS}", "-json"]
        text = "\n".join(f"\t{line}" for line in loop.instructions) + "\n"
        report = json.loads(output(tool(_MCA), *options, stdin=text))
        region = report["CodeRegions"][0]
        turn = len(loop.instructions)  # the index under which the totals of a turn stand
        usage = region["ResourcePressureView"]["ResourcePressureInfo"]
        busiest = max(row["ResourceUsage"] for row in usage if row["InstructionIndex"] == turn)
        return Simulation(region["SummaryView"]["TotalCycles"] / _TURNS, busiest)


def mca_version() -> str:
    """The version of the models."""
    return re.search(r"LLVM version \S+", output(tool(_MCA), "--version"))[0]  # type: ignore[index]


@functools.cache
def read_listing(build: Path, isa: str) -> Listing:
    """Compiles ``csrc/isa/<isa>.cpp`` to a listing, with the flags of a configured build folder."""
    source = ROOT / "csrc" / "isa" / f"{isa}.cpp"
    commands = json.loads((build / "compile_commands.json").read_text())
    command = next(entry for entry in commands if Path(entry["file"]) == source)
    words = shlex.split(command["command"])
    out = words.index("-o")
    compile_ = [*words[:out], *words[out + 2 :]]
    compile_ = [word for word in compile_ if word not in ("-c", str(source))] + ["-S", "-o", "-"]
    text = output(*compile_, source, folder=build)

    probe = f'#include "lanes/{isa}.hpp"\n#include "kernel/words.hpp"\nextern const int words;\n'
    probe += "const int words = fanfill::kGroupWords;\n"
    answer = output(*compile_, "-w", "-x", "c++", "-", stdin=probe, folder=build)
    group_words = re.search(r"^words:\n\t\.(?:long|word)\t(\d+)", answer, re.MULTILINE)
    if group_words is None:
        raise RuntimeError("the compiler did not say how many words a group has")
    return Listing(isa, int(group_words[1]), text, _readable_names(text))


def _readable_names(text: str) -> dict[str, str]:
    """Symbols of functions to names without their namespace and return type."""
    symbols = re.findall(r"^(_Z\w+):", text, re.MULTILINE)
    readable = output(tool("c++filt"), stdin="\n".join(symbols)).splitlines()
    plain = [re.sub(r"fanfill::|\(anonymous namespace\)::|^void ", "", name) for name in readable]
    return dict(zip(symbols, plain, strict=True))
