"""The sampling tests themselves: which samples, how large, and which figures each must show.

It must not know how values are counted, nor where results are written.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy import special

from proof.result_file import Record
from proof.statistic import (
    FIXED_ALPHA,
    NIGHTLY_ALPHA,
    NIGHTLY_SUSPICION,
    Statistic,
    anderson,
    bonferroni,
    chi_square,
    kolmogorov,
    poisson,
    uniformity,
    z_statistic,
)

from .code_law import SampledLaw, code_probabilities, normal, truncated, uniform
from .counter import ORDERS, STRIDES, TAIL_SIGMAS, Counter, Place

CODE_LAWS = (normal(1.0), normal(0.02), uniform(-0.05, 0.05), uniform(0.0, 1.0), truncated(1.0, 2.0))
NARROW = ("bfloat16", "float16", "float8_e4m3fn", "float8_e5m2")
STREAMS = 1024


@dataclass(frozen=True)
class Battery:
    """One test: its sample's size in the long form, and its statistics of a sample."""

    name: str
    law: str
    dtype: str
    count: int
    judge: Callable[[Counter, int, int], list[Statistic]]


def code_battery(law: SampledLaw, dtype: str) -> Battery:
    """Compare the counts of all codes of a narrow dtype with their exact probabilities."""

    def judge(counter: Counter, seed: int, count: int) -> list[Statistic]:
        found = counter.codes(law.spelling, dtype, Place(seed), count)
        codes, probability = code_probabilities(law, dtype)
        stray = int(found.sum()) - int(found[codes].sum())
        other = Statistic("codes that can't be", stray, float(stray == 0), 1.0)
        return [chi_square("chi-square", found[codes], probability * count), other]

    return Battery("exact buckets", law.spelling, dtype, 10**9, judge)


