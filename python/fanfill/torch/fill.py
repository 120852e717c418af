"""Knows how one tensor is filled with a law, be it in host memory, on a device, or over many processes.

It must not know modules or recipes.
"""

from __future__ import annotations

from typing import TypeVar

import torch

from ..dtype import as_dtype
from ..fill import Job
from ..law import Law
from ..region import Region
from ..stream import Key, Seed
from .device import check_tensor, fill_jobs_
from .shard import is_dtensor, local_part

__all__ = ["fill_"]

TensorT = TypeVar("TensorT", bound=torch.Tensor)


def fill_(
    tensor: TensorT,
    law: Law,
    *,
    seed: Seed,
    key: Key,
    region: Region | None = None,
    threads: int | None = None,
) -> TensorT:
    """Fill a tensor with values that follow a law, and return it; it may be a DTensor or on any device.

    The bits are those of `fanfill.fill_` on the whole tensor in host memory. Of a DTensor every process fills
    its own part and asks no other; replicas get the same values each by itself. On another device the values
    are drawn on the host, in two chunks of 32 MiB, page-locked where the device offers it, and copied.
    (That road is tested with a stand-in device that torch's dispatcher takes for one, not on a GPU.)

    Parameters
    ----------
    tensor : torch.Tensor
        float64, float32, bfloat16, float16, float8_e4m3fn or float8_e5m2, of any shape and strides. Written
        as under ``torch.no_grad()``.
    law : Normal, Uniform, TruncatedNormal, LogUniform, Arange or Constant
    seed : int or numpy.random.SeedSequence
    key : int or str
        Which stream of the seed, such as the parameter's name.
    region : Region, optional
        Which part of a global tensor a plain tensor holds, such as a flat shard; a DTensor knows its own.
    threads : int, optional
        As for `fanfill.fill_`.

    Returns
    -------
    torch.Tensor
        `tensor` itself.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind, or the tensor of an element type or layout that isn't written.
    ValueError
        If an argument is out of range, the tensor is on the meta device, or is a DTensor over a mesh without
        this process or with a shard that doesn't fit. Nothing is written.

    Examples
    --------
    The elements 6 to 9 of a (4, 3) weight, as an engine holds them that flattens weights before it cuts them:

    >>> import fanfill as ff, torch
    >>> from fanfill.torch import fill_
    >>> shard = fill_(torch.empty(4), ff.Normal(), seed=7, key="w", region=ff.Region.flat((4, 3), 6, 10))
    >>> bool((shard == torch.from_numpy(ff.normal((4, 3), seed=7, key="w")).view(-1)[6:10]).all())
    True
    """
    if not isinstance(tensor, torch.Tensor):
        raise TypeError(
            f"tensor must be a torch.Tensor, not {type(tensor).__module__}.{type(tensor).__qualname__}; "
            "fanfill.fill_ takes other arrays"
        )
    if not isinstance(law, Law):
        raise TypeError(
            f"law must be a Normal, Uniform, TruncatedNormal, LogUniform, Arange or Constant, not {law!r}"
        )
    local = tensor
    if is_dtensor(tensor):
        if region is not None:
            raise TypeError(
                "region: a DTensor knows which part of the global tensor it holds; leave region away"
            )
        local, region = local_part(tensor)
    elif region is not None and not isinstance(region, Region):
        raise TypeError(f"region must be a Region, not {type(region).__name__}")
    check_tensor(local, "tensor")
    law.check(as_dtype(local.dtype))
    if region is not None and region.local_shape != tuple(local.shape):
        raise ValueError(
            f"region holds a part of shape {region.local_shape}, and tensor has shape {tuple(local.shape)}; "
            "make them equal"
        )
    fill_jobs_([Job(local, law, key, region)], seed=seed, threads=threads)
    if local is not tensor and not tensor.is_inference():
        torch.autograd.graph.increment_version(tensor)  # the shard's own is another
    return tensor
