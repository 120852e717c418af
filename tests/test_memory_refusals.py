"""Memory that cannot be written: each with its own message, the way out in it, and nothing written."""

from __future__ import annotations

import array
import mmap
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fanfill as ff
from dlpack_producer import Producer


def refused(out: Any, error: type[Exception], match: str, bits: Any = None, **options: Any) -> None:
    """Check that `out` is refused, and that the memory that `bits` shows (or `out` is) stays as it was."""
    shown = out if bits is None else bits
    before = bytes(shown)
    with pytest.raises(error, match=match):
        ff.normal_(out, seed=7, key="w", **options)
    assert bytes(shown) == before


def test_read_only_array_is_refused() -> None:
    out = np.zeros(4)
    out.flags.writeable = False
    refused(out, ValueError, "out is read-only; pass a writable array")


def test_read_only_memmap_is_refused(tmp_path: Path) -> None:
    np.zeros(4).tofile(tmp_path / "weights")
    refused(np.memmap(tmp_path / "weights", np.float64, "r"), ValueError, "out is read-only")


@pytest.mark.parametrize("out", [bytes(8), memoryview(bytearray(8)).toreadonly(), np.float64(1.0)])
def test_read_only_buffer_is_refused(out: Any) -> None:
    refused(
        out,
        ValueError,
        "out is a read-only buffer; pass a writable one, such as a bytearray",
        dtype="float64",
    )


def test_read_only_mmap_is_refused() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(bytes(8))
        file.flush()
        with mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ) as out:
            refused(out, ValueError, "out is a read-only buffer", dtype="float64", bits=out[:])


@pytest.mark.parametrize("dtype", ["int32", "bool", "complex64", "longdouble", "uint8", "U3"])
def test_wrong_dtype_is_refused(dtype: str) -> None:
    refused(
        np.zeros(4, dtype), TypeError, r"out has elements of .*; fanfill writes float64, float32, bfloat16"
    )


def test_complex_array_is_refused_with_the_way_out() -> None:
    refused(np.zeros(4, np.complex64), TypeError, r"fill out\.real and out\.imag, each under its own key$")


def test_object_array_is_refused() -> None:
    refused(np.zeros(4, object), TypeError, "out has elements of object", bits=b"")


def test_unsigned_array_is_refused_with_the_way_out() -> None:
    refused(np.zeros(4, np.uint16), TypeError, "if they hold the bits of another type, name it by dtype=")


@pytest.mark.parametrize("dtype", [">f4", ">f8", ">f2"])
def test_byte_swapped_array_is_refused(dtype: str) -> None:
    refused(np.zeros(4, dtype), TypeError, f"out has byte-swapped elements {dtype}; fill an array of float")


def test_structured_array_is_refused() -> None:
    refused(np.zeros(4, [("a", "f4"), ("b", "f4")]), TypeError, r"out has structured elements .*out\['a'\]")


def test_misaligned_field_is_refused() -> None:
    out = np.zeros(4, [("tag", "u1"), ("a", "f4")])
    refused(out["a"], ValueError, "out is not aligned to the 4 bytes of a float32", bits=out)


def test_misaligned_array_is_refused() -> None:
    base = np.zeros(17, np.uint8)
    refused(base[1:].view(np.float32), ValueError, "out is not aligned to the 4 bytes", bits=base)


def test_misaligned_bytes_are_refused() -> None:
    base = bytearray(17)
    refused(memoryview(base)[1:], ValueError, "out is not aligned to the 8 bytes", bits=base, dtype="float64")


def test_stride_zero_is_refused() -> None:
    base = np.zeros(3)
    out = np.lib.stride_tricks.as_strided(base, (4, 3), (0, 8))
    refused(out, ValueError, "out has stride 0 along an axis", bits=base)


def test_overlapping_windows_are_refused() -> None:
    base = np.zeros(10)
    out = np.lib.stride_tricks.sliding_window_view(base, 3, writeable=True)
    refused(out, ValueError, "out has elements that overlap in memory", bits=base)


def test_masked_array_is_refused() -> None:
    out = np.ma.MaskedArray(np.zeros(3), [True, False, False])
    refused(out, TypeError, "out is a masked array; pass out.data", bits=out.data)


@pytest.mark.parametrize("out", [[0.0, 1.0], (0.0,), 1.0, None, "weights", {"a": 1}, object()])
def test_what_has_no_memory_to_write_is_refused(out: Any) -> None:
    refused(
        out, TypeError, "out must be a NumPy array, a torch CPU tensor, a writable buffer or a CPU", bits=b""
    )


def test_an_object_that_would_be_copied_is_refused() -> None:
    class Series:
        def __init__(self) -> None:
            self.values = np.zeros(3)

        def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
            return self.values

    out = Series()
    refused(out, TypeError, r"not .*Series; pass the array inside it, not a copy of it", bits=out.values)


def test_bytes_without_an_element_type_are_refused() -> None:
    refused(bytearray(8), TypeError, "out is a buffer of bytes; name its element type by dtype=")


def test_bytes_that_do_not_divide_are_refused() -> None:
    refused(bytearray(7), ValueError, "out has 7 bytes, no multiple of the 4 of one float32", dtype="float32")


def test_bytes_with_gaps_are_refused() -> None:
    base = bytearray(32)
    out = memoryview(base)[::2]
    refused(out, ValueError, "out must be one contiguous run of bytes", bits=base, dtype="float32")


@pytest.mark.parametrize("code", ["i", "L", "h"])
def test_a_buffer_of_integers_is_refused(code: str) -> None:
    refused(array.array(code, [0] * 4), TypeError, "out has elements of .*int")


