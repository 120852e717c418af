"""Fused weights: each part at the scale of its own fans, on the one stream of the fused tensor."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fanfill as ff
from fanfill.fused_law import FusedLaw

FORMS = ["he_normal", "glorot_uniform", "glorot_truncated_normal", "lecun_normal", "variance_scaling"]

# Name: shape, options, axis of the parts, their sizes, and (fan_in, fan_out) of each, written out by hand.
FUSED: dict[str, tuple[tuple[int, ...], dict[str, Any], int, list[int], list[tuple[int, int]]]] = {
    "qkv": ((36, 12), {"parts": 3}, 0, [12, 12, 12], [(12, 12)] * 3),
    "grouped-query": ((20, 12), {"parts": (12, 4, 4)}, 0, [12, 4, 4], [(12, 12), (12, 4), (12, 4)]),
    "gate-up": ((44, 8), {"parts": 2}, 0, [22, 22], [(8, 22)] * 2),
    "gate-up io": ((8, 44), {"layout": "io", "parts": 2}, 1, [22, 22], [(8, 22)] * 2),
    "grouped-query io": (
        (12, 20),
        {"layout": "io", "parts": [12, 4, 4]},
        1,
        [12, 4, 4],
        [(12, 12), (12, 4), (12, 4)],
    ),
    "stacked experts": ((3, 10, 6), {"batch_axes": (0,), "parts": (6, 4)}, 1, [6, 4], [(6, 6), (6, 4)]),
    "experts last io": (
        (6, 10, 3),
        {"layout": "io", "batch_axes": (-1,), "parts": (6, 4)},
        1,
        [6, 4],
        [(6, 6), (6, 4)],
    ),
    "conv": ((10, 3, 2, 2), {"parts": (6, 4)}, 0, [6, 4], [(12, 24), (12, 16)]),
    "conv io": ((2, 2, 3, 10), {"layout": "io", "parts": (6, 4)}, 3, [6, 4], [(12, 24), (12, 16)]),
    "grouped conv": ((12, 3, 2), {"groups": 2, "parts": (8, 4)}, 0, [8, 4], [(6, 8), (6, 4)]),
    "transposed conv": ((6, 10, 2), {"transposed": True, "parts": (7, 3)}, 1, [7, 3], [(12, 14), (12, 6)]),
    "transposed conv io": (
        (2, 10, 6),
        {"transposed": True, "layout": "io", "parts": (7, 3)},
        1,
        [7, 3],
        [(12, 14), (12, 6)],
    ),
    "a part of no rows": ((6, 4), {"parts": (0, 2, 4)}, 0, [0, 2, 4], [(4, 0), (4, 2), (4, 4)]),
    "one part": ((6, 4), {"parts": 1}, 0, [6], [(4, 6)]),
}


def scale(form: str, fan_in: float, fan_out: float) -> float:
    if form.startswith("he"):
        return math.sqrt(2.0) / math.sqrt(fan_out)  # the tests ask for fan_out, so that the parts differ
    if form.startswith("glorot"):
        return 1.0 / math.sqrt((fan_in + fan_out) / 2)
    return 1.0 / math.sqrt(fan_out)


def law(form: str, std: float) -> ff.Law:
    if form.endswith("truncated_normal"):
        return ff.TruncatedNormal(0.0, std, correct_variance=True)
    if form.endswith("uniform"):
        return ff.Uniform(-math.sqrt(3.0) * std, math.sqrt(3.0) * std)
    return ff.Normal(0.0, std)


def options_of(form: str, options: dict[str, Any]) -> dict[str, Any]:
    return options if form.startswith("glorot") else options | {"mode": "fan_out"}


def by_hand(
    form: str, shape: tuple[int, ...], axis: int, sizes: list[int], fans: list[tuple[int, int]]
) -> np.ndarray:
    """The fused tensor drawn once at the scale of each part, and of each drawing the part's own slice."""
    slices, begin = [], 0
    for size, (fan_in, fan_out) in zip(sizes, fans, strict=True):
        if size:
            whole = ff.fill_(
                np.zeros(shape, np.float32), law(form, scale(form, fan_in, fan_out)), seed=7, key="w"
            )
            slices.append(np.take(whole, range(begin, begin + size), axis))
        begin += size
    return np.concatenate(slices, axis)


@pytest.mark.parametrize("name", FUSED)
@pytest.mark.parametrize("form", FORMS)
def test_each_part_has_its_own_scale_and_the_stream_is_that_of_the_whole(form: str, name: str) -> None:
    shape, options, axis, sizes, fans = FUSED[name]
    out = np.full(shape, 9.0, np.float32)
    own = options_of(form, options)
    assert getattr(ff, f"{form}_")(out, seed=7, key="w", **own) is out
    np.testing.assert_array_equal(out, by_hand(form, shape, axis, sizes, fans))
    np.testing.assert_array_equal(getattr(ff, form)(shape, seed=7, key="w", **own), out)


