"""Knows how a matrix that the core draws becomes an orthogonal one: by the Q of its QR decomposition.

It must not know tensors, frameworks, or which axes of a tensor make the matrix.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .dtype import DType
from .fill import fill_
from .law import Normal
from .memory import aligned_empty
from .stream import Key, Seed

__all__ = ["orthogonal_matrix"]


def orthogonal_matrix(
    rows: int, columns: int, element: DType, *, seed: Seed, key: Key
) -> np.ndarray[Any, np.dtype[Any]]:
    """Return a uniformly distributed matrix with orthonormal columns, or rows where there are fewer of those.

    LAPACK makes it from a normal matrix of (larger, smaller) extent, in float64 for a float64 `element` and
    in float32 for all others, so that its last bits are those of the machine's LAPACK and no part of the
    value contract. Whoever needs a narrower type rounds it.

    References
    ----------
    F. Mezzadri, "How to generate random matrices from the classical compact groups", 2007.
    """
    wide = "float64" if element.name == "float64" else "float32"
    larger, smaller = max(rows, columns), min(rows, columns)
    drawn = fill_(aligned_empty((larger, smaller), wide), Normal(), seed=seed, key=key)
    q, r = np.linalg.qr(drawn)
    q *= np.where(np.diagonal(r) < 0.0, -1.0, 1.0).astype(wide)  # QR's own choice of signs would bias Q
    return q.T if rows < columns else q
