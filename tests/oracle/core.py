"""Knows how to call the compiled core with NumPy arrays, in the oracle's terms.

It must not know what the core should answer. This module alone of the package imports fanfill.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fanfill import _core

from .law import Law
from .rounding import FORMATS

ISAS = [name for name, is_supported in _core.isas() if is_supported]


def _check(status: int) -> None:
    if status != _core.OK:
        raise ValueError(_core.message(status))


def refusal(law: Law, dtype: str) -> str | None:
    """Why the law cannot be drawn in the dtype; None if it can."""
    status = _core.check_law(tuple(law), FORMATS[dtype].code)
    return None if status == _core.OK else _core.message(status)


def transform(isa: str, law: Law, dtype: str, word: NDArray[Any], tail: NDArray[Any]) -> NDArray[Any]:
    form = FORMATS[dtype]
    word, tail = np.ascontiguousarray(word, form.word), np.ascontiguousarray(tail, form.word)
    out = np.empty(len(word), form.unsigned)
    addresses = word.ctypes.data, tail.ctypes.data, len(word), out.ctypes.data
    _check(_core.transform(isa, tuple(law), form.code, *addresses))
    return out


def raw_words(isa: str, seed: int, stream: int, start: int, count: int) -> NDArray[np.uint32]:
    out = np.empty(count, np.uint32)
    _check(_core.raw_words(isa, seed, stream, start, count, out.ctypes.data))
    return out


def round_to(isa: str, dtype: str, values: NDArray[np.float32]) -> NDArray[Any]:
    values = np.ascontiguousarray(values, np.float32)
    out = np.empty(len(values), FORMATS[dtype].unsigned)
    _check(_core.round_to(isa, FORMATS[dtype].code, values.ctypes.data, len(values), out.ctypes.data))
    return out


def fill(
    law: Law, dtype: str, seed: int, stream: int, start: int, count: int, *, threads: int = 1
) -> NDArray[Any]:
    """Elements start .. start + count of a one-dimensional tensor, on the chosen instruction set."""
    form = FORMATS[dtype]
    out = np.empty(count, form.unsigned)
    axis = (start + count, form.bits // 8, ((start, count),))
    _check(_core.fill_many([(out.ctypes.data, form.code, tuple(law), stream, (axis,))], seed, threads))
    return out
