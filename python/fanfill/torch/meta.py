"""Knows how tensors on the meta device get memory, and how a module then comes to hold them.

It must not know laws, names or seeds, and writes no value.
"""

from __future__ import annotations

from typing import Any

import torch

from ..dtype import NAMES, of_torch
from .module_tensor import ModuleTensor

__all__ = ["check_meta", "hold", "is_meta", "mesh_device", "unwritten"]


def is_meta(tensor: Any) -> bool:
    """Return whether a tensor, of a DTensor this process' part of it, is on the meta device."""
    return bool(getattr(tensor, "_local_tensor", tensor).is_meta)


def check_meta(tensor: Any, name: str) -> None:
    """Raise what filling this tensor would raise once it has memory."""
    kind = type(tensor)
    if tensor.layout is not torch.strided or hasattr(kind, "__tensor_flatten__"):
        raise TypeError(
            f"{name} is a {kind.__module__}.{kind.__qualname__} of layout {tensor.layout}; fanfill fills "
            "dense tensors, and what is quantized or packed is to be made of filled ones"
        )
    if of_torch(tensor.dtype) is None:
        raise TypeError(f"{name} has elements of {tensor.dtype}; fanfill writes {NAMES}")


def mesh_device(mesh: Any) -> Any:
    """Return this process' device of a mesh; the host if there is no mesh."""
    kind = "cpu" if mesh is None else mesh.device_type
    if kind == "cpu":
        return torch.device(kind)
    return torch.device(kind, torch.get_device_module(kind).current_device())


def unwritten(tensor: Any, device: Any) -> Any:
    """Return a tensor like one on the meta device that has memory, of a DTensor this process' part of it."""
    with torch.no_grad():
        return torch.empty_like(tensor, device=device, requires_grad=False)


def hold(each: ModuleTensor, tensor: Any) -> None:
    """Put `tensor` wherever a module holds `each`: one object in all places, so that ties stay."""
    old = each.tensor
    if not each.is_buffer:
        tensor = torch.nn.Parameter(tensor, requires_grad=old.requires_grad)
        for name, value in old.__dict__.items():  # marks that others have left, such as those of an engine
            tensor.__dict__.setdefault(name, value)
        if type(old) not in (torch.nn.Parameter, type(tensor)):
            tensor.__class__ = type(old)
    for owner, own in each.places:
        (owner._buffers if each.is_buffer else owner._parameters)[own] = tensor
    each.tensor = tensor