def test_another_dtype_than_the_arrays_is_refused() -> None:
    refused(
        np.zeros(4, np.float32), TypeError, "dtype: out has elements of float32 .* float16", dtype="float16"
    )
    refused(
        np.zeros(4, np.uint32), TypeError, "dtype: out has elements of uint32 .* bfloat16", dtype="bfloat16"
    )
    refused(
        np.zeros(4, np.int16), TypeError, "dtype: out has elements of int16 .* bfloat16", dtype="bfloat16"
    )


def test_an_unknown_dtype_is_refused() -> None:
    refused(bytearray(8), TypeError, "dtype: 'int8' is not an element type", dtype="int8")


def test_closed_mmap_is_refused() -> None:
    out = mmap.mmap(-1, 96)
    out.close()
    refused(
        out,
        ValueError,
        "out gives no access to its memory: mmap closed or invalid",
        bits=b"",
        dtype="float32",
    )


def test_released_memoryview_is_refused() -> None:
    out = memoryview(bytearray(8))
    out.release()
    refused(out, ValueError, "out gives no access to its memory: .*released", bits=b"", dtype="float32")


def test_jax_array_is_refused_before_its_capsule_is_asked_for() -> None:
    base = np.zeros(4, np.float32)
    kind = type("ArrayImpl", (Producer,), {"__module__": "jaxlib._jax"})
    out = kind(base, name=b"dltensor")
    refused(out, TypeError, "out is a JAX array, which is immutable; fanfill.jax.array draws", bits=base)
    assert out.capsules == 0


def test_array_in_the_memory_of_a_gpu_is_refused() -> None:
    kind = type("ndarray", (), {"__module__": "cupy", "__cuda_array_interface__": property(lambda self: {})})
    refused(kind(), ValueError, r"out is in the memory of a GPU \(cupy.ndarray\); fill host memory", bits=b"")


@pytest.mark.parametrize("device_type", [2, 3, 8, 10])
def test_dlpack_of_another_device_is_refused(device_type: int) -> None:
    out = Producer(np.zeros(4), device_type=device_type)
    refused(out, ValueError, f"out is not in host memory but on DLPack device {device_type}", bits=out.array)
    assert out.capsules == 0


def test_dlpack_whose_capsule_is_of_another_device_is_refused() -> None:
    out = Producer(np.zeros(4), tensor_device_type=2)
    refused(out, ValueError, "out exports memory of DLPack device type 2", bits=out.array)


def test_dlpack_with_the_read_only_flag_is_refused() -> None:
    out = Producer(np.zeros(4), flags=1)
    refused(out, ValueError, "out is read-only", bits=out.array)


def test_dlpack_of_a_copy_is_refused() -> None:
    out = Producer(np.zeros(4), flags=2)
    refused(out, ValueError, "out exports a copy of its memory", bits=out.array)


def test_consumed_dlpack_capsule_is_refused() -> None:
    out = Producer(np.zeros(4), name=b"used_dltensor_versioned")
    refused(out, ValueError, "out exports a DLPack capsule that was already consumed", bits=out.array)


def test_dlpack_from_before_version_1_is_refused() -> None:
    out = Producer(np.zeros(4), name=b"dltensor")
    refused(out, TypeError, "out exports DLPack of before version 1.0", bits=out.array)


def test_dlpack_producer_that_does_not_know_versions_is_refused() -> None:
    class Old(Producer):
        def __dlpack__(self, stream: object = None) -> object:  # type: ignore[override]
            raise AssertionError("a capsule without a read-only flag was asked for")

    out = Old(np.zeros(4))
    refused(out, TypeError, "out exports DLPack of before version 1.0", bits=out.array)


def test_dlpack_of_a_later_major_version_is_refused() -> None:
    out = Producer(np.zeros(4), major=2)
    refused(out, TypeError, r"out exports DLPack version 2\.0; fanfill reads version 1", bits=out.array)


def test_dlpack_producer_that_refuses_passes_its_message_on() -> None:
    class Refusing(Producer):
        def __dlpack__(self, **arguments: Any) -> object:
            raise BufferError("conj bit set")

    out = Refusing(np.zeros(4))
    refused(out, ValueError, "out does not export its memory: conj bit set", bits=out.array)


def test_dlpack_producer_without_a_capsule_is_refused() -> None:
    class Wrong(Producer):
        def __dlpack__(self, **arguments: Any) -> object:
            return 7

    out = Wrong(np.zeros(4))
    refused(out, TypeError, "out exports int instead of a DLPack capsule", bits=out.array)


@pytest.mark.parametrize(
    "fields", [{"code": 0}, {"code": 2, "bits": 32, "lanes": 2}, {"code": 5, "bits": 64}], ids=str
)
def test_dlpack_of_another_element_type_is_refused(fields: dict[str, int]) -> None:
    out = Producer(np.zeros(4), **fields)
    refused(out, TypeError, "out has elements of DLPack type code", bits=out.array)


def test_dlpack_with_another_dtype_named_is_refused() -> None:
    out = Producer(np.zeros(4))
    refused(out, TypeError, "dtype: out has elements of float64 .* float32", bits=out.array, dtype="float32")


def test_null_memory_with_elements_is_refused() -> None:
    out = Producer(np.zeros(4), data=0)
    refused(
        out, ValueError, r"out has 4 elements but no memory \(address 0\); allocate it first", bits=out.array
    )


def test_null_memory_with_an_offset_is_refused() -> None:
    out = Producer(np.zeros(4), data=0, byte_offset=64)
    refused(out, ValueError, r"out has 4 elements but no memory \(address 0\)", bits=out.array)


def test_dlpack_that_overlaps_itself_is_refused() -> None:
    base = np.zeros(4)
    out = Producer(np.lib.stride_tricks.as_strided(base, (3, 4), (0, 8)))
    refused(out, ValueError, "out has stride 0 along an axis", bits=base)
