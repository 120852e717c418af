"""Knows which memory is so plain that the core may be handed it without a further look, as nearly all is.

It must not refuse anything, nor accept what the other modules here would refuse: it only recognises the
common case of what they accept.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from ..dtype import of_numpy, of_torch

__all__ = [
    "note_tensor_writes",
    "plain_elements",
    "plain_shape",
    "plain_tensor_elements",
    "plain_tensor_types",
]


class _Elements(dict[Any, "tuple[int, int] | None"]):
    """The code and the bytes of a NumPy array's element type; None where that is not written."""

    def __missing__(self, dtype: np.dtype[Any]) -> tuple[int, int] | None:
        element = of_numpy(dtype)
        if element is None:
            return None  # not kept: there are endlessly many
        return self.setdefault(dtype, (element.code, element.itemsize))


class _TensorElements(dict[Any, "tuple[int, int] | None"]):
    """The same for a torch.dtype."""

    def __missing__(self, dtype: Any) -> tuple[int, int] | None:
        element = of_torch(dtype)
        return self.setdefault(dtype, None if element is None else (element.code, element.itemsize))


class _TensorTypes(dict[type, bool]):
    """Whether a type is that of a torch tensor: objects of a subclass may have their memory elsewhere."""

    def __missing__(self, kind: type) -> bool:
        torch = sys.modules.get("torch")
        # A half-imported torch has no Tensor yet, and then there is none to be passed.
        if torch is None or kind not in (
            getattr(torch, "Tensor", None),
            getattr(torch.nn, "Parameter", None),
        ):
            return False
        return self.setdefault(kind, True)


plain_elements = _Elements()
plain_tensor_elements = _TensorElements()
plain_tensor_types = _TensorTypes()


def plain_shape(out: Any) -> tuple[int, ...] | None:
    """Return the shape of what may be plain, or None."""
    kind = type(out)
    return out.shape if kind is np.ndarray or plain_tensor_types[kind] else None


def note_tensor_writes(tensors: list[Any]) -> None:
    """Tell autograd that these tensors have been written."""
    torch = sys.modules["torch"]
    try:
        torch._C._increment_version(tensors)  # what the public function calls, at a fifth of its time
    except (AttributeError, TypeError):
        torch.autograd.graph.increment_version(tensors)
