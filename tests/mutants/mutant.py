"""The planted errors: what each changes in which file of the core, and the tests that must see it.

It must not know how a copy is built, nor how a test runs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path


class MutantError(RuntimeError):
    """The source no longer holds what an error would change."""


@dataclass(frozen=True)
class Edit:
    """One replacement in one file of csrc, wherever its lines are broken."""

    file: str
    old: str
    new: str

    def apply(self, folder: Path) -> None:
        """Make the replacement; it must be possible exactly once."""
        path = folder / self.file
        text = path.read_text()
        found = re.findall(r"\s+".join(map(re.escape, self.old.split())), text)
        if len(found) != 1:
            raise MutantError(f"{self.old!r} is {len(found)} times in {self.file}")
        path.write_text(text.replace(found[0], self.new))


@dataclass(frozen=True)
class Mutant:
    """An error by name, its edits, and the killers of which each must fail."""

    name: str
    edits: tuple[Edit, ...]
    killed_by: tuple[str, ...]


WORDS, LAWS, LAW, ROW = "kernel/words.hpp", "kernel/laws.hpp", "law.cpp", "kernel/row.hpp"
DRAW, LINES, HELD = "kernel/draw.hpp", "kernel/row_lines.hpp", "kernel/held_rows.hpp"
ROUNDING, VALUE, LANES = "kernel/rounding.hpp", "kernel/value.hpp", "lanes/scalar.hpp"


def _one(name: str, file: str, old: str, new: str, *killed_by: str) -> Mutant:
    return Mutant(name, (Edit(file, old, new),), killed_by)


def _few_rounds(rounds: int) -> Mutant:
    edits = (
        Edit("philox.hpp", "kPhiloxRounds = 10", f"kPhiloxRounds = {rounds}"),
        # What the compiler itself would refuse: these errors are for the tests.
        Edit(
            "philox.hpp",
            "namespace known_answers {",
            "namespace known_answers {\n#define static_assert(...) static_assert(true)",
        ),
        Edit(WORDS, "return high_half(block + kGroupBlocks - 1) == s.upper;", "return false;"),
        Edit(WORDS, "if (__builtin_expect(is_shared, 1))", "if (false)"),
        Edit(DRAW, "if (kPipelines && list.is_shared) {", "if (false) {"),
    )
    # Beyond four rounds no sample of ours is large enough; the published words are.
    killers = ("avalanche", "known words") if rounds < 4 else ("known words",)
    return Mutant(f"Philox of {rounds} round{'s' * (rounds > 1)}", edits, killers)


_NORMAL_VALUE = "v[i] = fused(g[i], multiply(from_signed(operator_or(words[i], one)), k), mean);"
_NORMAL_TAIL = "const float v = tail_value(plan, word, tail);"


def _cut(sigma: float) -> Mutant:
    edits = (
        Edit(LAWS, _NORMAL_VALUE, _NORMAL_VALUE + f" v[i] = within(v[i], splat({sigma}f));"),
        Edit(
            LAWS, _NORMAL_TAIL, f"const float v = clamp(tail_value(plan, word, tail), -{sigma}f, {sigma}f);"
        ),
    )
    return Mutant(f"tail cut at {sigma} sigma", edits, ("exhaustive tails",))


MUTANTS: tuple[Mutant, ...] = (
    *(_few_rounds(rounds) for rounds in range(1, 7)),
    _one(
        "words swapped in a block",
        LANES,
        "out[0] = {{high_xor(p1, c1, key0), low(p1)}};",
        "out[0] = {{low(p1), high_xor(p1, c1, key0)}};",
        "known words",
    ),
    _one(
        "upper half of the seed dropped",
        WORDS,
        "return high_half(seed) + static_cast<std::uint32_t>(round) * kPhiloxW1;",
        "(void)seed; return static_cast<std::uint32_t>(round) * kPhiloxW1;",
        "avalanche",
    ),
    _one(
        "upper half of the stream dropped",
        WORDS,
        "s.first = word_splat(high_half(s.stream) ^",
        "s.first = word_splat(0u ^",
        "bit matrix",
    ),
    _one(
        "counter cut at 2^32 blocks",
        WORDS,
        "high_half(p1) ^ upper ^ round_key0(s.seed, 0);",
        "high_half(p1) ^ round_key0(s.seed, 0);",
        "bit matrix",
    ),
    _one(
        "lowest bit of the seed dropped",
        WORDS,
        "s.seed = seed; s.stream = stream;",
        "s.seed = seed = seed & ~std::uint64_t{1}; s.stream = stream;",
        "streams",
    ),
    _one(
        "two neighbouring streams the same",
        WORDS,
        "s.seed = seed; s.stream = stream;",
        "s.seed = seed; s.stream = stream / 2 * 2;",
        "streams",
    ),
    _one(
        "stream s is stream s + 1 one block on",
        WORDS,
        "prepare(s, high_half(block)); }",
        "s.stream = 0; s.seed += stream; prepare(s, high_half(block)); }",
        "known words",
    ),
    _one(
        "one block twice at a shard's edge",
        ROW,
        "consecutive_blocks(block, count, blocks);",
        "consecutive_blocks(block, count, blocks); "
        "if (begin == job.start && begin != first) blocks[1] = blocks[0];",
        "bit matrix",
    ),
    _one(
        "slice off by one",
        ROW,
        "job.byte_stride, elements + (begin - first), stop - begin);",
        "job.byte_stride, elements + (begin - first + (begin > first)), stop - begin);",
        "bit matrix",
    ),
    _one(
        "second line of a short row as the first",
        LINES,
        "list_four(block + i * kLineBlocks, blocks);",
        "list_four(block + (i > 1 ? i : 0) * kLineBlocks, blocks);",
        "test_rows",
    ),
    _one(
        "short rows begin with their block",
        HELD,
        "static_cast<std::uint32_t>(used * kPerBlock + lead)",
        "static_cast<std::uint32_t>(used * kPerBlock)",
        "bit matrix",
        "test_rows",
    ),
    Mutant(
        "one group written past the end",
        (
            Edit(ROW, "covered_groups(at >> 2, (end - at) /", "covered_groups(at >> 2, (end - at + 8) /"),
            Edit(ROW, "while (end - at >= kGroupWords)", "while (end > at && end - at >= kGroupWords)"),
        ),
        ("bit matrix", "guard pages"),
    ),
    _one(
        "tail words of the wrong domain",
        "philox.hpp",
        "kDomainTails = std::uint64_t{1} << 62",
        "kDomainTails = 0",
        "golden bits",
    ),
    _one(
        "a range's last element left out",
        "parallel.cpp",
        "part.end - begin < share_->grain ? part.end : begin + share_->grain;",
        "part.end - begin < share_->grain ? part.end : begin + share_->grain - 1;",
        "test_fill",
    ),
    _one(
        "float64 words swapped",
        LANES,
        "return (std::uint64_t{a.v[1]} << 32) | a.v[0];",
        "return (std::uint64_t{a.v[0]} << 32) | a.v[1];",
        "golden bits",
    ),
    _one(
        "stale words in laws drawn one by one",
        ROW,
        "if (i == job.start || (i & 3) == 0) words",
        "if (i == job.start || (i & 7) == 0) words",
        "bit matrix",
    ),
    _one(
        "uniforms of 23 bits",
        LAWS,
        "fused_wide(operator_or(words[i], splat(1u)), k, middle)",
        "fused_wide(operator_or(words[i], splat(511u)), k, middle)",
        "exhaustive accuracy",
    ),
    _one(
        "symmetric uniforms of 23 bits",
        LAWS,
        "multiply(from_signed(operator_or(words[i], splat(1u))), k), low)",
        "multiply(from_signed(operator_or(words[i], splat(511u))), k), low)",
        "exhaustive accuracy",
    ),
    _one(
        "the middle of uniforms in float32",
        LAWS,
        ": k(splat(plan.k64)), middle(splat(plan.mean64)), low(splat(plan.low)),",
        ": k(splat(plan.k64)), middle(splat(double{static_cast<float>(plan.mean64)})), low(splat(plan.low)),",
        "golden bits",
    ),
    _one(
        "normals of 24 bits",
        LANES,
        "from_signed(subtract(top, absolute(operator_or(word, one))));",
        "from_signed(subtract(top, absolute(operator_or(word, splat(255u)))));",
        "exhaustive accuracy",
    ),
    _one(
        "normals of one word, no tail word",
        LAWS,
        "static constexpr bool kWatches = kDeep;",
        "static constexpr bool kWatches = false;",
        "exhaustive tails",
    ),
    *(_cut(sigma) for sigma in (5.17, 5.42, 5.77)),
    Mutant(
        "bfloat16 computed in bfloat16",
        (
            Edit(
                "kernel/formats.hpp",
                "store_bf16(out, v[0], v[1], streaming);",
                "F32 a = v[0], b = v[1]; for (int i = 0; i < 2; ++i) { "
                "a.v[i] = float_of((bits_of(a.v[i]) + 0x4000u) "
                "& ~0x7FFFu); b.v[i] = float_of((bits_of(b.v[i]) + 0x4000u) & ~0x7FFFu); } "
                "store_bf16(out, a, b, streaming);",
            ),
        ),
        ("buckets",),
    ),
    _one("bfloat16 truncated", ROUNDING, "(b + 0x7FFFu + ((b >> 16) & 1u)) >> 16", "b >> 16", "buckets"),
    _one(
        "bfloat16 ties away from zero",
        ROUNDING,
        "(b + 0x7FFFu + ((b >> 16) & 1u)) >> 16",
        "(b + 0x8000u) >> 16",
        "exhaustive converters",
    ),
    _one(
        "std 2e-4 too large",
        LAW,
        "set_normal(law.mean, law.std, 1.0, plan); const double limit",
        "set_normal(law.mean, law.std * 1.0002, 1.0, plan); const double limit",
        "mean and variance",
    ),
    _one(
        "mean 2e-4 too large",
        LAW,
        "set_normal(law.mean, law.std, 1.0, plan); const double limit",
        "set_normal(law.mean + 2e-4, law.std, 1.0, plan); const double limit",
        "mean and variance",
    ),
    _one(
        "truncated by clamping",
        LAW,
        "const NormalMass mass = normal_mass(b.beta);",
        "NormalMass mass = normal_mass(b.beta); mass.inside = {1.0, 0.0}; mass.outside = {0.0, 0.0};",
        "buckets",
    ),
    _one(
        "sign of the word beside",
        LAWS,
        _NORMAL_VALUE,
        "v[i] = fused(g[i], multiply(from_signed(operator_or(words[(i + 1) % kVectors], one)), k), mean);",
        "distribution",
    ),
    _one(
        "sign bit taken from the word before",
        LANES,
        "out[1] = {{high_xor(p0, c3, key1), low(p0)}};",
        "out[1] = {{high_xor(p0, c3, key1), (low(p0) & 0x7FFFFFFFu) | (low(p1) & 0x80000000u)}};",
        "moments",
    ),
    _one(
        "multiplications and additions not fused",
        ROUNDING,
        "inline float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }",
        "inline float fma(float a, float b, float c) { return a * b + c; }",
        "golden bits",
    ),
    _one(
        "the caller's rounding mode used",
        "kernel/environment.hpp",
        "_mm_setcsr(0x1F80); }",
        "}",
        "bit matrix",
    ),
    _one(
        "subnormal numbers flushed to zero",
        "kernel/environment.hpp",
        "_mm_setcsr(0x1F80); }",
        "_mm_setcsr(0x1F80 | 0x8040); }",
        "golden bits",
    ),
    _one(
        "the caller's environment not put back",
        "kernel/environment.hpp",
        "~Environment() { _mm_setcsr(saved_); }",
        "~Environment() { _mm_setcsr(0x1F80); }",
        "bit matrix",
    ),
    _one(
        "upper end of a uniform included",
        LAW,
        "const double high = largest_below(plan->dtype, law.high);",
        "const double high = largest_at_most(plan->dtype, law.high);",
        "exhaustive bounds",
    ),
    _one(
        "the quantile's table one row off",
        "kernel/quantile_window.hpp",
        "kWindowFirst = kUnitExponent - 15;",
        "kWindowFirst = kUnitExponent - 16;",
        "exhaustive accuracy",
    ),
)
