"""Knows the quantile G by the coefficients in csrc/kernel, and the one for far bounds by Newton's method.

It must not know words or laws.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .elementary import logarithm
from .fma import fma

F64 = NDArray[np.float64]
_KERNEL = Path(__file__).parents[2] / "csrc" / "kernel"


@cache
def _table(suffix: str) -> tuple[int, NDArray[np.float64]]:
    """The exponent of the first row, and the coefficients: row, piece, degree."""
    text = (_KERNEL / f"quantile_table{suffix}.hpp").read_text()
    facts = {name: int(value) for name, value in re.findall(r"(kFirstOctave|kDegree)\d* = (-?\d+);", text)}
    pieces = re.findall(r"\{(0x[^{}]*)\}", text)
    table = np.zeros((len(pieces), facts["kDegree"] + 1))  # what a piece leaves out is zero
    for row, piece in zip(table, pieces, strict=True):
        numbers = [float.fromhex(token) for token in re.findall(r"-?0x[0-9a-f.]+p[+-]\d+", piece)]
        row[: len(numbers)] = numbers
    return facts["kFirstOctave"], table.reshape(-1, 2, table.shape[1])


def quantile(p: NDArray[Any], scale: int) -> NDArray[Any]:
    """G at p * 2^-scale, in the type of p."""
    first, table = _table("64" if p.dtype == np.float64 else "")
    half, exponent = np.frexp(p)
    t, row = half * p.dtype.type(2), exponent - 1 - scale - first
    assert (row >= 0).all()
    is_upper = t >= p.dtype.type(1.5)
    u = np.where(is_upper, p.dtype.type(2), p.dtype.type(1.5)) - t
    c = table[row, is_upper.astype(int)].astype(p.dtype)
    g = c[:, -1]
    for d in reversed(range(c.shape[1] - 1)):
        g = fma(g, u, c[:, d])
    return g


def _mills(z: F64) -> F64:
    f = z
    for i in range(16, 0, -1):
        f = z + i / f
    return 1.0 / f


def far_quantile(near: float, share: F64) -> F64:
    """|z| beyond which lies `share` of what lies beyond `near`, which is over 12."""
    start = np.array([near])
    target, base = logarithm(share), logarithm(_mills(start))
    z = np.sqrt(fma(start, start, -2.0 * target))
    for _ in range(5):
        m = _mills(z)
        log_share = -0.5 * (z - near) * (z + near) + (logarithm(m) - base)
        z = fma(log_share - target, m, z)
    return z
