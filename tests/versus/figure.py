"""The figures that every library's samples are asked for: buckets, tails, bounds, invariance.

It must not know the libraries. A figure is what was counted, beside what a faultless sample would give.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from exhaustive.code_probability import FORMATS
from proof.statistic import chi_square, poisson
from stats.code_law import SampledLaw, code_probabilities, normal, truncated, uniform

from .library import SEED, Draw, Library

Figure = dict[str, Any]
LAWS = {"normal": normal(1.0), "truncated": truncated(1.0, 2.0), "uniform": uniform(0.0, 1.0)}
ALPHA = 1e-9  # beyond which a sample is said not to be of the law


def _draws(library: Library) -> dict[str, Draw]:
    pairs = {"normal": library.normal, "truncated": library.truncated, "uniform": library.uniform}
    return {name: draw for name, draw in pairs.items() if draw is not None}


def _values(codes: np.ndarray, dtype: str) -> np.ndarray:
    if dtype == "float32":
        return codes
    return (
        (codes.astype(np.uint32) << 16).view(np.float32)
        if dtype == "bfloat16"
        else codes.view(np.float16).astype(np.float32)
    )


def bucket_figure(draw: Draw, law: SampledLaw, dtype: str, count: int) -> Figure:
    """Compare every code's count with its exact probability."""
    codes = np.bincount(draw(dtype, count, SEED), minlength=1 << 16)
    order, probability = code_probabilities(law, dtype)
    # -0 and 0 are one value to a user, and not every library draws the one with the sign.
    found, expected = codes[order].astype(float), probability * count
    zeros = np.flatnonzero((order == 0) | (order == FORMATS[dtype].sign_bit))
    if len(zeros) == 2:
        found[zeros[1]] += found[zeros[0]]
        expected[zeros[1]] += expected[zeros[0]]
        found, expected = np.delete(found, zeros[0]), np.delete(expected, zeros[0])
    statistic = chi_square("", found, expected)
    likely = expected >= 20.0
    impossible = count - int(codes[order].sum())
    if law.low >= 0.0:
        impossible -= int(codes[FORMATS[dtype].sign_bit])
    return {
        "chi_square": statistic.value,
        "cells": int(statistic.name.split()[1]) if statistic.name.split()[0] == "on" else 0,
        "p": statistic.p,
        "distance": float(np.abs(found - expected).sum() / (2 * count)) if count else 0.0,
        "distance_by_chance": float(np.sqrt(expected * 2 / math.pi).sum() / (2 * count)),
        "values_that_should_come": int(likely.sum()),
        "values_that_came": int((found[likely] > 0).sum()),
        "outside": impossible,
        "ok": statistic.p > ALPHA and impossible == 0,
    }


def tail_figure(draw: Draw, dtype: str, count: int) -> Figure:
    """How far the sample reaches, and how many lie beyond 4 sigma."""
    magnitude = np.abs(_values(draw(dtype, count, SEED + 1), dtype).astype(np.float64))
    # The second value of the dtype above 4 takes what lies beyond one step and a half.
    step = {"bfloat16": 2.0**-5, "float16": 2.0**-8, "float32": 2.0**-21}[dtype]
    found = int((magnitude >= 4.0 + 2.0 * step).sum())
    mean = 2.0 * count * float(special.ndtr(-(4.0 + 1.5 * step)))
    statistic = poisson("", found, mean)
    return {
        "largest": float(magnitude.max()),
        "expected_largest": float(-special.ndtri(0.5 / count)),
        "beyond_4": found,
        "expected_beyond_4": mean,
        "p": statistic.p,
        "not_finite": int((~np.isfinite(magnitude)).sum()),
        "ok": statistic.p > ALPHA,
    }


def moment_figure(draw: Draw, dtype: str, count: int) -> Figure:
    """Mean and standard deviation, in standard errors from what they should be."""
    values = _values(draw(dtype, count, SEED + 2), dtype).astype(np.float64)
    z = float(values.mean()) * math.sqrt(count)
    spread = float((values**2).mean() - 1.0) * math.sqrt(count / 2.0)
    return {
        "mean": float(values.mean()),
        "std": float(values.std()),
        "mean_z": z,
        "variance_z": spread,
        "ok": abs(z) < 6.0 and abs(spread) < 6.0,
    }


