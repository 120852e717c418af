"""Words to values: every law, dtype and instruction set gives the oracle's bits."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import fanfill as ff
from oracle import cases, core, known_values
from oracle import law as contract
from oracle.law import ABSOLUTE, NORMAL, SIGMA, Law
from oracle.rounding import FORMATS, decode

DTYPES = list(FORMATS)
DRAWN = [(name, dtype) for name in cases.LAWS for dtype in DTYPES if (name, dtype) not in cases.REFUSED]


def assert_same_codes(law: Law, dtype: str, count: int, seed: int) -> None:
    word, tail = cases.words_and_tails(law, dtype, count, seed)
    expected = contract.transform(law, dtype, word, tail)
    for isa in core.ISAS:
        found = core.transform(isa, law, dtype, word, tail)
        wrong = np.flatnonzero(found != expected)
        assert not len(wrong), (
            f"{isa} {dtype} {law}: {len(wrong)} of {len(word)} words, such as {word[wrong[0]]:#x} with tail "
            f"{tail[wrong[0]]:#x}: {found[wrong[0]]:#x} instead of {expected[wrong[0]]:#x}"
        )


@pytest.mark.parametrize(("name", "dtype"), DRAWN)
def test_every_isa_gives_the_oracles_bits(name: str, dtype: str) -> None:
    assert_same_codes(cases.LAWS[name], dtype, count=600, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "dtype"), DRAWN)
def test_every_isa_gives_the_oracles_bits_on_many_words(name: str, dtype: str) -> None:
    assert_same_codes(cases.LAWS[name], dtype, count=50_000, seed=2)


@pytest.mark.parametrize(("name", "dtype"), sorted(cases.REFUSED))
def test_an_interval_without_a_value_of_the_dtype_is_refused(name: str, dtype: str) -> None:
    word = np.zeros(1, FORMATS[dtype].word)
    with pytest.raises(ValueError, match="no value of the dtype"):
        core.transform(core.ISAS[0], cases.LAWS[name], dtype, word, word)


def public_law(law: Law) -> ff.Law:
    if law.kind == contract.CONSTANT:
        return ff.Constant(law.mean)
    if law.kind == contract.UNIFORM:
        return ff.Uniform(law.low, law.high)
    if law.kind == NORMAL:
        return ff.Normal(law.mean, law.std)
    if law.kind == contract.LOG_UNIFORM:
        return ff.LogUniform(law.low, law.high, law.floor, law.map == contract.INVERSE_SOFTPLUS)
    if law.kind == contract.ARANGE:
        stop = law.low + law.step * (law.period - 0.5)
        return ff.Arange(law.low, stop, law.step, law.map == contract.LOG)
    unit = "sigma" if law.unit == SIGMA else "absolute"
    bounds = (law.low, law.high)
    return ff.TruncatedNormal(law.mean, law.std, bounds, unit, correct_variance=law.correct_variance)


# The C++ interface takes any map of either law, the Python classes the one that people use.
PUBLIC = [pair for pair in DRAWN if pair[0] not in ("log_uniform_of_log", "arange_of_softplus")]


@pytest.mark.parametrize(("name", "dtype"), PUBLIC)
def test_the_public_fill_gives_the_oracles_bits(name: str, dtype: str) -> None:
    law, seed, stream = cases.LAWS[name], 2**63 + 5, 2**62 + 9
    out = np.zeros(
        700, FORMATS[dtype].arithmetic if dtype in ("float64", "float32") else FORMATS[dtype].unsigned
    )
    ff.fill_(out, public_law(law), seed=seed, key=stream, dtype=dtype)
    expected = contract.fill(law, dtype, seed, stream, np.arange(700, dtype=np.uint64))
    np.testing.assert_array_equal(out.view(expected.dtype), expected)


KNOWN = [
    line.split(maxsplit=2)
    for line in (Path(__file__).parent / "vectors" / "values.txt").read_text().splitlines()
    if not line.startswith("#")
]


@pytest.mark.parametrize(("name", "dtype", "digest"), KNOWN)
def test_known_values(name: str, dtype: str, digest: str) -> None:
    parts = [
        core.fill(cases.LAWS[name], dtype, known_values.SEED, known_values.STREAM, start, count)
        for start, count in ((0, 1000), (2**34 - 500, 1000))
    ]
    assert known_values.digest(np.concatenate(parts)) == digest


def test_every_law_has_known_values() -> None:
    assert [(name, dtype) for name, dtype, _ in KNOWN] == DRAWN


def random_law(rng: np.random.Generator) -> Law:
    """A truncated normal with bounds anywhere that is drawn."""
    mean = float(rng.choice([0.0, rng.normal(), 10 ** rng.uniform(-3, 3)]))
    std = float(10 ** rng.uniform(-6, 3))
    near, width = float(rng.uniform(0, 36)), float(10 ** rng.uniform(-12, 0))
    c = float(10 ** rng.uniform(-4, 1.2))
    a, b = sorted(map(float, rng.normal(0, 3, 2)))
    return [
        cases.truncated(mean, std, -c, c, SIGMA, correct_variance=bool(rng.integers(2))),
        cases.truncated(mean, std, a, b),
        cases.truncated(mean, std, mean + a * std, mean + b * std, ABSOLUTE),
        cases.truncated(mean, std, near, math.inf),
        cases.truncated(mean, std, -math.inf, -near),
        cases.truncated(mean, std, near, near + width),
        cases.truncated(mean, std, -near - width, -near),
        cases.truncated(mean, std, -abs(a), abs(b)),
        cases.truncated(mean, std, -width, abs(b)),
    ][rng.integers(9)]


def assert_random_laws(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    laws = [random_law(rng) for _ in range(count)]
    drawn = 0
    for law in laws:
        for dtype in ("float64", "float32", "float16"):
            refusal = core.refusal(law, dtype)
            # A narrow interval may fall between two values of the dtype; nothing else is refused here.
            assert refusal is None or "no value of the dtype" in refusal
            if refusal is None:
                assert_same_codes(law, dtype, count=30, seed=seed)
                drawn += 1
    assert drawn > 2 * count


def test_random_bounds_give_the_oracles_bits() -> None:
    assert_random_laws(count=60, seed=3)


@pytest.mark.slow
def test_many_random_bounds_give_the_oracles_bits() -> None:
    assert_random_laws(count=1000, seed=4)


@pytest.mark.parametrize("isa", core.ISAS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_mirrored_words_give_opposite_values(dtype: str, isa: str) -> None:
    for name in ("normal", "symmetric", "uniform_symmetric", "symmetric_deep"):
        law = cases.LAWS[name]
        word, tail = cases.words_and_tails(law, dtype, count=500, seed=5)
        sign = FORMATS[dtype].unsigned(1 << (FORMATS[dtype].bits - 1))
        mirrored = core.transform(isa, law, dtype, ~word, tail)
        np.testing.assert_array_equal(core.transform(isa, law, dtype, word, tail), mirrored ^ sign)


@pytest.mark.parametrize(
    ("name", "dtype"), [pair for pair in DRAWN if cases.LAWS[pair[0]].kind != contract.ARANGE]
)
def test_values_never_fall_as_words_rise(name: str, dtype: str) -> None:
    word, _ = cases.words_and_tails(cases.LAWS[name], dtype, count=500, seed=6)
    word = np.sort(word.view(f"i{word.itemsize}")).view(word.dtype)
    # Within one word of the tail, a larger tail word is a larger p: the value nearer to zero.
    tail = np.full_like(word, 2**31)
    values = decode(core.transform(core.ISAS[0], cases.LAWS[name], dtype, word, tail), dtype)
    assert (np.diff(values) >= 0).all()


@pytest.mark.parametrize("octave", range(20, 63))
def test_neighbouring_float64_words_keep_their_order(octave: int) -> None:
    # The float64 table has negative coefficients, so that order is measured here and not proved.
    first = int(np.random.default_rng(octave).integers(2**octave, 2 ** (octave + 1) - 2**16)) | 1
    step = max(2, 2 ** (octave - 52))  # to the next n with another float64
    n = np.uint64(first) + np.uint64(step) * np.arange(20_000, dtype=np.uint64)
    n = n[n < 2**63]
    word = np.uint64(2**63) - n
    values = core.transform(core.ISAS[0], cases.LAWS["normal"], "float64", word, word).view(np.float64)
    assert (np.diff(values) <= 0).all()
    assert (np.diff(values) < 0).any()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("c", [1e-2, 1e-6, 1e-9, 1e-12, 1e-17, 1e-30, 1e-170, 1e-310])
def test_variance_correction_between_tiny_bounds(c: float, dtype: str) -> None:
    # Towards zero the law becomes the uniform of variance 1, or is refused; never infinite.
    law = cases.truncated(0.0, 1.0, -c, c, SIGMA, correct_variance=True)
    if core.refusal(law, dtype) is None:
        assert_same_codes(law, dtype, count=100, seed=8)
    else:
        assert c < 1e-100


@pytest.mark.parametrize(("name", "dtype"), [pair for pair in DRAWN if cases.LAWS[pair[0]].kind != NORMAL])
def test_values_keep_within_the_bounds(name: str, dtype: str) -> None:
    law = cases.LAWS[name]
    word, tail = cases.words_and_tails(law, dtype, count=500, seed=7)
    values = decode(core.transform(core.ISAS[0], law, dtype, word, tail), dtype)
    assert np.isfinite(values).all()
    if law.kind == contract.UNIFORM:
        assert (law.low <= values).all()
        assert (values < law.high).all()
    elif law.kind == contract.TRUNCATED_NORMAL:
        bounds = contract.bounds_of(law)
        assert (bounds.low <= values).all()
        assert (values <= bounds.high).all()
    elif law.kind == contract.LOG_UNIFORM:
        low, high = contract.mapped(law, contract.log_uniform_interval(law))
        assert (low <= values).all()
        assert (values <= high).all()
