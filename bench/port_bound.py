"""Knows how to find a kernel's inner loop in its object file and ask llvm-mca what the ports allow.

It must not know what was measured.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

from bench.native import build

__all__ = ["PortBound", "port_bounds"]

_CPUS = ("sapphirerapids", "icelake-server")
# The newest comes first: older ones lack the models of newer CPUs.
_TOOLS = (*(f"llvm-mca-{release}" for release in range(22, 15, -1)), "llvm-mca")

# Law: what the mangled name of its float32 row function holds; NormalLaw's first argument: does it truncate.
_ROWS = {
    "uniform": r"fill_row_fused\w*SymmetricUniformLawE\w*Float32Format",
    "normal": r"fill_row_fused\w*NormalLawILb0E\w*Float32Format",
}
_STREAM = re.compile(r"\bv?movnt\w+\s+%([xyz])mm")
_MEMORY = re.compile(r"(?=.*\(%r).*%([xyz])mm")
_LINE = re.compile(r"^\s*([0-9a-f]+):\t(.*)$")
_BRANCH = re.compile(r"^j(?!mp)\w+\s+([0-9a-f]+)\s")  # cold paths return by jmp, loops by a condition


@dataclass(frozen=True)
class _Core:
    """A core as measured: the throughput of each mnemonic alone, and in pairs that share pipes or don't.

    `pipes` says which of the four vector pipes take a mnemonic; what is not listed (logic, integer addition)
    has all of them.
    """

    pipes: tuple[tuple[str, str], ...]
    passes_of_512_bits: int
    loaded_bytes: int  # a cycle
    stored_bytes: int


_CORES = {
    # An EPYC of family 25, model 17. LLVM 19 lets 512-bit shifts and absolute values use all four, and
    # 256-bit permutes take twice as long.
    "znver4": _Core(
        (
            (r"vpmul|vfn?m(add|sub)|vmul[ps]|vpabs|vp?blendv|vcmp", "01"),
            (r"v(add|sub|min|max)[ps]|vcvt|vps[rl]l|vpsra|vpro[lr]", "23"),
            (r"vperm|vpack|vinsert|vextract", "12"),
            (r"vp?shuf|vmovs[hl]dup|vp?unpck", "123"),
        ),
        passes_of_512_bits=2,
        loaded_bytes=64,
        stored_bytes=32,
    ),
    # An EPYC of family 26, model 2.
    "znver5": _Core(
        (
            (r"vpmul|vfn?m(add|sub)|vmul[ps]|vp?blendv", "01"),
            (r"v(add|sub|min|max|range)[ps]|vcmp|vcvt|vps[rl]l|vpsra|vpro[lr]", "23"),
            (r"vperm|vpack|vinsert|vextract|vpabs", "12"),
        ),
        passes_of_512_bits=1,
        loaded_bytes=128,
        stored_bytes=64,
    ),
}
_IS_MOVE = re.compile(r"^v?mov(?!s[hl]dup)|^k")  # renamed, or loads and stores, which have ports of their own
_WIDTHS = {"x": 16, "y": 32, "z": 64}


@dataclass(frozen=True)
class PortBound:
    """The inner loop of one law on one instruction set, on one CPU model."""

    isa: str
    law: str
    cpu: str
    source: str  # who says what the ports can do
    values: int  # an iteration
    instructions: int  # an iteration
    cycles_per_value: float  # the busiest port can't do it in fewer

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)


def _functions(listing: str) -> dict[str, list[tuple[int, str]]]:
    functions: dict[str, list[tuple[int, str]]] = {}
    lines: list[tuple[int, str]] = []
    for text in listing.splitlines():
        if match := re.match(r"^[0-9a-f]+ <(\S+)>:$", text):
            lines = functions.setdefault(match.group(1), [])
        elif match := _LINE.match(text):
            lines.append((int(match.group(1), 16), match.group(2).split("#")[0].strip()))
    return functions


def _streaming_loop(lines: list[tuple[int, str]]) -> list[str]:
    """Find the shortest loop that multiplies and stores past the cache: one group a turn."""
    places = {address: at for at, (address, _) in enumerate(lines)}
    loops = []
    for at, (address, text) in enumerate(lines):
        jump = _BRANCH.match(text + " ")
        if jump is None or int(jump.group(1), 16) >= address:
            continue
        body = [line for _, line in lines[places.get(int(jump.group(1), 16), at) : at + 1]]
        if any("pmuludq" in line for line in body) and any(_STREAM.search(line) for line in body):
            loops.append(body)
    return min(loops, key=len, default=[])


def _mca_bound(tool: str, cpu: str, body: list[str]) -> float | None:
    """Return the cycles an iteration that llvm-mca finds the busiest port of a CPU to need."""
    # A branch's target is an address of the object file, which llvm-mca would take for a symbol's.
    source = "\n".join(re.sub(r"^(j\w+)\s.*", r"\1 0", line) for line in body)
    command = [tool, f"-mcpu={cpu}", "-"]
    done = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
    pressure = re.search(r"Resource pressure per iteration:\n.*\n(.*)\n", done.stdout)
    if pressure is None:
        return None
    return max(float(port) for port in pressure.group(1).split() if port != "-")


def _measured_bound(core: _Core, body: list[str]) -> float:
    """Return the cycles an iteration that the busiest set of a core's vector pipes needs.

    For every set of the four, the operations that have no other choice must share it: bound = max over sets
    of (passes / pipes in the set). Beside them, a cycle loads and stores so many bytes.
    """
    passes: dict[str, int] = {}
    loaded = stored = 0
    for line in body:
        if match := _MEMORY.search(line):
            if line.endswith(")"):
                stored += _WIDTHS[match.group(1)]
            else:
                loaded += _WIDTHS[match.group(1)]
        if "mm" in line and not _IS_MOVE.match(line):
            name = line.split()[0]
            pipes = next((pipes for pattern, pipes in core.pipes if re.match(pattern, name)), "0123")
            passes[pipes] = passes.get(pipes, 0) + (core.passes_of_512_bits if "zmm" in line else 1)
    sets = ["".join(chosen) for size in range(1, 5) for chosen in combinations("0123", size)]
    vectors = max(sum(n for pipes, n in passes.items() if set(pipes) <= set(of)) / len(of) for of in sets)
    return max(vectors, loaded / core.loaded_bytes, stored / core.stored_bytes)


def _bounds_of(tool: str, isa: str, law: str, body: list[str]) -> list[PortBound]:
    values = sum(_WIDTHS[match.group(1)] for line in body if (match := _STREAM.search(line))) // 4
    if values == 0:
        return []
    cycles = {(cpu, "measured pipes"): _measured_bound(core, body) for cpu, core in _CORES.items()}
    for cpu in _CPUS:
        if (bound := _mca_bound(tool, cpu, body)) is not None:
            cycles[cpu, tool.rpartition("/")[2]] = bound
    return [PortBound(isa, law, *key, values, len(body), bound / values) for key, bound in cycles.items()]


def port_bounds() -> list[PortBound]:
    """Return the bounds of the float32 normal and uniform; nothing where objdump or llvm-mca is missing."""
    tool = next(filter(None, map(shutil.which, _TOOLS)), None)
    if tool is None or shutil.which("objdump") is None:
        return []
    found: list[PortBound] = []
    for isa in ("avx512", "avx2"):
        for path in sorted(build().glob(f"core/**/{isa}.cpp.o")):
            command = ["objdump", "-d", "--no-show-raw-insn", str(path)]
            functions = _functions(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            for law, pattern in _ROWS.items():
                rows = [lines for name, lines in functions.items() if re.search(pattern, name)]
                found += _bounds_of(tool, isa, law, _streaming_loop(rows[0]) if rows else [])
    return found
