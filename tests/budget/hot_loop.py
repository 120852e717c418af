"""The hot loop of a function in a compiler's listing: the shortest way round that makes no call.

It knows jumps and labels of x86-64 (AT&T) and AArch64, and must not know laws, dtypes or instruction budgets.
"""

from __future__ import annotations

import heapq
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

_LABEL = re.compile(r"^(\.L\w+):")
_INSTRUCTION = re.compile(r"^\t([a-z][\w.]*)(?:[ \t]+(.*))?$")
_CONDITIONS = "eq|ne|cs|cc|hs|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le|any|none"
_JUMP = re.compile(rf"^(?:j[a-z]+|b|b\.?(?:{_CONDITIONS})|cbn?z|tbn?z)$")
_LEAVE = re.compile(r"^(?:ret|ud2|br|brk|jmp|b)$")  # what follows in the text is not what runs next
_CALL = re.compile(r"^(?:call|bl|blr)$")
# The multiplication that only Philox makes: 32 by 32 to 64 bits, on vectors.
_MULTIPLY = re.compile(r"^(?:vpmuludq\t|umull2?\tv)")
_MOVE = re.compile(r"^(?:vmov(?:dq|ap|up|nt)|(?:mov|ld[1r]|ldp|ldr|st[1r]|stp|str)$)")


@dataclass
class _Block:
    instructions: list[str] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    falls_through: bool = True

    @property
    def calls(self) -> bool:
        return any(_CALL.match(line.split("\t")[0]) for line in self.instructions)

    @property
    def multiplies(self) -> int:
        return sum(bool(_MULTIPLY.match(line)) for line in self.instructions)


@dataclass(frozen=True)
class HotLoop:
    """One turn of a loop, in the order in which it runs."""

    instructions: tuple[str, ...]  # "mnemonic<tab>operands"

    @property
    def multiplies(self) -> int:
        """Philox's multiplications."""
        return sum(bool(_MULTIPLY.match(line)) for line in self.instructions)

    @property
    def vector_operations(self) -> int:
        """Instructions on vector registers other than loads, stores and copies."""
        return sum(_is_vector_operation(line) for line in self.instructions)

    @property
    def mnemonics(self) -> dict[str, int]:
        """How often each instruction occurs, the most frequent first."""
        return dict(Counter(line.split("\t")[0] for line in self.instructions).most_common())

    @property
    def streams(self) -> bool:
        """Whether it stores past the cache."""
        return any(line.startswith("vmovnt") for line in self.instructions)


def _is_vector_operation(line: str) -> bool:
    mnemonic, _, operands = line.partition("\t")
    if _MOVE.match(mnemonic):
        return False
    return mnemonic.startswith("v") or re.search(r"\b[vqds]\d+\b", operands) is not None


def functions(listing: str, names: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    """Every function's readable name and its lines; ``names`` maps symbols to readable names."""
    symbol, lines = "", []
    for line in listing.splitlines():
        if line.startswith("\t.size\t") and symbol:
            yield names[symbol], lines
            symbol = ""
        elif (found := re.match(r"^(_Z\w+):", line)) and found[1] in names:
            symbol, lines = found[1], []
        elif symbol:
            lines.append(line)


def _blocks(lines: list[str]) -> dict[str, _Block]:
    """Basic blocks in the order of the text, by label; a made-up one where the text has none."""
    block = _Block()
    blocks = {"entry": block}
    for line in lines:
        if label := _LABEL.match(line):
            block = blocks[label[1]] = _Block()
            continue
        if not (found := _INSTRUCTION.match(line)):
            continue
        mnemonic, operands = found[1], (found[2] or "").strip()
        block.instructions.append(f"{mnemonic}\t{operands}")
        jumps = _JUMP.match(mnemonic)
        if jumps:
            block.targets.append(operands.split(",")[-1].strip())
        if jumps or _LEAVE.match(mnemonic) or _CALL.match(mnemonic):
            block.falls_through = not _LEAVE.match(mnemonic)
            block = blocks[f"after {len(blocks)}"] = _Block()
    return blocks


def _successors(blocks: dict[str, _Block]) -> dict[str, list[str]]:
    """Where each block may go next without a call on the way."""
    order = list(blocks)
    usable = {name for name in order if not blocks[name].calls}
    after = dict(pairwise(order))
    result: dict[str, list[str]] = {}
    for name in usable:
        block = blocks[name]
        followed = [after[name]] if block.falls_through and name in after else []
        result[name] = [target for target in block.targets + followed if target in usable]
    return result


def _shortest_cycle(blocks: dict[str, _Block], successors: dict[str, list[str]], start: str) -> list[str]:
    """The cycle through ``start`` that executes the fewest instructions; empty if there is none."""
    heap = [(0, [start])]
    done: set[str] = set()
    while heap:
        cost, path = heapq.heappop(heap)
        for name in successors[path[-1]]:
            if name == start:
                return path
            if name not in done and name not in path:
                heapq.heappush(heap, (cost + len(blocks[name].instructions), [*path, name]))
        done.add(path[-1])
    return []


def hot_loops(lines: list[str]) -> list[HotLoop]:
    """Every loop of a function that multiplies as Philox does, without its rare detours."""
    blocks = _blocks(lines)
    successors = _successors(blocks)

    def size(cycle: list[str]) -> int:
        return sum(len(blocks[name].instructions) for name in cycle)

    cycles = [_shortest_cycle(blocks, successors, name) for name in successors if blocks[name].multiplies]
    kept: list[list[str]] = []
    for cycle in sorted(filter(None, cycles), key=size):
        # A longer way round that shares a block with a known loop is a detour of it.
        if not any(set(cycle) & set(known) for known in kept):
            kept.append(cycle)
    loops = [HotLoop(tuple(line for name in cycle for line in blocks[name].instructions)) for cycle in kept]
    most = max((loop.multiplies for loop in loops), default=0)
    return [loop for loop in loops if loop.multiplies == most]
