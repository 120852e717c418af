"""A producer of DLPack capsules whose every field a test can choose; it follows dlpack.h, version 1.

It must not know fanfill, so that it can show where fanfill reads the header wrongly.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

CODES = {"i": 0, "u": 1, "f": 2}


class Tensor(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("byte_offset", ctypes.c_uint64),
    )


class Managed(ctypes.Structure):
    _fields_ = (
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("manager_ctx", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
        ("flags", ctypes.c_uint64),
        ("tensor", Tensor),
    )


new_capsule = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)(
    ("PyCapsule_New", ctypes.pythonapi)
)


class Producer:
    """An array that is reachable by DLPack alone."""

    def __init__(
        self, array: np.ndarray[Any, Any], *, name: bytes = b"dltensor_versioned", **fields: Any
    ) -> None:
        self.array, self.name, self.fields = array, name, fields
        self.device_type = fields.get("device_type", 1)
        self.arguments: dict[str, Any] = {}
        self.capsules = 0

    def __dlpack_device__(self) -> tuple[int, int]:
        return (self.device_type, 0)

    def __dlpack__(self, **arguments: Any) -> object:
        self.arguments = arguments
        self.capsules += 1
        array, fields = self.array, self.fields
        extents = ctypes.c_int64 * array.ndim
        self.shape = extents(*array.shape)
        self.strides = extents(*(stride // array.itemsize for stride in array.strides))
        self.managed = Managed(major=fields.get("major", 1), minor=0, flags=fields.get("flags", 0))
        tensor = self.managed.tensor
        tensor.data = fields.get("data", array.ctypes.data - fields.get("byte_offset", 0))
        tensor.device_type = fields.get("tensor_device_type", self.device_type)
        tensor.ndim = array.ndim
        tensor.code = fields.get("code", CODES.get(array.dtype.kind, 4))
        tensor.bits = fields.get("bits", 8 * array.itemsize)
        tensor.lanes = fields.get("lanes", 1)
        tensor.shape = ctypes.addressof(self.shape)
        tensor.strides = None if fields.get("without_strides") else ctypes.addressof(self.strides)
        tensor.byte_offset = fields.get("byte_offset", 0)
        return new_capsule(ctypes.addressof(self.managed), self.name, None)