@pytest.mark.parametrize("name", FUSED)
def test_the_parts_are_those_of_fans(name: str) -> None:
    shape, options, _, _, expected = FUSED[name]
    assert ff.fans(shape, **options) == tuple(expected)


def test_a_fused_glorot_is_not_the_too_small_one_of_the_sum() -> None:
    # What torch.nn.MultiheadAttention does: xavier_uniform_ over (3d, d), half the variance of each part.
    fused = ff.glorot_uniform((1536, 512), parts=3, seed=7)
    whole = ff.glorot_uniform((1536, 512), seed=7)
    assert fused.var() == pytest.approx(1 / 512, rel=0.01)
    assert fused.var() == pytest.approx(2.0 * whole.var(), rel=1e-6)


def test_parts_change_nothing_where_the_scale_does_not_depend_on_them() -> None:
    plain = ff.he_normal((36, 12), seed=7)
    np.testing.assert_array_equal(ff.he_normal((36, 12), parts=(12, 20, 4), seed=7), plain)
    explicit = ff.glorot_normal((36, 12), parts=(12, 20, 4), fan_in=12, fan_out=12, seed=7)
    np.testing.assert_array_equal(explicit, ff.glorot_normal((36, 12), fan_in=12, fan_out=12, seed=7))


@pytest.mark.parametrize("dtype", ["float64", "float16"])
def test_other_element_types(dtype: str) -> None:
    out = ff.glorot_normal((20, 12), parts=(12, 4, 4), dtype=dtype, seed=7, key="w")
    for begin, stop in ((0, 12), (12, 16), (16, 20)):
        whole = ff.glorot_normal((20, 12), fan_in=12, fan_out=stop - begin, dtype=dtype, seed=7, key="w")
        np.testing.assert_array_equal(out[begin:stop], whole[begin:stop])


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_do_not_change_the_bits(threads: int) -> None:
    out = ff.glorot_normal((900, 300), layout="io", parts=(200, 90, 10), seed=7, threads=threads)
    np.testing.assert_array_equal(
        out, ff.glorot_normal((900, 300), layout="io", parts=(200, 90, 10), seed=7, threads=1)
    )


def test_memory_of_any_strides() -> None:
    base = np.full((20, 50), 9.0, np.float32)
    out = base[::-2, 5:48:2].T  # (22, 10)
    ff.glorot_normal_(out, parts=(12, 10), seed=7, key="w")
    np.testing.assert_array_equal(out, ff.glorot_normal((22, 10), parts=(12, 10), seed=7, key="w"))
    assert (base == 9.0).sum() == base.size - out.size


# Shards.


def runs_of(extent: int) -> st.SearchStrategy[list[tuple[int, int]]]:
    """Ascending, disjoint runs within an extent."""
    cuts = st.lists(st.integers(0, extent), max_size=6).map(sorted)
    return cuts.map(lambda cut: list(zip(cut[::2], cut[1::2], strict=False)))


@pytest.mark.parametrize("name", FUSED)
@settings(max_examples=20)
@given(data=st.data())
def test_a_shard_that_cuts_through_the_parts(name: str, data: st.DataObject) -> None:
    shape, options, *_ = FUSED[name]
    whole = ff.glorot_normal(shape, seed=7, key="w", **options)
    region = ff.Region(shape, [data.draw(runs_of(extent)) for extent in shape])
    held = np.ix_(*([i for start, stop in own for i in range(start, stop)] for own in region.runs))
    shard = ff.glorot_normal(shape, seed=7, key="w", region=region, **options)
    np.testing.assert_array_equal(shard, whole[held])


@pytest.mark.parametrize("name", FUSED)
@settings(max_examples=20)
@given(data=st.data())
def test_a_flat_shard_that_cuts_through_the_parts(name: str, data: st.DataObject) -> None:
    shape, options, *_ = FUSED[name]
    whole = ff.glorot_normal(shape, seed=7, key="w", **options).ravel()
    start, stop = sorted(data.draw(st.tuples(*[st.integers(0, whole.size)] * 2)))
    base = np.full(2 * (stop - start) + 1, 9.0, np.float32)
    out = base[1::2] if data.draw(st.booleans()) else base[::2][: stop - start][::-1]
    ff.glorot_normal_(out, seed=7, key="w", region=ff.Region.flat(shape, start, stop), **options)
    np.testing.assert_array_equal(out, whole[start:stop])
    assert (base == 9.0).sum() == base.size - out.size


def test_a_byte_buffer_with_a_flat_region() -> None:
    out = bytearray(4 * 100)
    region = ff.Region.flat((12, 20), 50, 150)
    ff.glorot_normal_(out, layout="io", parts=(12, 4, 4), seed=7, key="w", dtype="float32", region=region)
    whole = ff.glorot_normal((12, 20), layout="io", parts=(12, 4, 4), seed=7, key="w")
    np.testing.assert_array_equal(np.frombuffer(out, np.float32), whole.ravel()[50:150])


