"""Knows what can be asked of a library: a law, an element type, so many bytes, and in what memory.

It must not know libraries, clocks or machines.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..dtype import as_dtype

__all__ = ["CACHE_BYTES", "DTYPES", "LAWS", "WARM_BYTES", "Workload", "numpy_dtype"]

WARM_BYTES = 256 << 20
CACHE_BYTES = 1 << 20

# Name: (family, low, high). Ends of the uniform law, on both sides of zero as a weight's are; bounds of the
# truncated standard normals; `words` are the raw bits of a generator.
LAWS: dict[str, tuple[str, float, float]] = {
    "normal": ("normal", -math.inf, math.inf),
    "uniform": ("uniform", -1.0, 1.0),
    "truncated": ("truncated", -2.0, 2.0),
    "one-sided": ("truncated", 1.0, math.inf),
    "asymmetric": ("truncated", -1.0, 2.0),
    "words": ("uniform", 0.0, 2.0**32),
}

# Name: bytes of an element.
DTYPES: dict[str, int] = {
    "float64": 8,
    "float32": 4,
    "bfloat16": 2,
    "float16": 2,
    "float8_e4m3fn": 1,
    "float8_e5m2": 1,
    "uint32": 4,
}


def numpy_dtype(name: str) -> np.dtype[Any]:
    """Return the NumPy dtype of that name.

    Raises
    ------
    ImportError
        If ml_dtypes has it and is not installed.
    """
    return np.dtype(np.uint32) if name == "uint32" else as_dtype(name).numpy_dtype()


@dataclass(frozen=True)
class Workload:
    """One fill that a library is asked for.

    Parameters
    ----------
    law, dtype : str
        Of `LAWS` and `DTYPES`.
    size : int
        Bytes that are written.
    memory : {"warm", "new"}
        Whether the pages are there already, or the library allocates, fills and frees.
    threads : int
        How many the library may use.
    form : str
        Of which tensors the memory consists; see `fanfill.benchmark.form`.
    """

    law: str
    dtype: str
    size: int
    memory: str = "warm"
    threads: int = 1
    form: str = "flat"

    @property
    def count(self) -> int:
        """The number of values."""
        return self.size // DTYPES[self.dtype]

    def __str__(self) -> str:
        """Return it as a table names it."""
        parts = [self.law, self.dtype, *([] if self.form == "flat" else [self.form])]
        parts += [f"{self.count:,} values", *(["new memory"] if self.memory == "new" else [])]
        return ", ".join(
            [" ".join(parts[:2]), *parts[2:], *([f"{self.threads} threads"] * (self.threads > 1))]
        )
