"""Knows what value each word gives under each law: sections 3 to 7 of docs/contract.md, in their order.

It must not know where words come from. Numbers written in float64 there are Python floats here.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import probability
from .elementary import inverse_softplus, log2_parts, logarithm, power_of_two
from .fma import fma
from .philox import TAILS, wide_words, words
from .quantile import far_quantile, quantile
from .rounding import FORMATS, encode, largest_at_most, largest_below, smallest_at_least

CONSTANT, UNIFORM, NORMAL, TRUNCATED_NORMAL, LOG_UNIFORM, ARANGE = range(6)
IDENTITY, LOG, INVERSE_SOFTPLUS = range(3)
ABSOLUTE, SIGMA = range(2)
TAIL_INDICES = 2**16


class Law(NamedTuple):
    """A law in the order of the core's tuple."""

    kind: int
    mean: float = 0.0
    std: float = 0.0
    low: float = 0.0
    high: float = 0.0
    unit: int = ABSOLUTE
    correct_variance: bool = False
    map: int = IDENTITY
    floor: float = 0.0
    step: float = 0.0
    period: int = 0


class Words(NamedTuple):
    """Words with their tail words and the number of their bits, 32 or 64."""

    word: NDArray[Any]
    tail: NDArray[Any]
    bits: int


def clamp(x: NDArray[Any], low: float, high: float) -> NDArray[Any]:
    lo, hi = x.dtype.type(low), x.dtype.type(high)
    x = np.where(x > lo, x, lo)
    return np.where(x < hi, x, hi)


def refined(index: NDArray[Any], tail: NDArray[Any]) -> NDArray[np.int64]:
    """Twice (index * 2^32 + tail), plus 1."""
    return (index.astype(np.int64) << 33) + (tail.astype(np.int64) << 1) + 1


def centred(w: Words) -> tuple[NDArray[Any], NDArray[Any]]:
    """S and n of section 3, exactly, in 64-bit integers."""
    if w.bits == 32:
        s = (w.word | np.uint32(1)).view(np.int32).astype(np.int64)
        return s, 2**31 - np.abs(s)
    s = (w.word | np.uint64(1)).view(np.int64)
    return s, np.uint64(2**63) - np.abs(s).view(np.uint64)


def kept_within(k: Any, at_end: Any, mean: float, low: float, high: float) -> Any:
    """`k` lowered until n = 1, where P is `at_end`, gives float32 values within the bounds, or four times."""
    low, high = smallest_at_least("float32", low), largest_at_most("float32", high)
    ends = np.array([-(2.0**31), 2.0**31], np.float32)
    for _ in range(4):
        lower, upper = fma(quantile(at_end, 31), ends * k, np.float32(mean)).tolist()
        if low <= lower and upper <= high:
            break
        k = np.nextafter(k, np.float32(0))
    return k


