"""Knows how one torch tensor is filled with a law, and how what torch refuses is refused in its own words.

It must not know initializers, fans or modes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import _disable_current_modes

from ..dtype import as_dtype
from ..fill import fill_ as fill_host_
from ..law import Constant, Law, Normal, TruncatedNormal, Uniform
from ..stream import Key, Seed
from .device import check_tensor
from .fill import fill_
from .generator import generator_seed
from .shard import is_dtensor
from .trace import refuse_traced

__all__ = [
    "check_fill",
    "fill_from_generator_",
    "fill_tensor_",
    "has_values",
    "is_locked",
    "is_on_host",
    "let_torch_refuse",
    "normal_law",
    "truncated_normal_law",
    "uniform_law",
]


def normal_law(mean: Any, std: Any) -> Law:
    """Return the law of ``tensor.normal_(mean, std)``."""
    return Normal(_number(mean), _number(std))


def uniform_law(low: Any, high: Any) -> Law:
    """Return the law of ``tensor.uniform_(low, high)``, which where both are one is that one value."""
    low, high = _number(low), _number(high)
    return Constant(low) if _is_one(low, high) else Uniform(low, high)


def truncated_normal_law(mean: Any, std: Any, low: Any, high: Any) -> Law:
    """Return the law of ``torch.nn.init.trunc_normal_``, whose bounds are values and not multiples of std.

    Raises
    ------
    ZeroDivisionError
        If std is 0, as torch's does.
    """
    mean, std, low, high = _number(mean), _number(std), _number(low), _number(high)
    if std == 0:
        raise ZeroDivisionError("std is 0, by which trunc_normal_ divides; constant_ fills the mean")
    return Constant(low) if _is_one(low, high) else TruncatedNormal(mean, std, (low, high), "absolute")


def _number(value: Any) -> Any:
    """Return the number in a tensor of one element, which torch takes wherever it takes a number."""
    return value.item() if isinstance(value, torch.Tensor) and value.dim() == 0 else value


def _is_one(low: Any, high: Any) -> bool:
    """Return whether two bounds are one number; what are no numbers is for the law to refuse."""
    return not isinstance(low, torch.Tensor) and not isinstance(high, torch.Tensor) and bool(low == high)


def has_values(tensor: torch.Tensor) -> bool:
    """Return whether there is anything to fill: no elements, or a meta or fake tensor, has nothing."""
    if tensor.is_meta or tensor.numel() == 0:
        return False
    fake = _fake_tensor_type()
    return fake is None or not isinstance(tensor, fake)


def _fake_tensor_type() -> Any:
    module = sys.modules.get("torch._subclasses.fake_tensor")
    return None if module is None else module.FakeTensor


def is_on_host(tensor: torch.Tensor) -> bool:
    """Return whether a tensor's elements, if it has any, are all in the memory of this process."""
    return tensor.device.type == "cpu" and not is_dtensor(tensor)


def fill_from_generator_(
    tensor: torch.Tensor, law: Law, generator: torch.Generator | None, threads: int | None = None
) -> torch.Tensor:
    """Fill a tensor with stream 0 of the next 64 bits of a generator, which stays if the fill is refused.

    As for torch's own fills, the generator is one of the tensor's device.
    """
    if is_dtensor(tensor):
        raise TypeError("tensor is a DTensor; give seed= and key=, the same on all processes that hold it")
    check_fill(tensor, law)
    seed = generator_seed(generator, tensor.device)
    return fill_tensor_(tensor, law, seed, 0, threads)


def fill_tensor_(
    tensor: torch.Tensor, law: Law, seed: Seed, key: Key, threads: int | None = None
) -> torch.Tensor:
    """Fill a tensor on any device, with the errors of `fanfill.torch.fill_`."""
    refuse_traced(tensor, "tensor")
    _check_reach(law, tensor.dtype)
    try:
        return fill_host_(tensor, law, seed=seed, key=key, threads=threads)
    except (TypeError, ValueError):
        return fill_(tensor, law, seed=seed, key=key, threads=threads)  # elsewhere, or refused in its words


def check_fill(tensor: torch.Tensor, law: Law) -> None:
    """Raise the TypeError or ValueError with which filling this tensor with this law is refused."""
    check_tensor(tensor, "tensor")
    law.check(as_dtype(tensor.dtype))
    _check_reach(law, tensor.dtype)


def _check_reach(law: Law, dtype: torch.dtype) -> None:
    """Refuse uniform bounds beyond the dtype, as torch does; fanfill itself would saturate."""
    if isinstance(law, (Uniform, Constant)):
        low, high = (law.low, law.high) if isinstance(law, Uniform) else (law.value, law.value)
        largest = torch.finfo(dtype).max
        if low < -largest or high > largest or high - low > largest:
            raise ValueError(
                f"low, high: [{low}, {high}) is wider than {dtype} reaches; choose a wider dtype"
            )


def let_torch_refuse(tensor: torch.Tensor, draw: Callable[[torch.Tensor, torch.Generator], object]) -> None:
    """Raise what torch raises where a drawing of its own is wrong for this tensor; return where it isn't.

    It is tried on one element with the faults of the tensor and a generator of nobody's, so that nothing of
    the caller's is written or drawn from.
    """
    if torch._C._functorch.is_functorch_wrapped_tensor(tensor):
        return  # the transform would take the one element for an error of its own
    with _disable_current_modes(), torch.no_grad():
        if is_locked(tensor):
            tensor.mul_(1)
        stand_in = torch.empty(1, dtype=tensor.dtype, device="cpu")
        if any(stride == 0 and extent > 1 for extent, stride in _axes(tensor)):
            stand_in = stand_in.expand(2)
        draw(stand_in, torch.Generator())


def is_locked(tensor: torch.Tensor) -> bool:
    """Return whether a tensor may be written only in the inference mode that it was made in."""
    return tensor.is_inference() and not torch.is_inference_mode_enabled()


def _axes(tensor: torch.Tensor) -> list[tuple[int, int]]:
    if tensor.layout is not torch.strided or tensor.is_nested:
        return []
    return list(zip(tensor.shape, tensor.stride(), strict=True))
