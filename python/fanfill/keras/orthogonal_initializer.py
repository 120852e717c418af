"""Knows Keras' orthogonal initializer: which axes of a tensor make the orthogonal matrix.

It must not know how the matrix is made. That takes a linear algebra library, so its bits are no part of the
value contract.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from ..orthogonal import orthogonal_matrix
from ..region import as_shape
from .drawn_tensor import drawn_tensor, element_of
from .law_initializer import concrete

__all__ = ["Orthogonal"]


@keras.saving.register_keras_serializable(package="fanfill")
class Orthogonal(keras.initializers.Orthogonal):
    """Uniformly distributed orthogonal matrices, as ``keras.initializers.Orthogonal`` means them.

    A tensor of more than two axes is a matrix of ``prod(shape[:-1])`` rows. Of a matrix that is not square
    the smaller side is orthonormal. The QR decomposition is NumPy's on every backend, in float32 for all
    dtypes but float64, and narrower ones are rounded from it.

    Parameters
    ----------
    gain : float, default 1.0
        Factor of the orthonormal matrix.
    seed : int or keras.random.SeedGenerator, optional
        As for `RandomNormal`.

    References
    ----------
    A. M. Saxe, J. L. McClelland, S. Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep
    linear neural networks", 2014.

    Examples
    --------
    >>> import fanfill.keras
    >>> tuple(fanfill.keras.Orthogonal(seed=7)((4, 3)).shape)
    (4, 3)
    """

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Return a new tensor of the backend.

        Raises
        ------
        TypeError
            If the shape is not of integers, or the gain no number.
        ValueError
            If the shape has fewer than two axes, or the dtype is no float that fanfill draws.
        """
        extents = as_shape(shape)
        element = element_of(dtype)
        gain = concrete(self.gain, "gain")
        if len(extents) < 2:
            raise ValueError(f"shape must have at least two axes to be orthogonal, not {extents}")

        def draw(out: np.ndarray[Any, Any], seed: int, stream: int) -> None:
            if out.size:
                columns = out.shape[-1]
                matrix = orthogonal_matrix(out.size // columns, columns, element, seed=seed, key=stream)
                out[...] = (matrix * matrix.dtype.type(gain)).reshape(out.shape)

        return drawn_tensor(self.seed, draw, extents, element)
