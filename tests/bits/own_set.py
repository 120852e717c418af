"""Tests of 32-bit words: balance, birthday spacings, collisions, gaps, ranks, linear complexity.

It must not know where the words come from.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import special

from proof.statistic import Statistic, chi_square, poisson, z_statistic

Words = np.ndarray


def balance(words: Words) -> list[Statistic]:
    """How often each bit is set, and how often it differs from the one beside it and from the next word's."""
    n = len(words)
    statistics = []
    for name, bits in (("set", words), ("beside", words ^ (words >> 1)), ("next", words[1:] ^ words[:-1])):
        ones = _ones(bits)[: 31 if name == "beside" else 32]
        for bit, z in enumerate((ones - len(bits) / 2) / math.sqrt(len(bits) / 4)):
            statistics.append(z_statistic(f"bit {bit} {name}", float(z)))
    # Bits k and 31 - k of each word among the pairs above would be tested twice; bytes see the rest.
    counts = np.bincount(words.view(np.uint8), minlength=256)
    statistics.append(chi_square("bytes", counts, np.full(256, 4 * n / 256)))
    return statistics


def _ones(words: Words) -> np.ndarray:
    """How often each of the 32 bits is set, the lowest first."""
    bits_of = (np.arange(1 << 16)[:, None] >> np.arange(16)) & 1
    halves = [words & np.uint32(0xFFFF), words >> np.uint32(16)]
    return np.concatenate([np.bincount(half, minlength=1 << 16) @ bits_of for half in halves])


def birthday_spacings(words: Words) -> list[Statistic]:
    """Equal spacings of 4096 birthdays among 2^32 days: Poisson, 4096^3 / 2^34 = 4 (Marsaglia)."""
    birthdays, days = 4096, 2.0**32
    years = len(words) // birthdays
    table = np.sort(words[: years * birthdays].reshape(years, birthdays), axis=1)
    spacings = np.sort(np.diff(table, axis=1), axis=1)
    equal = int((np.diff(spacings, axis=1) == 0).sum())
    return [poisson("equal spacings", equal, years * birthdays**3 / (4.0 * days))]


def collisions(words: Words) -> list[Statistic]:
    """Balls in urns: words that fall together in their upper, their lower and all their bits."""
    statistics = []
    n = len(words)
    for name, urn_bits, shift in (("upper", 24, 8), ("lower", 24, 0), ("all", 32, 0)):
        urns = 2.0**urn_bits
        part = (words >> np.uint32(shift)) & np.uint32(2**urn_bits - 1)
        found = n - _distinct(part, urn_bits)
        # Occupied urns: exact mean and variance of the classical occupancy.
        empty = math.exp(n * math.log1p(-1.0 / urns))
        both = math.exp(n * math.log1p(-2.0 / urns))
        mean = n - urns * -math.expm1(n * math.log1p(-1.0 / urns))
        variance = urns * (urns - 1.0) * both + urns * empty - (urns * empty) ** 2
        if mean < 1000.0:
            statistics.append(poisson(f"collisions of {name} bits", found, mean))
        else:
            statistics.append(z_statistic(f"collisions of {name} bits", (found - mean) / math.sqrt(variance)))
    return statistics


def _distinct(part: Words, bits: int) -> int:
    if bits > 24:
        ordered = np.sort(part)
        return 1 + int((ordered[1:] != ordered[:-1]).sum())
    came = np.zeros(1 << bits, bool)
    came[part] = True
    return int(came.sum())


def gaps(words: Words) -> list[Statistic]:
    """Lengths of the stretches between words whose upper, and whose lower, four bits are zero."""
    statistics = []
    for name, part in (("upper", words >> np.uint32(28)), ("lower", words & np.uint32(15))):
        lengths = np.diff(np.flatnonzero(part == 0)) - 1
        longest = 160
        counts = np.bincount(np.minimum(lengths, longest), minlength=longest + 1)
        p, q = 1 / 16, 15 / 16
        expected = np.append(p * q ** np.arange(longest), q**longest) * len(lengths)
        statistics.append(chi_square(f"gaps of {name} bits", counts, expected))
    return statistics


