"""The initializer of Martens: a normal matrix with a given share of zeros in every column.

It must not know how the values are drawn, nor promise which zeros torch's selection makes of equal keys.
"""

from __future__ import annotations

import math

import torch

from ...dtype import as_dtype
from ...fill import fill_
from ...law import Uniform
from ...region import Region
from ...stream import Key, Seed, stream_id
from ..device import check_tensor
from ..tensor_fill import fill_tensor_, has_values, is_on_host, normal_law
from .draw import as_torch_refuses, overridable
from .source import Source

__all__ = ["sparse_"]

_CHUNK = 1 << 22  # keys of places that are held at once, 32 MiB
_INTEGERS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


@overridable
def sparse_(
    tensor: torch.Tensor,
    sparsity: float,
    std: float = 0.01,
    generator: torch.Generator | None = None,
    *,
    seed: Seed | None = None,
    key: Key | None = None,
) -> torch.Tensor:
    """Fill a matrix with the normal law N(0, std²) and zeros, as ``torch.nn.init.sparse_`` does.

    In every column ``ceil(sparsity * rows)`` places, chosen at random, are zero. The other values are those
    of `normal_` with the same seed and key; the places are those where float64 uniforms of a second stream,
    of the key ``"sparse_ zeros "`` and the number of the first, are smallest. (torch itself draws the places
    from its default generator, even where it is given another.) Which of two equal uniforms is the smaller
    one is torch's choice, so the places stand outside of the value contract.

    Parameters
    ----------
    tensor : torch.Tensor
        Of two dimensions; else as for `uniform_`. On another device it takes its size of host memory.
    sparsity : float
        The share of zeros, not negative; all are zero from 1 on.
    std : float, optional
        Of the values that are not zero.
    generator, seed, key : optional
        As for `uniform_`.

    Returns
    -------
    torch.Tensor
        `tensor` itself.

    Raises
    ------
    ValueError
        If the tensor has not two dimensions, or sparsity is negative or no number.
    TypeError, ValueError, RuntimeError, NotImplementedError
        As for `uniform_`.

    References
    ----------
    J. Martens, "Deep learning via Hessian-free optimization", 2010.

    Examples
    --------
    >>> import torch, fanfill.torch
    >>> weight = fanfill.torch.init.sparse_(torch.empty(10, 3), sparsity=0.35, seed=7, key="weight")
    >>> (weight == 0).sum(dim=0).tolist()
    [4, 4, 4]
    """
    source = Source(generator, seed, key)
    if tensor.ndimension() != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    if tensor.is_meta:
        return tensor
    zeros = math.ceil(sparsity * tensor.size(0))
    if sparsity < 0:
        raise ValueError(f"sparsity must not be negative, not {sparsity}; it is the share of zeros")
    if not has_values(tensor):
        return tensor
    with as_torch_refuses(tensor, lambda out, own: out.normal_(0, std, generator=own)):
        law = normal_law(0.0, std)
        check_tensor(tensor, "tensor")
        law.check(as_dtype(tensor.dtype))
    on_host = tensor if is_on_host(tensor) else torch.empty(tensor.shape, dtype=tensor.dtype, device="cpu")
    with source.counting("sparse_", tensor), torch.no_grad():
        number, stream = source.stream(tensor.device)
        fill_tensor_(on_host, law, number, stream)
        _zero_(on_host, min(zeros, tensor.size(0)), number, stream_id(f"sparse_ zeros {stream}"))
        if on_host is not tensor:
            tensor.copy_(on_host)
    return tensor


def _zero_(tensor: torch.Tensor, zeros: int, seed: int, stream: int) -> None:
    """Set that many random elements of every column to zero."""
    rows, cols = tensor.shape
    width = max(1, _CHUNK // rows)
    bits = tensor.view(_INTEGERS[tensor.element_size()])  # torch scatters into all dtypes but float8
    for first in range(0, cols, width):
        count = min(width, cols - first)
        keys = torch.empty((count, rows), dtype=torch.float64, device="cpu")
        part = Region.box(shape=(cols, rows), offsets=(first, 0), sizes=(count, rows))
        fill_(keys, Uniform(), seed=seed, key=stream, region=part)
        places = torch.topk(keys, zeros, dim=1, largest=False, sorted=False).indices
        bits.t()[first : first + count].scatter_(1, places, 0)