def distribution_battery(dtype: str) -> Battery:
    """Kolmogorov-Smirnov, Anderson-Darling, and neighbours in twos and threes."""

    def judge(counter: Counter, seed: int, count: int) -> list[Statistic]:
        single, pairs, triples = counter.cells(dtype, Place(seed), count)
        statistics = [kolmogorov("Kolmogorov-Smirnov", single), anderson("Anderson-Darling", single)]
        # So few cells that each expects a hundred, and holds thousands of float32; powers of two.
        finest = 1 << 12 if dtype == "float32" else len(single)
        wide = max(len(single) // finest, 2 ** max(0, math.ceil(math.log2(100 * len(single) / count))))
        cells = single.reshape(-1, min(wide, len(single) // 2)).sum(axis=1)
        for name, found in (("cells", cells), ("pairs", pairs), ("triples", triples)):
            expected = np.full(len(found), int(found.sum()) / len(found))
            statistics.append(chi_square(name, found, expected))
        return statistics

    return Battery("distribution", "normal:0:1", dtype, 10**9, judge)


def moment_battery(dtype: str) -> Battery:
    """Products of up to eight values at each stride, against the normal's moments."""

    def judge(counter: Counter, seed: int, count: int) -> list[Statistic]:
        sums = counter.moments(dtype, Place(seed), count)
        statistics = []
        for row, stride in zip(sums, STRIDES, strict=True):
            for order, total in enumerate(row, start=1):
                mean = _normal_moment(order) if stride == 0 else 0.0
                variance = _normal_moment(2 * order) - mean**2 if stride == 0 else 1.0
                z = (float(total) - mean * count) / math.sqrt(variance * count)
                statistics.append(z_statistic(f"order {order} at stride {stride}", z))
        return statistics

    return Battery(f"moments 1 to {ORDERS} at {len(STRIDES)} strides", "normal:0:1", dtype, 10**9, judge)


def _normal_moment(order: int) -> float:
    return 0.0 if order % 2 else float(special.factorial2(order - 1))


def scale_battery(dtype: str) -> Battery:
    """Mean and variance alone, on more values than the other moments get."""

    def judge(counter: Counter, seed: int, count: int) -> list[Statistic]:
        total, square = counter.squares(dtype, Place(seed), count)
        return [
            z_statistic("mean", float(total) / math.sqrt(count)),
            z_statistic("variance", (float(square) - count) / math.sqrt(2.0 * count)),
        ]

    return Battery("mean and variance", "normal:0:1", dtype, 10**10, judge)


def tail_battery(dtype: str, count: int) -> Battery:
    """Counts beyond 4, 5, 6 and 7 sigma on either side, by the exact Poisson law."""

    def judge(counter: Counter, seed: int, count: int) -> list[Statistic]:
        found = counter.tails(dtype, Place(seed), count)
        return [
            poisson(f"{side} {sigma} sigma", int(found[row, column]), count * float(special.ndtr(-sigma)))
            for row, side in enumerate(("below -", "above "))
            for column, sigma in enumerate(TAIL_SIGMAS)
        ]

    return Battery("tails", "normal:0:1", dtype, count, judge)


def neighbour_battery(name: str, places: Callable[[int, int], list[Place]]) -> Battery:
    """Correlation of the values, and of their squares, of streams that people use side by side."""

    def judge(counter: Counter, seed: int, count: int) -> list[Statistic]:
        each = max(1, count // STREAMS)
        sums, excess = counter.neighbours(places(seed, each), each)
        scale = math.sqrt(each)
        statistics = [
            z_statistic(f"{what} of {row} and {row + 1}", float(value) / scale)
            for row, pair in enumerate(sums)
            for what, value in zip(("values", "squares"), pair, strict=True)
        ]
        spread = float((sums**2).sum()) / each
        freedom = sums.size
        return [
            *statistics,
            Statistic(
                "all correlations",
                spread,
                float(special.chdtrc(freedom, spread)),
                float(special.chdtr(freedom, spread)),
            ),
            z_statistic("sum of all streams", excess / math.sqrt(2.0 * each)),
            uniformity([statistic.upper for statistic in statistics]),
        ]

    return Battery(name, "normal:0:1", "float32", STREAMS << 24, judge)


def _adjacent_seeds(seed: int, each: int) -> list[Place]:
    return [Place(seed + i) for i in range(STREAMS)]


def _adjacent_keys(seed: int, each: int) -> list[Place]:
    return [Place(seed, i) for i in range(STREAMS)]


def _string_keys(seed: int, each: int) -> list[Place]:
    names = [f"model.layers.{i}.self_attn.q_proj.weight" for i in range(STREAMS)]
    digests = [hashlib.blake2b(name.encode(), digest_size=8).digest() for name in names]
    return [Place(seed, int.from_bytes(digest, "little")) for digest in digests]


def _shards(seed: int, each: int) -> list[Place]:
    return [Place(seed, 1, i * each) for i in range(STREAMS)]


def _far_shards(seed: int, each: int) -> list[Place]:
    return [Place(seed, 2, i << 34) for i in range(STREAMS)]


def avalanche_battery() -> Battery:
    """One bit of seed, stream or block number changes half of the block's bits, all equally often."""

    def judge(counter: Counter, seed: int, count: int) -> list[Statistic]:
        found = counter.avalanche(seed, count).astype(float)
        z = (found - count / 2.0) / math.sqrt(count / 4.0)
        spread = float((z**2).sum())
        worst = float(z.ravel()[np.abs(z).argmax()])
        once = z_statistic("worst", worst)
        # The sum over the output bits: whether a bit of the input changes too many or too few.
        inputs = [z_statistic(f"input bit {i}", float(row.sum()) / math.sqrt(128)) for i, row in enumerate(z)]
        return [
            Statistic(
                "worst of all pairs of bits",
                worst,
                min(1.0, once.upper * z.size),
                min(1.0, once.lower * z.size),
            ),
            Statistic(
                "all pairs of bits",
                spread,
                float(special.chdtrc(z.size, spread)),
                float(special.chdtr(z.size, spread)),
            ),
            *inputs,
        ]

    return Battery("avalanche", "words", "", 10**6, judge)


def batteries() -> dict[str, list[Battery]]:
    """Return all batteries by the name of the result file that they go to."""
    return {
        "buckets": [code_battery(law, dtype) for law in CODE_LAWS for dtype in NARROW],
        "distribution": [distribution_battery(dtype) for dtype in ("float32", "float64")],
        "moments": [
            *(moment_battery(dtype) for dtype in ("float32", "float64")),
            scale_battery("float32"),
        ],
        "tails": [tail_battery("float32", 10**10), tail_battery("float64", 10**9)],
        "streams": [
            neighbour_battery("1024 adjacent seeds", _adjacent_seeds),
            neighbour_battery("1024 adjacent keys", _adjacent_keys),
            neighbour_battery("1024 names as keys", _string_keys),
            neighbour_battery("1024 shards in a row", _shards),
            neighbour_battery("1024 shards far apart", _far_shards),
            avalanche_battery(),
        ],
    }


def _seed_of(name: str, base: int) -> int:
    # Every battery has its own samples; 32 bits, so that 1024 seeds in a row stay in range.
    return int.from_bytes(hashlib.sha256(f"{base} {name}".encode()).digest()[:4], "little")


def records(
    counter: Counter, chosen: list[Battery], scale: float, base: int, *, nightly: bool
) -> Iterator[Record]:
    """Run batteries, two at a time, at a share of their long form; `base` chooses their seeds."""
    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(lambda battery: record(counter, battery, scale, base, nightly=nightly), chosen)


def record(counter: Counter, battery: Battery, scale: float, base: int, *, nightly: bool) -> Record:
    """Run one battery."""
    start = time.monotonic()
    count = max(1000, int(battery.count * scale))
    label = f"{battery.name} {battery.law} {battery.dtype}"
    statistics = battery.judge(counter, _seed_of(label, base), count)
    p = bonferroni(statistics)
    inputs, again = count, None
    is_bad = p < (NIGHTLY_ALPHA if nightly else FIXED_ALPHA)
    if nightly and not is_bad and p < NIGHTLY_SUSPICION:
        again = bonferroni(battery.judge(counter, _seed_of(label, base + 1), 10 * count))
        inputs += 10 * count
        is_bad = again < NIGHTLY_SUSPICION
    worst = min(statistics, key=lambda statistic: statistic.p)
    return {
        "check": battery.name,
        "law": battery.law,
        "dtype": battery.dtype,
        "inputs": inputs,
        "statistics": len(statistics),
        "p": p,
        "p_again": again,
        "most_extreme": {"name": worst.name, "value": worst.value, "p": worst.p},
        "p_values": [statistic.upper for statistic in statistics] if len(statistics) <= 200 else [],
        "seconds": round(time.monotonic() - start, 1),
        "checks": [battery.name],
        "failed": {battery.name: {"p": p, "worst": worst.name}} if is_bad else {},
        "said": f"p = {p:.2g} of {len(statistics)} statistics, {worst.name} = {worst.value:.6g}",
    }
