"""Fills memory through the C interface from ctypes: what any language with a foreign-function interface does.

It must not use fanfill's Python side for more than the library's path and, at the end, the comparison.
"""

from __future__ import annotations

import ctypes

import numpy as np

import fanfill as ff

ABI, FLOAT32, TRUNCATED_NORMAL, SIGMA = 1, 1, 3, 1  # from fanfill.h


class Job(ctypes.Structure):
    """The struct fanfill_job."""

    _fields_ = [
        ("data", ctypes.c_void_p),
        *((name, ctypes.c_int32) for name in ("dtype", "law", "bound_unit", "value_map")),
        *((name, ctypes.c_int32) for name in ("correct_variance", "rank")),
        *((name, ctypes.c_double) for name in ("mean", "std", "low", "high", "floor", "step")),
        *((name, ctypes.c_uint64) for name in ("period", "stream")),
        ("shape", ctypes.POINTER(ctypes.c_uint64)),
        ("byte_strides", ctypes.POINTER(ctypes.c_int64)),
        ("global_shape", ctypes.POINTER(ctypes.c_uint64)),
        ("offset", ctypes.POINTER(ctypes.c_uint64)),
    ]


def main() -> None:
    """Fill rows 2 ... 5 of a tensor of 100 rows and compare them with what Python's side draws."""
    library = ctypes.CDLL(ff.get_library())
    library.fanfill_fill.argtypes = [
        ctypes.c_int, ctypes.POINTER(Job), ctypes.c_size_t, ctypes.c_uint64, ctypes.c_int
    ]  # fmt: skip
    library.fanfill_message.restype = ctypes.c_char_p

    rows = np.empty((4, 3), np.float32)
    job = Job(
        data=rows.ctypes.data,
        dtype=FLOAT32,
        law=TRUNCATED_NORMAL,
        bound_unit=SIGMA,
        rank=2,
        std=0.02,
        low=-2.0,
        high=2.0,
        stream=3,
        shape=(ctypes.c_uint64 * 2)(4, 3),
        global_shape=(ctypes.c_uint64 * 2)(100, 3),
        offset=(ctypes.c_uint64 * 2)(2, 0),
    )
    status = library.fanfill_fill(ABI, job, 1, 7, 1)
    if status:
        raise SystemExit(library.fanfill_message(status).decode())

    law = ff.TruncatedNormal(std=0.02, bounds=(-2.0, 2.0), unit="sigma")
    whole = ff.fill_(np.empty((100, 3), np.float32), law, seed=7, key=3)
    assert rows.tobytes() == whole[2:6].tobytes()
    print(rows)


if __name__ == "__main__":
    main()
