"""Knows how to read a DLPack 1.x capsule of an array in host memory.

It must not know frameworks, laws or regions.
"""

from __future__ import annotations

import ctypes
from typing import Any

from ..dtype import BY_NAME, NAMES, DType
from .memory import Memory, strided_memory

__all__ = ["dlpack_memory"]

# From dlpack.h, version 1: device types, data type codes with their bits, flags.
_CPU = 1
_ELEMENTS = {
    (2, 64): "float64",
    (2, 32): "float32",
    (2, 16): "float16",
    (4, 16): "bfloat16",
    (10, 8): "float8_e4m3fn",
    (12, 8): "float8_e5m2",
}
_READ_ONLY = 1
_IS_COPIED = 2
_NAME = b"dltensor_versioned"


class _DLTensor(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    )


class _DLManagedTensorVersioned(ctypes.Structure):
    _fields_ = (
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("manager_ctx", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
        ("flags", ctypes.c_uint64),
        ("tensor", _DLTensor),
    )


_capsule_name = ctypes.PYFUNCTYPE(ctypes.c_char_p, ctypes.py_object)(("PyCapsule_GetName", ctypes.pythonapi))
_capsule_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi)
)


def dlpack_memory(producer: Any, name: str, element: DType | None) -> Memory:
    """Return the memory of an array that speaks DLPack 1.x.

    The capsule is read and kept, not renamed: nobody else has it, and when it goes it releases the memory
    itself.
    """
    device_type = int(producer.__dlpack_device__()[0])
    if device_type != _CPU:
        raise ValueError(
            f"{name} is not in host memory but on DLPack device {device_type}; fill a CPU array and copy it"
        )
    capsule = _exported(producer, name)
    managed = _managed(capsule, name)
    tensor = managed.tensor
    if managed.flags & _READ_ONLY:
        raise ValueError(f"{name} is read-only; pass a writable array, or fill a copy of it")
    if managed.flags & _IS_COPIED:
        raise ValueError(f"{name} exports a copy of its memory; pass an array that can be shared")
    if tensor.device_type != _CPU:
        raise ValueError(
            f"{name} exports memory of DLPack device type {tensor.device_type}, which is not the host's"
        )
    own = _element(tensor, name, element)
    shape = tuple(tensor.shape[axis] for axis in range(tensor.ndim))
    strides = tuple(stride * own.itemsize for stride in _strides(tensor, shape))
    address = (tensor.data or 0) + tensor.byte_offset if tensor.data else 0
    return strided_memory(name, address, shape, strides, own, (producer, capsule))


def _exported(producer: Any, name: str) -> Any:
    try:
        return producer.__dlpack__(max_version=(1, 0), copy=False)
    except TypeError:  # a producer from before version 1 does not know the arguments
        raise _legacy(name) from None
    except (BufferError, RuntimeError, ValueError) as error:
        raise ValueError(f"{name} does not export its memory: {error}") from error


def _managed(capsule: Any, name: str) -> _DLManagedTensorVersioned:
    try:
        label = _capsule_name(capsule)
    except (ValueError, TypeError, ctypes.ArgumentError) as error:
        raise TypeError(f"{name} exports {type(capsule).__name__} instead of a DLPack capsule") from error
    if label is not None and label.startswith(b"used_"):
        raise ValueError(f"{name} exports a DLPack capsule that was already consumed; pass the array itself")
    if label != _NAME:
        raise _legacy(name)
    managed = _DLManagedTensorVersioned.from_address(_capsule_pointer(capsule, _NAME))
    if managed.major != 1:
        raise TypeError(
            f"{name} exports DLPack version {managed.major}.{managed.minor}; fanfill reads version 1"
        )
    return managed


def _legacy(name: str) -> TypeError:
    return TypeError(
        f"{name} exports DLPack of before version 1.0, which cannot say whether memory is read-only; pass it "
        f"as a NumPy array"
    )


def _element(tensor: _DLTensor, name: str, element: DType | None) -> DType:
    own = _ELEMENTS.get((tensor.code, tensor.bits)) if tensor.lanes == 1 else None
    if own is None:
        raise TypeError(
            f"{name} has elements of DLPack type code {tensor.code}, {tensor.bits} bits, {tensor.lanes} "
            f"lanes; fanfill writes {NAMES}"
        )
    if element is not None and element.name != own:
        raise TypeError(f"dtype: {name} has elements of {own} and was to be filled as {element.name}")
    return BY_NAME[own]


def _strides(tensor: _DLTensor, shape: tuple[int, ...]) -> list[int]:
    if tensor.strides:
        return [tensor.strides[axis] for axis in range(tensor.ndim)]
    strides = [1] * len(shape)  # none given means row-major
    for axis in range(len(shape) - 2, -1, -1):
        strides[axis] = strides[axis + 1] * shape[axis + 1]
    return strides