def ranks(words: Words) -> list[Statistic]:
    """Ranks over GF(2) of 32 x 32 matrices whose rows are words."""
    count = len(words) // 32
    rows = words[: count * 32].reshape(count, 32).copy()
    rank = np.zeros(count, np.int64)
    used = np.zeros((count, 32), bool)
    every = np.arange(count)
    for bit in range(32):
        has = ((rows >> np.uint32(bit)) & np.uint32(1)).astype(bool)
        free = has & ~used
        pivot = free.argmax(axis=1)
        found = free.any(axis=1)
        rank += found
        used[every[found], pivot[found]] = True
        line = np.where(found, rows[every, pivot], np.uint32(0)).astype(np.uint32)
        has[every, pivot] = False
        rows ^= np.where(has, line[:, None], np.uint32(0)).astype(np.uint32)
    full = np.prod(1.0 - 0.5 ** np.arange(1, 33))
    # Probability of rank 32 - k: product formula (Kovalenko, 1972).
    chances = [_rank_probability(32 - deficit, full) for deficit in range(3)]
    expected = np.array([*chances, 1.0 - sum(chances)]) * count
    counts = np.array([(rank == 32).sum(), (rank == 31).sum(), (rank == 30).sum(), (rank < 30).sum()])
    return [chi_square("ranks", counts, expected)]


def _rank_probability(rank: int, full: float) -> float:
    value = 2.0 ** (rank * (64 - rank) - 1024)
    for i in range(rank):
        value *= (1.0 - 2.0 ** (i - 32)) ** 2 / (1.0 - 2.0 ** (i - rank))
    return value


def linear_complexity(words: Words) -> list[Statistic]:
    """Lengths of the shortest shift registers of 1000 bits, one of each word (Berlekamp, Massey)."""
    length, sequences = 1000, min(len(words) // 1000, 400)
    statistics = []
    for bit in (0, 31):
        bits = ((words >> np.uint32(bit)) & np.uint32(1))[: sequences * length].reshape(sequences, length)
        found = np.array([_register_length(row) for row in bits])
        # T = (L - mean) + 2/9, even length: classes as NIST SP 800-22 has them.
        t = found - (length / 2 + 4 / 18)
        classes = np.digitize(t, [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])
        chances = np.array([1 / 96, 1 / 32, 1 / 8, 1 / 2, 1 / 4, 1 / 16, 1 / 48])
        counts = np.bincount(classes, minlength=7)
        statistics.append(chi_square(f"registers of bit {bit}", counts, chances * sequences, least=3.0))
    return statistics


def _register_length(bits: np.ndarray) -> int:
    # Polynomials as Python integers: the discrepancy is the parity of an and.
    connection, before, length, since, history = 1, 1, 0, 1, 0
    for n, bit in enumerate(bits.tolist()):
        history = (history << 1) | bit
        if (connection & history).bit_count() & 1:
            old = connection
            connection ^= before << since
            if 2 * length <= n:
                length, before, since = n + 1 - length, old, 1
                continue
        since += 1
    return length


def runs_of_ones(words: Words) -> list[Statistic]:
    """How many bits each word has set, and serial correlation of that."""
    weight = np.bitwise_count(words).astype(np.int64)
    expected = special.binom(32, np.arange(33)) / 2.0**32 * len(words)
    counts = np.bincount(weight, minlength=33)
    centred = (weight - 16) / math.sqrt(8.0)
    statistics = [chi_square("weights", counts, expected)]
    for lag in (1, 2, 3, 4, 1024):
        z = float((centred[lag:] * centred[:-lag]).sum()) / math.sqrt(len(words) - lag)
        statistics.append(z_statistic(f"weights {lag} apart", z))
    return statistics


TESTS: dict[str, Callable[[Words], list[Statistic]]] = {
    test.__name__: test
    for test in (balance, runs_of_ones, birthday_spacings, collisions, gaps, ranks, linear_complexity)
}