# In one call with other tensors.


def test_a_fused_tensor_among_many() -> None:
    fused = FusedLaw((ff.Normal(), ff.Uniform(-1.0, 1.0)), 0, (2, 4))
    jobs = [
        ff.Job(np.zeros((6, 3)), fused, "w"),  # type: ignore[arg-type]
        ff.Job(np.zeros(5), ff.Normal(), "b"),
    ]
    ff.fill_many_(jobs, seed=7)
    np.testing.assert_array_equal(jobs[0].out[:2], ff.normal((6, 3), seed=7, key="w", dtype="float64")[:2])
    uniform = ff.uniform((6, 3), -1.0, 1.0, seed=7, key="w", dtype="float64")
    np.testing.assert_array_equal(jobs[0].out[2:], uniform[2:])
    np.testing.assert_array_equal(jobs[1].out, ff.normal(5, seed=7, key="b", dtype="float64"))


def test_a_fused_tensor_among_many_that_share_its_stream_is_refused() -> None:
    fused = FusedLaw((ff.Normal(), ff.Uniform()), 0, (2, 4))
    jobs = [
        ff.Job(np.zeros(2), ff.Normal(), "b"),
        ff.Job(np.zeros((6, 3)), fused, "w"),  # type: ignore[arg-type]
        ff.Job(np.zeros(3), ff.Normal(), "w", ff.Region.flat((6, 3), 15, 18)),
    ]
    with pytest.raises(ValueError, match=r"jobs\[1\].key and jobs\[2\].key name one stream"):
        ff.fill_many_(jobs, seed=7)
    assert not any(job.out.any() for job in jobs)


# What is refused.


def refused(error: type[Exception], match: str, shape: tuple[int, ...] = (6, 3), **options: Any) -> None:
    out = np.full(shape, 9.0, np.float32)
    for form in ("glorot_normal", "variance_scaling"):
        with pytest.raises(error, match=match):
            getattr(ff, f"{form}_")(out, seed=7, key="w", **options)
        with pytest.raises(error, match=match):
            getattr(ff, form)(shape, seed=7, key="w", **options)
    assert (out == 9.0).all()


def test_sizes_that_do_not_add_up_are_refused() -> None:
    refused(ValueError, "parts must be sizes that add up to the 6 of the out axis", parts=(2, 2))


def test_a_number_that_does_not_divide_is_refused() -> None:
    refused(ValueError, "parts: 4 does not divide the 6 of the out axis", parts=4)


@pytest.mark.parametrize("parts", [0, -3])
def test_a_number_below_one_is_refused(parts: int) -> None:
    refused(ValueError, "parts must be from 1", parts=parts)


@pytest.mark.parametrize("parts", [True, 1.5, "33", {2, 4}, iter((2, 4))])
def test_parts_that_are_no_sizes_are_refused(parts: object) -> None:
    refused(TypeError, "^parts must be an int or a sequence of ints, not ", parts=parts)


@pytest.mark.parametrize("parts", [(2, 4.0), (5, True)])
def test_sizes_that_are_no_integers_are_refused(parts: object) -> None:
    refused(TypeError, r"^parts\[1\] must be an integer", parts=parts)


def test_parts_of_a_vector_are_refused() -> None:
    refused(ValueError, "groups, transposed and parts need an in and an out axis", (6,), parts=2)


def test_parts_of_a_shard_are_those_of_the_global_tensor() -> None:
    region = ff.Region.box((6, 3), (0, 0), (4, 3))
    out = np.full((4, 3), 9.0, np.float32)
    with pytest.raises(ValueError, match="parts must be sizes that add up to the 6 of the out axis"):
        ff.glorot_normal_(out, parts=(2, 2), seed=7, key="w", region=region)
    assert (out == 9.0).all()


@pytest.mark.parametrize("held", [(0, 6), (0, 1), (1, 6)])
def test_a_part_whose_law_the_dtype_cannot_hold_is_refused_on_every_shard(held: tuple[int, int]) -> None:
    # At fan_out 5 the std is 1.8e37, at 1 it is 4e37, of which 10 sigma are beyond float32.
    region = ff.Region((6, 3), [[held], [(0, 3)]])
    out = np.full(region.local_shape, 9.0, np.float32)
    with pytest.raises(ValueError, match=r"^std: .*std=4e\+37"):
        ff.he_normal_(out, parts=(5, 1), mode="fan_out", gain=4e37, seed=7, key="w", region=region)
    flat = ff.Region.flat((6, 3), 3 * held[0], 3 * held[1])
    with pytest.raises(ValueError, match=r"^std: .*std=4e\+37"):
        ff.he_normal_(out.ravel(), parts=(5, 1), mode="fan_out", gain=4e37, seed=7, key="w", region=flat)
    assert (out == 9.0).all()
