"""Memory: what is written without a copy, how its owner is held meanwhile, and what is allocated."""

from __future__ import annotations

import array
import ctypes
import mmap
import sys
from collections.abc import Callable
from multiprocessing import shared_memory
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import fanfill as ff
from dlpack_producer import Producer
from fanfill import _core
from fanfill.memory import aligned_empty, memory_of

REFERENCE = ff.normal(24, seed=7, key="w")
BITS16 = ff.normal(24, seed=7, key="w", dtype="float16").view(np.uint16)


def fill(out: Any, **options: Any) -> Any:
    return ff.normal_(out, seed=7, key="w", **options)


# What is written without a copy.


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize(
    "view",
    [
        lambda a: a[2:6, 1:5, :3],
        lambda a: a[::2, ::3, ::-1],
        lambda a: a[::-1, ::-2, 5:1:-1],
        lambda a: a.transpose(2, 0, 1),
        lambda a: np.asfortranarray(a),
        lambda a: a[:, 3:4, :],
        lambda a: a[3:3],
        lambda a: a[1, 2],
        lambda a: a[1, 2, 3:4].reshape(()),
    ],
    ids=["slice", "steps", "reversed", "transposed", "fortran", "size 1", "size 0", "row", "scalar"],
)
def test_numpy_arrays_of_any_strides(view: Callable[[Any], Any], dtype: str) -> None:
    base = np.full((8, 9, 7), 5.0, dtype)
    out = view(base)
    mask = np.zeros(base.shape, bool)
    view_of_mask = view(mask)
    view_of_mask[...] = True
    assert fill(out) is out
    np.testing.assert_array_equal(out, ff.normal(out.shape, seed=7, key="w", dtype=dtype))
    if np.shares_memory(mask, view_of_mask):
        assert (base[~mask] == 5.0).all()


def test_a_field_of_a_structured_array_is_a_strided_array() -> None:
    records = np.zeros(24, [("a", np.float32), ("b", np.int32)])
    fill(records["a"])
    np.testing.assert_array_equal(records["a"], REFERENCE)
    assert (records["b"] == 0).all()


def test_numpy_memmap(tmp_path: Path) -> None:
    out = np.memmap(tmp_path / "weights", np.float32, "w+", shape=(24,))
    assert fill(out) is out
    out.flush()
    np.testing.assert_array_equal(np.fromfile(tmp_path / "weights", np.float32), REFERENCE)


def test_uint16_as_bfloat16_without_ml_dtypes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    out = fill(np.zeros((4, 6), np.uint16), dtype="bfloat16")
    rounded = (out.astype(np.uint32) << 16).view(np.float32).ravel()
    np.testing.assert_allclose(rounded, REFERENCE, rtol=2**-8)


def test_array_array() -> None:
    out = array.array("f", bytes(96))
    assert fill(out) is out
    np.testing.assert_array_equal(out, REFERENCE)


def test_memoryview_with_negative_strides() -> None:
    base = np.zeros(48, np.float32)
    fill(memoryview(base)[::-2])
    np.testing.assert_array_equal(base[::-2], REFERENCE)


def test_ctypes_array() -> None:
    out = fill((ctypes.c_float * 24)())
    np.testing.assert_array_equal(np.frombuffer(out, np.float32), REFERENCE)
    made: dict[str, Any] = {"ctypes": ctypes}
    exec("array = (ctypes.c_float * 24)()", made)  # a type without a __module__, as the place has no name
    np.testing.assert_array_equal(np.frombuffer(fill(made["array"]), np.float32), REFERENCE)


def test_bytearray_with_its_element_type_named() -> None:
    out = bytearray(96)
    assert fill(out, dtype="float32") is out
    np.testing.assert_array_equal(np.frombuffer(out, np.float32), REFERENCE)
    halves = fill(bytearray(48), dtype=np.float16)
    np.testing.assert_array_equal(np.frombuffer(halves, np.uint16), BITS16)


def test_bytes_of_a_type_of_one_byte() -> None:
    signed = fill(array.array("b", bytes(24)), dtype="float8_e5m2")
    plain = fill(bytearray(24), dtype="float8_e5m2")
    assert bytes(signed) == bytes(plain) != bytes(24)


def test_anonymous_mmap() -> None:
    with mmap.mmap(-1, 96) as out:
        assert fill(out, dtype="float32") is out
        assert out[:] == REFERENCE.tobytes()


def test_shared_memory() -> None:
    memory = shared_memory.SharedMemory(create=True, size=96)
    try:
        fill(memory.buf[:96], dtype="float32")
        assert bytes(memory.buf[:96]) == REFERENCE.tobytes()
    finally:
        memory.close()
        memory.unlink()


@pytest.mark.parametrize("fields", [{}, {"without_strides": True}, {"byte_offset": 8}], ids=str)
def test_dlpack(fields: dict[str, Any]) -> None:
    base = np.zeros((4, 6), np.float32)
    out = Producer(base, **fields)
    assert fill(out) is out
    np.testing.assert_array_equal(base.ravel(), REFERENCE)
    assert out.arguments == {"max_version": (1, 0), "copy": False}


