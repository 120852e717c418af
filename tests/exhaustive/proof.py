"""The checks of a law and of the converters, at full and at quick size, and the limits that they must meet.

It must not know how the tool works, nor where results are written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import mpmath
import numpy as np

from .code_probability import FORMATS, code_mass_error
from .exact_value import PRECISION, TAIL_INDICES, ExactLaw
from .tool import Report, Tool


@dataclass(frozen=True)
class Size:
    """How many inputs each check gets."""

    sweep: str  # the words of the fastest two instruction sets, float32
    edges: int  # 2^edges words on either side of each octave edge, every instruction set
    strata: int  # 2^strata words, one of each stratum, every instruction set
    edges64: int  # the same in float64; scalar gets what `edges` and `strata` say
    strata64: int
    tails: int  # 2^tails second words for the outermost and the innermost index
    mass_every: int  # one word in so many for the codes' probabilities
    mass_tails: int  # 2^mass_tails second words for every index that takes them
    convert_every: int  # one pattern in so many
    samples: int  # words compared with 200-bit arithmetic


FULL = Size("all", 16, 26, 20, 30, 32, 1, 12, 1, 4096)
# For a law of five Newton steps a value, and for another machine under an emulator.
SLOW = Size("strata:20", 10, 20, 10, 20, 24, 64, 8, 64, 1024)
EMULATED = Size("strata:26", 16, 26, 12, 22, 24, 64, 8, 64, 1024)
QUICK = Size("strata:20", 8, 16, 8, 16, 14, 256, 4, 1024, 128)

SLOW_LAWS = ("truncated_beyond_table",)
# The laws whose tail words are swept in full; the others share their arithmetic up to one scaling.
FULL_TAILS = ("normal",)
PARTIAL_TAILS = 24

# Total variation, the factor 1/2 included, to the normal rounded to float32 and then to the dtype. `limit` is
# what the arithmetic of the contract keeps, `target` what was asked for.
TOTAL_VARIATION = {
    "bfloat16": {"target": 1.5e-6, "limit": 5e-6},
    "float16": {"target": 4e-6, "limit": 3.5e-5},
    "float8_e4m3fn": {"limit": 1e-6},
    "float8_e5m2": {"limit": 1e-6},
}
CELL_EDGE_LIMIT = 1e-7
REACH = 9.0
# In units of the last place of the value, or of a normal's centre where that is larger. A uniform is rounded
# once, one on +-a three times: s, k and their product.
ACCURACY_LIMIT = {"float32": 6.0, "float64": 12.0}
UNIFORM_LIMIT, SYMMETRIC_UNIFORM_LIMIT = 0.5001, 2.5


def _fail(record: Report, check: str, **detail: object) -> None:
    record["failed"][check] = detail


def sweep(tool: Tool, law: str, dtype: str, words: str, isas: list[str]) -> Report:
    """Sweep an ascending set of words; where a law has two sides, count the negative ones too."""
    found = tool.report("sweep", law, dtype, words, *isas)
    exact = ExactLaw(**tool.about["laws"][law])
    if exact.kind == "truncated_normal" and exact.mean == 0.0:
        found["checks"].append("negative_count")
        bits = 32 if dtype == "float32" else 64
        with mpmath.workprec(PRECISION):
            expected = 1 << (bits - 1) if exact.is_symmetric else exact.negative_count(bits)
        if found["first_not_negative"] != expected:
            _fail(found, "negative_count", expected=expected, found=found["first_not_negative"])
        if words == "all" and found["negative"] != found["first_not_negative"]:
            _fail(found, "negative_count", expected=found["first_not_negative"], found=found["negative"])
    return found


def sweeps(tool: Tool, law: str, size: Size) -> Iterator[Report]:
    """All words on the two best instruction sets; edges and strata on every one; the same in float64."""
    isas, best = tool.isas, tool.isas[:2]
    yield sweep(tool, law, "float32", size.sweep, best)
    yield sweep(tool, law, "float32", f"edges:{size.edges}", isas)
    yield sweep(tool, law, "float32", f"strata:{size.strata}", isas)
    yield sweep(tool, law, "float64", f"edges:{size.edges64}", best)
    yield sweep(tool, law, "float64", f"strata:{size.strata64}", best)
    yield sweep(tool, law, "float64", f"edges:{min(size.edges64, SLOW.edges64)}", isas)
    yield sweep(tool, law, "float64", f"strata:{min(size.strata64, SLOW.strata64)}", isas)


def tails(tool: Tool, law: str, size: Size) -> Report:
    """Sweep the second words, and see how far they reach."""
    bits = size.tails if law in FULL_TAILS else min(size.tails, PARTIAL_TAILS)
    found = tool.report("tails", law, bits, *tool.isas[: 2 if bits > PARTIAL_TAILS else None])
    if law == "normal":
        found["checks"].append("reach")
        highest = np.array([0x7FFFFFFFFFFFFFFF], dtype=np.uint64)
        found["reach_float64"] = float(tool.values(law, "float64", tool.isas[0], highest, highest)[0])
        if min(-found["reach_low"], found["reach_high"], found["reach_float64"]) < REACH:
            _fail(found, "reach", wanted=REACH)
    return found


def mass(tool: Tool, dtype: str, size: Size) -> Report:
    """Compare the probability of every code of a narrow dtype, standard normal, with the exact one."""
    found, counts = tool.code_mass("normal", dtype, size.mass_every, size.mass_tails, tool.isas[0])
    error = code_mass_error(dtype, counts)
    limits = TOTAL_VARIATION[dtype]
    found |= asdict(error) | {f"total_variation_{name}": value for name, value in limits.items()}
    found["checks"] += ["total_variation", "cell_edges"]
    # Words that are left out move every edge between codes by up to their own mass.
    slack = 0.0 if size.mass_every == 1 else size.mass_every * 2.0**-32
    if error.total_variation > limits["limit"] + slack * (np.count_nonzero(counts) / 3 + 16):
        _fail(found, "total_variation", limit=limits["limit"], found=error.total_variation)
    if error.largest_cell_edge_error > CELL_EDGE_LIMIT + slack:
        _fail(found, "cell_edges", limit=CELL_EDGE_LIMIT, found=error.largest_cell_edge_error)
    return found


def _sample(bits: int, count: int) -> tuple[list[int], list[int]]:
    # Even strata; by octaves towards the middle and towards either end; indices that take tail words.
    choice = np.random.default_rng(20240229)
    top, quarter = 1 << bits, count // 4
    indices = [0, TAIL_INDICES - 1, top - 1, top - TAIL_INDICES]
    for i in range(quarter):
        indices.append((i * top + int(choice.integers(0, 1 << 62)) % top) // quarter)
        distance = int(2.0 ** (bits - 2) * 2.0 ** (-(bits - 2) * i / quarter))
        near_end = int(choice.integers(0, TAIL_INDICES))
        if i % 2:
            indices += [top // 2 + distance, top - 1 - distance, near_end]
        else:
            indices += [top // 2 - distance, distance, top - 1 - near_end]
    spread = [int(2.0 ** (32.0 * i / len(indices))) for i in range(len(indices))]
    return [index ^ (top >> 1) for index in indices], spread


def _accuracy_limit(exact: ExactLaw, dtype: str) -> float:
    if exact.kind != "uniform":
        return ACCURACY_LIMIT[dtype]
    return SYMMETRIC_UNIFORM_LIMIT if exact.low == -exact.high else UNIFORM_LIMIT


def accuracy(tool: Tool, law: str, dtype: str, size: Size) -> Report:
    """Compare a sample of words with 200-bit arithmetic, in units in the last place."""
    bits = 32 if dtype == "float32" else 64
    words, second = _sample(bits, size.samples)
    kind = np.uint32 if bits == 32 else np.uint64
    values = tool.values(law, dtype, tool.isas[0], np.array(words, dtype=kind), np.array(second, dtype=kind))
    parameters = tool.about["laws"][law]
    exact = ExactLaw(**parameters)
    limit = _accuracy_limit(exact, dtype)
    worst = {"centre": 0.0, "tail": 0.0}
    first: dict[str, object] = {}
    with mpmath.workprec(PRECISION):
        for word, tail, value in zip(words, second, values, strict=True):
            true = exact.value(bits, word, tail)
            unit = float(np.spacing(values.dtype.type(max(abs(float(value)), exact.scale))))
            error = abs(float((mpmath.mpf(float(value)) - true) / unit))
            where = "tail" if exact.std and abs(true - exact.mean) > 3 * exact.std else "centre"
            worst[where] = max(worst[where], error)
            if error > limit and not first:
                first = {
                    "input": hex(word),
                    "tail": hex(tail),
                    "value": float(value).hex(),
                    "error_ulp": error,
                }
    found: Report = {
        "check": "accuracy", "law": law, "dtype": dtype, "isas": tool.isas[:1], "inputs": len(words),
        "reference_bits": PRECISION, "largest_error_ulp": {k: round(v, 3) for k, v in worst.items()},
        "limit_ulp": limit, "checks": ["accuracy"], "failed": {},
    }  # fmt: skip
    if first:
        _fail(found, "accuracy", **first)
    return found


def law_records(tool: Tool, law: str, size: Size) -> Iterator[Report]:
    """Everything that is proved of one law."""
    if law in SLOW_LAWS and size is FULL:
        size = SLOW
    yield from sweeps(tool, law, size)
    if tool.about["laws"][law]["deep"]:
        yield tails(tool, law, size)
    if law == "normal":
        for dtype in FORMATS:
            yield mass(tool, dtype, size)
    for dtype in ("float32", "float64"):
        yield accuracy(tool, law, dtype, size)


def converter_records(tool: Tool, size: Size) -> Iterator[Report]:
    """Every float32 pattern to every narrow dtype, every instruction set, against integer arithmetic."""
    for dtype in FORMATS:
        yield tool.report("convert", dtype, size.convert_every, *tool.isas)


def elsewhere_records(here: Tool, there: Tool, law: str, size: Size) -> Iterator[Report]:
    """Another machine's instruction sets: the same checks on a part of the words, and the same bits."""
    if law in SLOW_LAWS and size is EMULATED:
        size = SLOW
    sets = [("float32", f"edges:{size.edges}"), ("float32", f"strata:{size.strata}"),
            ("float64", f"edges:{size.edges64}"), ("float64", f"strata:{size.strata64}")]  # fmt: skip
    for dtype, words in sets:
        found = sweep(there, law, dtype, words, there.isas) | {"machine": "aarch64 under qemu-user"}
        found["checks"].append("equal_machines")
        expected = here.report("sweep", law, dtype, words, here.isas[0])["hash"]
        if found["hash"] != expected:
            _fail(found, "equal_machines", here=expected, there=found["hash"])
        yield found


def failures(tool: Tool) -> set[str]:
    """Return the names of the checks that fail on a quick round: laws of every kind and the converters."""
    records: list[Report] = [
        *converter_records(tool, QUICK),
        mass(tool, "bfloat16", QUICK),
        tails(tool, "normal", QUICK),
    ]
    for law in ("normal", "uniform_0_1", "uniform_symmetric", "truncated_2", "truncated_asymmetric"):
        records += [
            sweep(tool, law, "float32", f"edges:{QUICK.edges}", tool.isas),
            accuracy(tool, law, "float32", QUICK),
        ]
    return {name for record in records for name in record["failed"]}
