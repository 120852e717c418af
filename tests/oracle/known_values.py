"""Prints tests/vectors/values.txt, when run there as ``python -m oracle.known_values``.

It must not know the core: what it prints was never computed by what is tested with it.
"""

from __future__ import annotations

import hashlib
import sys

import numpy as np

from . import cases
from .law import Law, fill
from .rounding import FORMATS

HEADER = """\
# Known values of contract version 1, under seed fedcba9876543210 and stream 0123456789abcdef: law, dtype, the
# first 16 digits of the SHA-256 of elements 0 to 999 and 2^34 - 500 to 2^34 + 499, and the first three codes.
# The laws are those of tests/oracle/cases.py. Made by the NumPy oracle with the coefficients of csrc/kernel.
# From the first release on a line may change only with the contract's version: it changes people's weights.
"""
SEED, STREAM = 0xFEDCBA9876543210, 0x0123456789ABCDEF
INDEX = np.concatenate([np.arange(1000), 2**34 + np.arange(-500, 500)]).astype(np.uint64)


def digest(codes: np.ndarray) -> str:
    first = " ".join(f"{code:0{2 * code.itemsize}x}" for code in codes[:3])
    return f"{hashlib.sha256(codes.tobytes()).hexdigest()[:16]} {first}"


def line(name: str, law: Law, dtype: str) -> str:
    return f"{name} {dtype} {digest(fill(law, dtype, SEED, STREAM, INDEX))}"


def main() -> None:
    sys.stdout.write(HEADER)
    for name, law in cases.LAWS.items():
        for dtype in FORMATS:
            if (name, dtype) not in cases.REFUSED:
                sys.stdout.write(line(name, law, dtype) + "\n")


if __name__ == "__main__":
    main()
