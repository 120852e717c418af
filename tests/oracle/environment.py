"""Fills under the floating-point environment that the argument names, and prints a digest of the values.

It must not know what the values should be. It is a program, because the environment would outlive a test.
"""

from __future__ import annotations

import ctypes
import hashlib
import platform
import struct
import sys

import numpy as np

from . import cases, core
from .rounding import FORMATS

LIBM = ctypes.CDLL(None)
IS_X86 = platform.machine() == "x86_64"
# What fesetround takes.
ROUNDING = (
    {"to nearest": 0, "downward": 0x400, "upward": 0x800, "toward zero": 0xC00}
    if IS_X86
    else {"to nearest": 0, "upward": 0x400000, "downward": 0x800000, "toward zero": 0xC00000}
)
FLUSH = "flush to zero"
# In glibc's fenv_t: bits 15 and 6 of MXCSR, which is its last word; or bit 24 of FPCR, its first.
FLUSH_PLACE, FLUSH_BITS = (28, 0x8040) if IS_X86 else (0, 1 << 24)
STICKY_FLAGS = 0x3F  # of MXCSR: the interpreter's own arithmetic raises them

LAWS = ["constant", "uniform", "normal_shifted", "normal_smallest", "symmetric_corrected", "symmetric_deep"]
LAWS += ["asymmetric_deep", "one_sided", "narrow_positive", "far", "very_far_unbounded"]
BYTES = {1: 3001, 3: 400_000}  # by threads: the second is beyond what one thread does alone


def environment() -> bytes:
    found = ctypes.create_string_buffer(64)
    assert LIBM.fegetenv(found) == 0
    return found.raw


def modes() -> tuple[int, ...]:
    """What a program sets; the rest (flags, the x87's last instruction) moves by itself."""
    raw = environment()
    if not IS_X86:
        return struct.unpack_from("<I", raw)
    (x87_control,) = struct.unpack_from("<H", raw)
    (mxcsr,) = struct.unpack_from("<I", raw, FLUSH_PLACE)
    return x87_control, mxcsr & ~STICKY_FLAGS


def spoil(mode: str) -> None:
    if mode != FLUSH:
        assert LIBM.fesetround(ROUNDING[mode]) == 0
        return
    raw = bytearray(environment())
    (word,) = struct.unpack_from("<I", raw, FLUSH_PLACE)
    struct.pack_into("<I", raw, FLUSH_PLACE, word | FLUSH_BITS)
    assert LIBM.fesetenv(bytes(raw)) == 0


def fingerprint() -> tuple[float, ...]:
    """What arithmetic shows of the environment: each mode has its own."""
    one = np.array([1.0, -1.0])
    is_kept = float((np.array([5e-324]) * 2.0**100)[0]) > 0
    return is_kept, *(one / 3.0).tolist(), *(one / 5.0).tolist()


def main(mode: str) -> None:
    digest = hashlib.sha256()
    usual = fingerprint()
    spoil(mode)
    assert (fingerprint() != usual) == (mode != "to nearest")
    for name in LAWS:
        for dtype, form in FORMATS.items():
            for threads, size in BYTES.items():
                before = modes()
                values = core.fill(cases.LAWS[name], dtype, 5, 6, 0, size * 8 // form.bits, threads=threads)
                assert modes() == before
                digest.update(values)
    sys.stdout.write(digest.hexdigest())


if __name__ == "__main__":
    main(sys.argv[1])
