"""Knows JAX's orthogonal initializers: which axes of an array make the orthogonal matrix, and where it goes.

It must not know how the matrix is made. That takes a linear algebra library, so its bits are no part of the
value contract.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from ..dtype import DType
from ..number import as_int
from ..orthogonal import orthogonal_matrix
from ..region import as_shape
from .drawn import host_array
from .element import element_of
from .key import key_words
from .law_initializer import concrete

__all__ = ["delta_orthogonal", "orthogonal"]


@dataclass(frozen=True)
class OrthogonalInitializer:
    """An initializer of matrices with orthonormal rows or columns."""

    dtype: Any
    scale: float
    column_axis: int

    def __call__(self, key: Any, shape: Any, dtype: Any = None, out_sharding: Any = None) -> jax.Array:
        """Return a new array; as for the other initializers, but without a sharding of its own."""
        _refuse_sharding(out_sharding)
        extents = as_shape(shape)
        element = element_of(self.dtype if dtype is None else dtype)
        self.check(extents)

        def draw(out: np.ndarray[Any, Any], seed: int, stream: int) -> None:
            self.write(out, element, seed, stream)

        return host_array(key_words(key), draw, extents, element)

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise if a shape has no such matrix."""
        if len(shape) < 2:
            raise ValueError(f"shape must have at least two axes to be orthogonal, not {shape}")
        if not -len(shape) <= self.column_axis < len(shape):
            raise IndexError(f"column_axis: there is no axis {self.column_axis} in shape {shape}")

    def write(self, out: np.ndarray[Any, Any], element: DType, seed: int, stream: int) -> None:
        """Write the matrix into memory of a shape that passes `check`."""
        if out.size == 0:
            return
        turned = np.moveaxis(out, self.column_axis, -1)
        columns = turned.shape[-1]
        matrix = orthogonal_matrix(out.size // columns, columns, element, seed=seed, key=stream)
        turned[...] = (matrix * matrix.dtype.type(self.scale)).reshape(turned.shape)


@dataclass(frozen=True)
class DeltaOrthogonalInitializer:
    """An initializer of convolutions that are orthogonal at the middle of the kernel and zero elsewhere."""

    matrix: OrthogonalInitializer

    def __call__(self, key: Any, shape: Any, dtype: Any = None, out_sharding: Any = None) -> jax.Array:
        """Return a new array; as for the other initializers, but without a sharding of its own."""
        _refuse_sharding(out_sharding)
        extents = as_shape(shape)
        if len(extents) not in (3, 4, 5):
            raise ValueError(f"shape must have 3, 4 or 5 axes (*kernel, in, out), not {extents}")
        *kernel, inputs, outputs = extents
        if outputs < inputs:
            raise ValueError(f"shape {extents} must not have more inputs than outputs")
        if 0 in kernel:
            raise IndexError(f"shape {extents} has a kernel axis of extent 0, and so no middle")
        element = element_of(self.matrix.dtype if dtype is None else dtype)
        self.matrix.check((inputs, outputs))
        middle = tuple((extent - 1) // 2 for extent in kernel)

        def draw(out: np.ndarray[Any, Any], seed: int, stream: int) -> None:
            out[...] = 0.0
            self.matrix.write(out[middle], element, seed, stream)

        return host_array(key_words(key), draw, extents, element)


def _refuse_sharding(out_sharding: Any) -> None:
    if out_sharding is not None:
        raise NotImplementedError(
            "out_sharding: a QR decomposition needs the whole matrix; reshard the result"
        )


def orthogonal(scale: Any = 1.0, column_axis: int = -1, dtype: Any = None) -> OrthogonalInitializer:
    """Build an initializer of uniformly distributed orthogonal matrices, as ``jax.nn.initializers`` does.

    Of a shape that is not square the smaller side is orthonormal. The QR decomposition is NumPy's, in
    float32 for all dtypes but float64, and narrower ones are rounded from it.

    Parameters
    ----------
    scale : float, optional
        Factor of the orthonormal matrix.
    column_axis : int, optional
        The axis of the columns; all others together are the rows.
    dtype : dtype, optional
        Default dtype of the arrays.

    Raises
    ------
    TypeError, ValueError
        If a parameter is of the wrong kind, traced or not finite. A call raises ValueError for a shape of
        fewer than two axes, IndexError for a `column_axis` that the shape does not have, and
        NotImplementedError for an ``out_sharding``, as JAX does.

    References
    ----------
    A. M. Saxe, J. L. McClelland, S. Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep
    linear neural networks", 2014.

    Examples
    --------
    >>> import jax
    >>> from fanfill.jax.initializers import orthogonal
    >>> q = orthogonal()(jax.random.key(7), (4, 3))
    >>> bool(abs(q.T @ q - jax.numpy.eye(3)).max() < 1e-5)
    True
    """
    number = concrete(scale, "scale")
    if not math.isfinite(number):
        raise ValueError(f"scale must be finite, not {number}")
    return OrthogonalInitializer(dtype, number, as_int(column_axis, "column_axis"))


def delta_orthogonal(
    scale: Any = 1.0, column_axis: int = -1, dtype: Any = None
) -> DeltaOrthogonalInitializer:
    r"""Build an initializer of delta-orthogonal convolutions, as ``jax.nn.initializers`` does.

    Parameters
    ----------
    scale, column_axis, dtype : optional
        See `orthogonal`. A call takes shapes (\*kernel, in, out) of one to three kernel axes, in <= out.

    References
    ----------
    L. Xiao, Y. Bahri, J. Sohl-Dickstein, S. Schoenholz, J. Pennington, "Dynamical Isometry and a Mean Field
    Theory of CNNs", 2018.

    Examples
    --------
    >>> import jax
    >>> from fanfill.jax.initializers import delta_orthogonal
    >>> delta_orthogonal()(jax.random.key(7), (3, 3, 8, 16)).shape
    (3, 3, 8, 16)
    """
    return DeltaOrthogonalInitializer(orthogonal(scale, column_axis, dtype))
