"""The initializer of Saxe et al.: a random orthogonal matrix, from a normal one by torch's QR factorisation.

It must not know how the normal matrix is drawn, nor promise the bits of what LAPACK makes of it.
"""

from __future__ import annotations

import torch

from ...law import Normal
from ...stream import Key, Seed
from ..device import check_tensor
from ..tensor_fill import fill_tensor_, has_values
from .draw import as_torch_refuses, overridable
from .source import Source

__all__ = ["orthogonal_"]


@overridable
def orthogonal_(
    tensor: torch.Tensor,
    gain: float = 1,
    generator: torch.Generator | None = None,
    *,
    seed: Seed | None = None,
    key: Key | None = None,
) -> torch.Tensor:
    r"""Fill a tensor with a random (semi-)orthogonal matrix, as ``torch.nn.init.orthogonal_`` does.

    With its first dimension as rows and all others as columns, the matrix W has :math:`W W^T =
    \mathrm{gain}^2 I` or, if there are more rows than columns, :math:`W^T W = \mathrm{gain}^2 I`, and is
    uniformly distributed among those. It is the Q of the QR factorisation of a normal matrix, with signs such
    that the diagonal of R is positive. The factorisation works in float32, for a float64 tensor in float64,
    and is rounded to the tensor's dtype once; torch itself has none for bfloat16 and float16.

    The normal matrix is bound by the value contract. The factorisation is LAPACK's and is not: its last bits
    depend on the machine, the number of threads and the version of torch.

    Parameters
    ----------
    tensor : torch.Tensor
        Of at least two dimensions; else as for `uniform_`.
    gain : float, optional
        A factor.
    generator, seed, key : optional
        As for `uniform_`.

    Returns
    -------
    torch.Tensor
        `tensor` itself.

    Raises
    ------
    ValueError
        If the tensor has fewer than two dimensions.
    TypeError, ValueError, RuntimeError, NotImplementedError
        As for `uniform_`.

    References
    ----------
    A. M. Saxe, J. L. McClelland, S. Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep
    linear neural networks", 2013. F. Mezzadri, "How to generate random matrices from the classical compact
    groups", 2006.

    Examples
    --------
    >>> import torch, fanfill.torch
    >>> weight = fanfill.torch.init.orthogonal_(torch.empty(3, 5), seed=7, key="weight")
    >>> torch.allclose(weight @ weight.T, torch.eye(3), atol=1e-6)
    True
    """
    source = Source(generator, seed, key)
    if tensor.ndimension() < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if not has_values(tensor):
        return tensor
    with as_torch_refuses(tensor, lambda out, own: out.normal_(0, 1, generator=own)):
        check_tensor(tensor, "tensor")
    rows = tensor.size(0)
    work = torch.float64 if tensor.dtype is torch.float64 else torch.float32
    normal = torch.empty((rows, tensor.numel() // rows), dtype=work, device="cpu")
    with source.counting("orthogonal_", tensor), torch.no_grad():
        fill_tensor_(normal, Normal(), *source.stream(tensor.device))
        tensor.copy_(_orthogonal(normal).mul_(gain).view(tensor.shape))
    return tensor


def _orthogonal(normal: torch.Tensor) -> torch.Tensor:
    """Return the orthogonal factor of a matrix, or of its transpose if it is wide, in row-major order."""
    is_wide = normal.size(0) < normal.size(1)
    q, r = torch.linalg.qr(normal.t() if is_wide else normal)
    # Only with these signs is Q uniform (Mezzadri 2006).
    q *= torch.diag(r, 0).sign()
    matrix: torch.Tensor = (q.t() if is_wide else q).contiguous()
    return matrix