def two_sided(
    w: Words, real: type[Any], mean: float, std: float, mass: tuple[float, float], low: float, high: float
) -> NDArray[Any]:
    """The normal, and the symmetric truncated normal with the masses within and beyond its bound."""
    within, beyond = mass
    scale, is_deep = w.bits - 1, beyond < 2.0**-15
    s, n = centred(w)
    p = n.astype(real)
    if w.bits == 32 and is_deep:
        is_tail = n < TAIL_INDICES
        p[is_tail] = refined((n[is_tail] - 1) // 2, w.tail[is_tail]).astype(real) * real(2.0**-32)
    far, k = real(beyond * 2.0**scale), real(std * within * 2.0**-scale)
    p = fma(p, real(within), far)
    if w.bits == 32 and not is_deep:
        k = kept_within(k, fma(real(1), real(within), far), mean, low, high)
    return fma(quantile(p, scale), s.astype(real) * k, real(mean))


def uniform(w: Words, real: type[Any], law: Law) -> NDArray[Any]:
    a, b = law.low, law.high
    s, _ = centred(w)
    k, m = (b / 2 - a / 2) * 2.0 ** (1 - w.bits), a / 2 + b / 2
    if a == -b:
        return s.astype(real) * real(k)
    if w.bits == 32:
        return fma(s.astype(np.float64), k, m).astype(np.float32)
    lower = s & 0xFFFFFFFF
    upper = (s - lower).astype(np.float64)
    p = upper * k
    t = p + m
    d = t - p
    error = (p - (t - d)) + (m - d)
    return t + (error + fma(lower.astype(np.float64), k, fma(upper, k, -p)))


class Side(NamedTuple):
    """One side of zero: which words, |z| from near to far, and the numbers of section 5."""

    sign: float
    chosen: NDArray[np.bool_]
    j: NDArray[Any]
    mu: NDArray[Any]
    near: float
    x_near: float
    p_far: float
    h: float

    @property
    def is_deep(self) -> bool:
        return self.p_far < TAIL_INDICES * self.h


def side(sign: float, w: Words, chosen: Any, j: Any, mu: Any, count: int, near: float, far: float) -> Side:
    mass, beyond = probability.between(near, far), probability.outside(far)
    if near > 12:  # in shares of p(near)
        unit = probability.outside(near)
        h, p_far = probability.ratio(mass, unit) / float(count), probability.ratio(beyond, unit)
    else:
        h, p_far = float(mass) / float(count), float(beyond)
    return Side(sign, chosen, j[chosen], mu[chosen], near, float(probability.inside(near)), p_far, h)


def threshold(alpha: float, beta: float, bits: int) -> int:
    """T: how many words, the first in order of b, are negative."""
    total = 2**bits
    if not alpha < 0 < beta:
        return total if alpha < 0 else 0
    words = probability.share(probability.inside(-alpha), probability.inside(beta)) * total
    return math.floor(words + 0.5) if words < 2**52 else int(words)


def sides_of(w: Words, alpha: float, beta: float) -> list[Side]:
    total, t, wrap = 2**w.bits, threshold(alpha, beta, w.bits), w.word.dtype.type
    b = w.word ^ wrap(total // 2)
    is_negative = b < wrap(t) if t < total else np.ones(b.shape, bool)
    sides = []
    if t > 0:
        sides.append(side(-1.0, w, is_negative, wrap(t - 1) - b, b, t, max(0.0, -beta), -alpha))
    if t < total:
        sides.append(side(1.0, w, ~is_negative, b - wrap(t), ~b, total - t, max(0.0, alpha), beta))
    return sides


def fits_float32(sides: list[Side], mean: float, std: float, low: float, high: float) -> bool:
    near = max(one.near for one in sides)
    is_fine = abs(mean) + std * (near + 1) <= 4 * min(high - low, std / max(near, 1.0))
    return is_fine and all(abs(float(np.float32(std * one.h))) >= 2.0**-126 for one in sides)


def narrow_side(one: Side, tail: NDArray[Any], mean: float, std: float) -> NDArray[Any]:
    """One side's values in float32 arithmetic."""
    f32 = np.float32
    step, std = f32(one.h * 2.0**31), one.sign * std
    p = fma(one.mu.astype(f32), step, f32((one.p_far + one.h * 0.5) * 2.0**31))
    if one.is_deep:
        is_tail = one.mu < TAIL_INDICES
        m = refined(one.mu, tail).astype(f32) * f32(2.0**-33)
        p = np.where(is_tail, fma(m, step, f32(one.p_far * 2.0**31)), p)
    s = fma(one.j.astype(f32), f32(std * one.h), f32(std * (one.x_near + one.h * 0.5)))
    return fma(quantile(p, 31), s, f32(mean))


def wide_side(one: Side, bits: int, tail: NDArray[Any], mean: float, std: float) -> NDArray[np.float64]:
    """One side's values in float64 arithmetic."""
    m = one.mu.astype(np.float64) + 0.5
    if bits == 32 and one.is_deep:
        m = np.where(one.mu < TAIL_INDICES, refined(one.mu, tail).astype(np.float64) * 2.0**-33, m)
    p = fma(m, one.h, one.p_far)
    if one.near > 12:
        return fma(far_quantile(one.near, p), one.sign * std, mean)
    x = fma(one.j.astype(np.float64) + 0.5, one.h, one.x_near)
    return fma(quantile(p, 0), x * (one.sign * std), mean)


class Bounds(NamedTuple):
    """The bounds in sigmas and in values, and std after the correction."""

    alpha: float
    beta: float
    low: float
    high: float
    std: float


def bounds_of(law: Law) -> Bounds:
    mean, std, low, high = law.mean, law.std, law.low, law.high
    if law.unit == ABSOLUTE:
        return Bounds((low - mean) / std, (high - mean) / std, low, high, std)
    if law.correct_variance:
        std = std / probability.truncated_std(high)

    def value(bound: float) -> float:
        return bound if math.isinf(bound) else float(fma(*np.float64([bound, std, mean]))[0])

    return Bounds(low, high, value(low), value(high), std)


def truncated(w: Words, real: type[Any], mean: float, bounds: Bounds) -> NDArray[Any]:
    """The values before the clamp."""
    alpha, beta, low, high, std = bounds
    if alpha == -beta:
        mass = float(probability.inside(beta)), float(probability.outside(beta))
        return two_sided(w, real, mean, std, mass, low, high)
    sides = sides_of(w, alpha, beta)
    is_narrow = real is np.float32 and sides[0].near <= 12 and fits_float32(sides, mean, std, low, high)
    values = np.empty(w.word.shape, np.float32 if is_narrow else np.float64)
    for one in sides:
        tail = w.tail[one.chosen]
        if is_narrow:
            values[one.chosen] = narrow_side(one, tail, mean, std)
        else:
            values[one.chosen] = wide_side(one, w.bits, tail, mean, std)
    return values.astype(real)


def mapped(law: Law, x: NDArray[np.float64]) -> NDArray[np.float64]:
    return {IDENTITY: lambda v: v, LOG: logarithm, INVERSE_SOFTPLUS: inverse_softplus}[law.map](x)


def log_uniform_interval(law: Law) -> NDArray[np.float64]:
    """The bounds before the map."""
    return np.array([max(law.low, law.floor), law.high])


def log_uniform(w: Words, law: Law) -> NDArray[np.float64]:
    (middle, middle_rest), (half, half_rest) = log2_parts(law.low, law.high)
    s, _ = centred(w)
    t = s.astype(np.float64) * 2.0 ** (1 - w.bits)
    p = t * half
    e = p + middle
    part = e - p
    error = (p - (e - part)) + (middle - part)
    rest = error + (fma(t, half, -p) + fma(t, half_rest, middle_rest))
    return mapped(law, clamp(power_of_two(e, rest), *log_uniform_interval(law)))


def arange(w: Words, law: Law) -> NDArray[np.float64]:
    """The values at indices instead of words."""
    return mapped(law, fma((w.word % w.word.dtype.type(law.period)).astype(np.float64), law.step, law.low))


def transform(law: Law, dtype: str, word: NDArray[Any], tail: NDArray[Any]) -> NDArray[Any]:
    """The codes that words give: of float64, 64-bit words; else 32-bit words with their tail words.

    An arange takes indices for words.
    """
    form = FORMATS[dtype]
    real, limit = form.arithmetic, form.limit
    w = Words(word, tail, 64 if form.bits == 64 else 32)
    if law.kind == CONSTANT or (law.kind in (NORMAL, TRUNCATED_NORMAL) and law.std == 0):
        return encode(np.full(word.shape, law.mean, np.float64).astype(real), dtype)
    if law.kind == UNIFORM:
        high = largest_below(dtype, law.high)
        low = -high if law.low == -law.high else smallest_at_least(dtype, law.low)
        values = uniform(w, real, law)
    elif law.kind == NORMAL:
        low, high = -limit, limit
        values = two_sided(w, real, law.mean, law.std, (1.0, 0.0), low, high)
    elif law.kind == LOG_UNIFORM:
        ends = mapped(law, log_uniform_interval(law)).tolist()
        low, high = smallest_at_least(dtype, ends[0]), largest_at_most(dtype, ends[1])
        values = log_uniform(w, law).astype(real)
    elif law.kind == ARANGE:
        low, high, values = -limit, limit, arange(w, law).astype(real)
    else:
        bounds = bounds_of(law)
        values = truncated(w, real, law.mean, bounds)
        low = smallest_at_least(dtype, max(bounds.low, -limit))
        high = largest_at_most(dtype, min(bounds.high, limit))
    return encode(clamp(values, low, high), dtype)


def fill(law: Law, dtype: str, seed: int, stream: int, index: Any) -> NDArray[Any]:
    """The codes of the elements at these row-major indices of the global tensor."""
    if law.kind == ARANGE:
        places = (np.asarray(index) % np.uint64(law.period)).astype(FORMATS[dtype].word)
        return transform(law, dtype, places, places)
    if FORMATS[dtype].bits == 64:
        word = wide_words(seed, stream, index)
        return transform(law, dtype, word, np.zeros_like(word))
    return transform(law, dtype, words(seed, stream, index), words(seed, stream, index, TAILS))