def bound_figure(draw: Draw, law: str, dtype: str, count: int) -> Figure:
    """How many values lie outside the bounds, and how many on them."""
    values = _values(draw(dtype, count, SEED + 3), dtype).astype(np.float64)
    low, high = (-2.0, 2.0) if law == "truncated" else (0.0, 1.0)
    outside = int(((values < low) | (values > high) | ~np.isfinite(values)).sum())
    on_high, on_low = int((values == high).sum()), int((values == low).sum())
    expected = 0.0
    if law == "truncated" and dtype != "float32":
        _, probability = code_probabilities(LAWS["truncated"], dtype)
        expected = float(probability[-1]) * count
    # A uniform's upper end is not part of it. A truncated normal's bounds come as often as their buckets say,
    # or never, where a library's interval is open by its own manual.
    is_right = on_high == 0 or (
        law == "truncated" and (dtype == "float32" or poisson("", on_high, expected).p > ALPHA)
    )
    return {
        "outside": outside,
        "on_upper": on_high,
        "on_lower": on_low,
        "expected_on_upper": expected,
        "ok": outside == 0 and is_right,
    }


def last_bit_figure(draw: Draw, count: int) -> Figure:
    """How often the last bit of a float32 uniform in [1/2, 1) is set; half of them would be even."""
    values = draw("float32", count, SEED + 4)
    upper = (values[(values >= 0.5) & (values < 1.0)] * np.float32(2.0**24)).astype(np.int64)
    share = float((upper & 1).mean())
    z = (share - 0.5) * 2.0 * math.sqrt(len(upper))
    return {
        "share": share,
        "smallest": float(values[values > 0].min()),
        "zeros": int((values == 0).sum()),
        "expected_zeros": count * 2.0**-32,
        "ok": abs(z) < 6.0,
    }


def invariance_figure(draw: Draw, library: Library) -> Figure:
    """Whether a value stays the same in a longer tensor, with other threads, and in a narrower dtype."""
    dtype = library.dtypes[0]
    longest = draw("float32", 100_003, SEED)
    lengths = [1, 5, 15, 16, 17, 100, 1000, 65_537, 100_000]
    prefix = [n for n in lengths if draw("float32", n, SEED).tobytes() != longest[:n].tobytes()]
    threads = None
    if library.set_threads is not None:
        drawn = []
        for count in (1, 2, 3):
            library.set_threads(count)
            drawn.append(draw("float32", 1 << 20, SEED).tobytes())
        library.set_threads(2)
        threads = len(set(drawn)) == 1
    rounded = None
    if dtype == "bfloat16":
        bits = longest.view(np.uint32)
        expected = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
        found = draw("bfloat16", len(longest), SEED)
        # A uniform on [0, 1) may not round up to 1: the largest value below is right there too.
        is_at_end = (expected == 0x3F80) & (found == 0x3F7F)
        rounded = float(((found == expected) | is_at_end).mean())
    return {
        "other_lengths_differ": prefix,
        "same_with_threads": threads,
        "bfloat16_is_rounded_float32": rounded,
        "ok": not prefix and threads is not False and rounded in (None, 1.0),
    }


def figures(library: Library, count: int) -> dict[str, Figure]:
    """Return every figure of a library by name."""
    found: dict[str, Figure] = {}
    draws = _draws(library)
    for dtype in library.dtypes:
        if dtype != "float32":
            for law, draw in draws.items():
                found[f"buckets {law} {dtype}"] = bucket_figure(draw, LAWS[law], dtype, count)
        found[f"tails normal {dtype}"] = tail_figure(library.normal, dtype, count)
        found[f"moments normal {dtype}"] = moment_figure(library.normal, dtype, count)
        for law in draws.keys() - {"normal"}:
            found[f"bounds {law} {dtype}"] = bound_figure(draws[law], law, dtype, count)
    found["last bit of uniforms"] = last_bit_figure(library.uniform, count)
    for law, draw in draws.items():
        found[f"invariance {law}"] = invariance_figure(draw, library)
    return found