def test_dlpack_with_strides() -> None:
    base = np.zeros((6, 8), np.float32)
    fill(Producer(base[::-1, ::2].T))
    np.testing.assert_array_equal(base[::-1, ::2].T.ravel(), REFERENCE)


@pytest.mark.parametrize(("code", "name"), [(4, "bfloat16"), (2, "float16")])
def test_dlpack_of_sixteen_bits(code: int, name: str) -> None:
    bits = np.zeros(24, np.uint16)
    fill(Producer(bits, code=code))
    np.testing.assert_array_equal(bits, fill(np.zeros(24, np.uint16), dtype=name))


@pytest.mark.parametrize(("code", "name"), [(10, "float8_e4m3fn"), (12, "float8_e5m2")])
def test_dlpack_of_eight_bits(code: int, name: str) -> None:
    bits = np.zeros(24, np.uint8)
    fill(Producer(bits, code=code))
    np.testing.assert_array_equal(bits, fill(np.zeros(24, np.uint8), dtype=name))


def test_empty_memory_of_every_kind() -> None:
    for out in (
        np.empty((3, 0), np.float32),
        array.array("d"),
        Producer(np.empty((0, 3), np.float32), data=0),
    ):
        assert fill(out) is out
    for out in (bytearray(), memoryview(bytearray())):
        assert fill(out, dtype="bfloat16") is out


def test_naming_the_type_that_the_memory_has_is_allowed() -> None:
    np.testing.assert_array_equal(fill(np.zeros(24, np.float32), dtype="float32"), REFERENCE)


def test_stride_zero_along_an_axis_of_one_is_allowed() -> None:
    base = np.zeros(3)
    out = np.lib.stride_tricks.as_strided(base, (1, 3, 1), (0, 8, 3))
    np.testing.assert_array_equal(fill(out).ravel(), ff.normal(3, seed=7, key="w", dtype="float64"))


def test_no_framework_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("torch", "jax", "cupy", "ml_dtypes"):
        monkeypatch.setitem(sys.modules, name, None)
    fill(Producer(np.zeros(4)))
    fill(np.zeros(4, np.uint16), dtype="bfloat16")


def test_a_torch_that_is_only_half_imported_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", ModuleType("torch"))
    fill(bytearray(8), dtype="float32")


# The owner is kept, and held still, while the core writes.


def during_the_fill(monkeypatch: pytest.MonkeyPatch, action: Callable[[], object]) -> list[str]:
    raised: list[str] = []
    fill_many = _core.fill_many

    def acting(jobs: Any, seed: int, threads: int) -> int:
        try:
            action()
        except BufferError as error:
            raised.append(str(error))  # the error itself would keep the frames, and so the buffer
        return fill_many(jobs, seed, threads)

    monkeypatch.setattr(_core, "fill_many", acting)
    return raised


def test_a_bytearray_cannot_be_resized_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    out = bytearray(96)
    raised = during_the_fill(monkeypatch, lambda: out.extend(bytes(1 << 20)))
    fill(out, dtype="float32")
    assert len(raised) == 1
    assert out == REFERENCE.tobytes()
    out.extend(b"free again")


def test_an_mmap_cannot_be_closed_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    with mmap.mmap(-1, 96) as out:
        raised = during_the_fill(monkeypatch, out.close)
        fill(out, dtype="float32")
        assert len(raised) == 1
        assert out[:] == REFERENCE.tobytes()


def test_an_array_array_cannot_be_resized_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    out = array.array("f", [0.0] * 24)
    raised = during_the_fill(monkeypatch, lambda: out.append(1.0))
    fill(out)
    assert len(raised) == 1
    assert out.tobytes() == REFERENCE.tobytes()
    out.append(1.0)


def test_a_buffer_of_one_of_many_jobs_cannot_be_resized_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    out = bytearray(96)
    raised = during_the_fill(monkeypatch, out.clear)
    ff.fill_many_(
        [ff.Job(out, ff.Normal(), "w", dtype="float32"), ff.Job(np.zeros(3), ff.Normal(), "v")], seed=7
    )
    assert len(raised) == 1
    assert out == REFERENCE.tobytes()


def test_memory_keeps_its_owner() -> None:
    out = Producer(np.zeros(4, np.float32))
    assert out in memory_of(out).owner  # type: ignore[operator]


# Allocation.


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 5), (1000, 33), 7])
def test_new_arrays_are_aligned_writable_and_contiguous(shape: Any, dtype: str) -> None:
    out = aligned_empty(shape, dtype)
    assert out.ctypes.data % 64 == 0
    assert out.flags.c_contiguous
    assert out.flags.writeable
    assert (out.shape, out.dtype) == (np.empty(shape).shape, np.dtype(dtype))


def test_an_array_beyond_all_memory_is_refused() -> None:
    with pytest.raises(MemoryError, match=r"shape: \(2147483648, 2147483648\) of float64 needs"):
        aligned_empty((2**31, 2**31), "float64")
