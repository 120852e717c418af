"""Knows how a torch tensor gives access to its memory, and which tensors only look as if they had any.

It must not know laws or regions, and it is imported only where torch already is.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

from ..dtype import DTYPES, NAMES, DType, of_torch
from .memory import Memory, strided_memory

__all__ = ["refuse_subclass", "tensor_memory"]


def tensor_memory(tensor: Any, name: str, element: DType | None) -> Memory:
    """Return the memory of a torch tensor; `element` is the element type that the caller named, if any.

    A leaf that requires grad is written as under ``torch.no_grad()``, which is what ``torch.nn.init`` does.
    """
    torch = sys.modules["torch"]
    _refuse_without_memory(torch, tensor, name)
    own = of_torch(tensor.dtype)
    if own is None:
        raise TypeError(f"{name} has elements of {tensor.dtype}; fanfill writes {NAMES}{_hint(tensor, name)}")
    if element is not None and element is not own:
        raise TypeError(
            f"dtype: {name} has elements of {tensor.dtype} and was to be filled as {element.name}; leave it "
            f"away, or pass {name}.view(torch.{element.name})"
        )
    shape = tuple(tensor.shape)
    strides = tuple(stride * own.itemsize for stride in tensor.stride())
    if 0 not in shape:
        _refuse_short_storage(tensor, name, own.itemsize)
    # Writing behind autograd's back would leave the version as it was, and backward would use the new values
    # unnoticed. Inference tensors have no version.
    bump = (
        None if tensor.is_inference() else functools.partial(torch.autograd.graph.increment_version, tensor)
    )
    return strided_memory(name, tensor.data_ptr(), shape, strides, own, tensor, bump)


def _hint(tensor: Any, name: str) -> str:
    """Return the way out for elements that may be those of another type by their bits."""
    if tensor.dtype.is_complex:
        return f"; fill {name}.real and {name}.imag, each under its own key"
    size = tensor.dtype.itemsize
    same = [f"torch.{dtype.name}" for dtype in DTYPES if dtype.itemsize == size]
    if tensor.dtype.is_floating_point or not same:
        return ""
    return f"; if they hold the bits of another type, pass {name}.view({' or '.join(same)})"


def _refuse_without_memory(torch: Any, tensor: Any, name: str) -> None:
    if type(tensor) is not torch.Tensor and type(tensor) is not torch.nn.Parameter:
        refuse_subclass(torch, tensor, name)
    if torch._C._functorch.is_functorch_wrapped_tensor(tensor):
        raise TypeError(f"{name} belongs to a torch.func transform; fill it outside of vmap and grad")
    if tensor.is_nested:
        raise TypeError(
            f"{name} is a nested tensor, whose rows differ in shape; fill the tensors of {name}.unbind()"
        )
    if tensor.layout is not torch.strided:
        raise TypeError(
            f"{name} is not dense but has layout {tensor.layout}; fill the dense tensor of its values"
        )
    device = tensor.device.type
    if device == "meta":
        raise ValueError(
            f"{name} is a meta tensor and has no memory; fanfill.torch.initialize_ gives a module's memory "
            f"and values, torch.empty_like(..., device='cpu') memory alone"
        )
    if device != "cpu":
        raise ValueError(
            f"{name} is on {tensor.device}; fanfill.torch.fill_ fills it, fanfill.torch.initialize_ a whole "
            f"module"
        )
    if tensor.is_neg():
        raise ValueError(f"{name} is a view with the negative bit set; fill the tensor that it views")
    if tensor.is_conj():
        raise ValueError(f"{name} is a conjugate view; fill the tensor that it views")


def refuse_subclass(torch: Any, tensor: Any, name: str) -> None:
    """Refuse what is a tensor by type and shape but has its elements elsewhere, or nowhere."""
    kind = type(tensor)
    distributed = sys.modules.get("torch.distributed.tensor")
    if distributed is not None and isinstance(tensor, distributed.DTensor):
        raise TypeError(
            f"{name} is a DTensor, of which this process holds a shard; fanfill.torch.fill_ fills that, "
            f"fanfill.torch.initialize_ those of a whole module"
        )
    fake = sys.modules.get("torch._subclasses.fake_tensor")
    if fake is not None and isinstance(tensor, fake.FakeTensor):
        raise ValueError(
            f"{name} is a FakeTensor and has no memory; fill the real tensor, outside FakeTensorMode"
        )
    if torch.nn.parameter.is_lazy(tensor):
        raise ValueError(f"{name} is a lazy parameter without a shape yet; run the module once, then fill it")
    if hasattr(kind, "__tensor_flatten__"):
        raise TypeError(
            f"{name} is a {kind.__module__}.{kind.__qualname__}, which wraps other tensors; fill those"
        )


def _refuse_short_storage(tensor: Any, name: str, itemsize: int) -> None:
    """Refuse tensors whose storage was freed under them, as sharding engines do between steps."""
    last = sum((extent - 1) * stride for extent, stride in zip(tensor.shape, tensor.stride(), strict=True))
    needed = (tensor.storage_offset() + last + 1) * itemsize
    held = tensor.untyped_storage().nbytes()
    if held < needed:
        raise ValueError(
            f"{name} needs {needed} bytes and its storage holds {held}: the storage was freed or resized; "
            f"fill the tensor while it is allocated"
        )
