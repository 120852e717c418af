"""What never changes a value: threads, cuts, alignment, strides, shards, order, ISA and environment."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import fanfill as ff
from fanfill import _core
from oracle import core
from oracle.rounding import FORMATS, NARROW, encode

DTYPES = list(FORMATS)
LAWS = {
    "normal": ff.Normal(0.1, 0.7),
    "uniform": ff.Uniform(-0.25, 0.75),
    "symmetric": ff.TruncatedNormal(0.0, 0.5),
    "sides": ff.TruncatedNormal(0.0, 1.0, (-1.0, 3.0)),
    "far": ff.TruncatedNormal(0.0, 1.0, (10.0, 11.0)),
    "constant": ff.Constant(-0.3),
    "inverse_softplus": ff.LogUniform(1e-3, 0.1, inverse_softplus=True),
    "arange": ff.Arange(1, 17, log=True),
    "arange_long": ff.Arange(-2, 2, 0.00625),
}
SEED, KEY = 0xFEDCBA9876543210, 0x0123456789ABCDEF
LENGTH = 3000

every_dtype = pytest.mark.parametrize("dtype", DTYPES)
every_law = pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)


@pytest.fixture(params=core.ISAS)
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    """Every instruction set in turn, chosen for fills."""
    assert _core.choose_isa(request.param) == _core.OK
    yield request.param
    assert _core.choose_isa(None) == _core.OK


def array(shape: int | tuple[int, ...], dtype: str) -> np.ndarray:
    """Memory of a dtype, whose narrow ones are codes, with a pattern that no law draws throughout."""
    out = np.empty(shape, FORMATS[dtype].unsigned if dtype not in ("float64", "float32") else dtype)
    out.view(np.uint8)[...] = 0xA5
    return out


def fill(
    out: np.ndarray, law: ff.Law, dtype: str, region: ff.Region | None = None, threads: int = 1
) -> np.ndarray:
    return ff.fill_(out, law, seed=SEED, key=KEY, region=region, dtype=dtype, threads=threads)


def whole(law: ff.Law, dtype: str, shape: int | tuple[int, ...] = LENGTH) -> np.ndarray:
    return fill(array(shape, dtype), law, dtype)


def flat(law: ff.Law, dtype: str, start: int, stop: int) -> np.ndarray:
    return fill(array(stop - start, dtype), law, dtype, ff.Region.flat(LENGTH, start, stop))


def assert_same_bits(found: np.ndarray, expected: np.ndarray) -> None:
    assert found.shape == expected.shape
    assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("threads", [2, 3, 5, 8, 16])
@every_dtype
@every_law
def test_threads(law: ff.Law, dtype: str, threads: int) -> None:
    size = 2**20 // FORMATS[dtype].bits * 8 + 13  # beyond the size below which one thread does it all
    assert_same_bits(fill(array(size, dtype), law, dtype, threads=threads), whole(law, dtype, size))


@every_dtype
@every_law
def test_instruction_sets(law: ff.Law, dtype: str) -> None:
    found = set()
    for name in core.ISAS:
        assert _core.choose_isa(name) == _core.OK
        found.add(whole(law, dtype).tobytes())
    assert _core.choose_isa(None) == _core.OK
    assert len(found) == 1


@every_dtype
@every_law
def test_starts(law: ff.Law, dtype: str, isa: str) -> None:
    expected = whole(law, dtype)
    for start in (*range(70), 127, 128, 129, 255, 256, 257, 1000):
        assert_same_bits(flat(law, dtype, start, LENGTH), expected[start:])


@every_dtype
@every_law
def test_lengths(law: ff.Law, dtype: str, isa: str) -> None:
    expected = whole(law, dtype)
    for start in (0, 5):
        for length in (*range(132), 255, 256, 257, 511, 512, 513):
            assert_same_bits(flat(law, dtype, start, start + length), expected[start : start + length])


@every_dtype
@pytest.mark.parametrize("name", ["normal", "sides"])
def test_alignments_and_nothing_written_beside_them(name: str, dtype: str, isa: str) -> None:
    law = LAWS[name]
    expected = whole(law, dtype, 700)
    itemsize = FORMATS[dtype].bits // 8
    for start in (0, 1, 2, 3):
        for step in range(64 // itemsize + 1):
            memory = array(900, dtype)
            before = memory.copy()
            inner = memory[step : step + 700 - start]
            fill(inner, law, dtype, ff.Region.flat(700, start, 700))
            assert_same_bits(inner, expected[start:])
            assert_same_bits(memory[:step], before[:step])
            assert_same_bits(memory[step + 700 - start :], before[step + 700 - start :])


@every_dtype
@every_law
def test_cuts_at_random_places(law: ff.Law, dtype: str) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        cuts = [0, *sorted(rng.integers(0, LENGTH, rng.integers(1, 30))), LENGTH]
        parts = [flat(law, dtype, int(a), int(b)) for a, b in itertools.pairwise(cuts)]
        assert_same_bits(np.concatenate(parts), whole(law, dtype))


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("name", ["normal", "symmetric", "constant"])
def test_a_narrow_dtype_is_the_rounded_float32(name: str, dtype: str, isa: str) -> None:
    law = LAWS[name]
    values = whole(law, "float32", 50_000)
    codes = whole(law, dtype, 50_000)
    assert_same_bits(codes, core.round_to(isa, dtype, values))
    assert_same_bits(codes, encode(values, dtype))


@pytest.mark.parametrize("step", [-7, -2, -1, 2, 3, 64])
@every_dtype
@every_law
def test_strides(law: ff.Law, dtype: str, step: int) -> None:
    memory = array(abs(step) * LENGTH, dtype)
    before = memory.copy()
    fill(memory[::step], law, dtype)
    assert_same_bits(memory[::step], whole(law, dtype))
    memory[::step] = before[::step]
    assert_same_bits(memory, before)


@every_dtype
@every_law
def test_memory_order(law: ff.Law, dtype: str) -> None:
    expected = whole(law, dtype, (6, 7, 50))
    for axes in ((2, 1, 0), (1, 0, 2), (0, 2, 1)):
        memory = array(tuple(np.array((6, 7, 50))[list(axes)]), dtype)
        view = memory.transpose(np.argsort(axes))
        assert_same_bits(fill(view, law, dtype), expected)
        assert_same_bits(fill(view[::-1, :, ::-1], law, dtype), expected)


@every_dtype
@every_law
def test_shards(law: ff.Law, dtype: str) -> None:
    shape, box = (12, 5, 33), np.s_[3:10, 1:4, 5:33]
    expected = whole(law, dtype, shape)
    part = array(expected[box].shape, dtype)
    region = ff.Region.box(shape, [s.start for s in box], part.shape)
    assert_same_bits(fill(part, law, dtype, region), expected[box])
    rows = array((6, 5, 33), dtype)
    strided = ff.Region(shape, [[(0, 2), (4, 6), (8, 10)], [(0, 5)], [(0, 33)]])
    assert_same_bits(fill(rows, law, dtype, strided), expected[[0, 1, 4, 5, 8, 9]])
    some = array(700, dtype)
    assert_same_bits(fill(some, law, dtype, ff.Region.flat(shape, 77, 777)), expected.ravel()[77:777])


@every_dtype
def test_the_order_and_company_of_jobs(dtype: str) -> None:
    keys = list(range(40))
    laws = [list(LAWS.values())[key % len(LAWS)] for key in keys]
    sizes = [(key * 997) % 3001 for key in keys]
    alone = [
        ff.fill_(array(n, dtype), law, seed=SEED, key=k, dtype=dtype)
        for n, law, k in zip(sizes, laws, keys, strict=True)
    ]
    for order in (keys, keys[::-1], list(np.random.default_rng(1).permutation(keys))):
        outs = {k: array(sizes[k], dtype) for k in order}
        ff.fill_many_([ff.Job(outs[k], laws[k], int(k), dtype=dtype) for k in order], seed=SEED, threads=3)
        for k in order:
            assert_same_bits(outs[k], alone[k])


@every_dtype
@every_law
def test_earlier_calls(law: ff.Law, dtype: str) -> None:
    expected = whole(law, dtype)
    ff.fill_(array(77, dtype), ff.Normal(), seed=1, key=2, dtype=dtype)
    assert_same_bits(whole(law, dtype), expected)


def digest_under(mode: str) -> str:
    # In a process of its own, which checks that the fills leave its environment as it was.
    command = [sys.executable, "-m", "oracle.environment", mode]
    return subprocess.run(
        command, cwd=Path(__file__).parent, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


@pytest.fixture(scope="module")
def usual_digest() -> str:
    return digest_under("to nearest")


@pytest.mark.parametrize("mode", ["upward", "downward", "toward zero", "flush to zero"])
def test_the_callers_floating_point_environment(mode: str, usual_digest: str) -> None:
    assert digest_under(mode) == usual_digest != ""
