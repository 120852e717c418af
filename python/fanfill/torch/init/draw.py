"""Knows the road of one initializer's call: overrides, checks in torch's words, then a fill.

It must not know laws or fans.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeAlias

import torch
from torch.overrides import handle_torch_function, has_torch_function_unary

from ...law import Law
from ..tensor_fill import (
    fill_from_generator_,
    fill_tensor_,
    has_values,
    is_locked,
    is_on_host,
    let_torch_refuse,
)
from .source import Source

__all__ = ["OfTorch", "as_torch_refuses", "draw_", "overridable"]

P = ParamSpec("P")
OfTorch: TypeAlias = Callable[[torch.Tensor, "torch.Generator | None"], Any]


def overridable(function: Callable[P, torch.Tensor]) -> Callable[P, torch.Tensor]:
    """Let ``__torch_function__`` of tensor subclasses and of modes see a function, as it sees torch's."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> torch.Tensor:
        tensor: Any = args[0] if args else kwargs.get("tensor")
        if has_torch_function_unary(tensor):
            result: torch.Tensor = handle_torch_function(call, (tensor,), *args, **kwargs)
            return result
        return function(*args, **kwargs)

    return call


def draw_(
    name: str, tensor: torch.Tensor, law: Callable[[], Law], of_torch: OfTorch, source: Source
) -> torch.Tensor:
    """Fill a tensor with a law, or refuse it in torch's words.

    Parameters
    ----------
    name : str
        Of the operation, for the report of a block.
    tensor : torch.Tensor
        What to fill and return.
    law : callable
        Makes the law, or raises TypeError or ValueError.
    of_torch : callable
        What torch itself would do with a tensor and a generator; done where there are no values to draw.
    source : Source
        Of the stream.
    """
    if not isinstance(tensor, torch.Tensor):
        raise TypeError(
            f"tensor must be a torch.Tensor, not {type(tensor).__name__}; fanfill.fill_ takes other arrays"
        )
    if not has_values(tensor):
        with torch.no_grad():
            of_torch(tensor, source.generator)
        return tensor
    with as_torch_refuses(tensor, of_torch):
        if source.is_named:
            return fill_tensor_(tensor, law(), *source.stream(tensor.device))
        if source.mode is not None and is_on_host(tensor):
            return source.mode.fill_(name, tensor, law(), source.generator)
        return fill_from_generator_(tensor, law(), source.generator)


@contextmanager
def as_torch_refuses(tensor: torch.Tensor, of_torch: OfTorch) -> Iterator[None]:
    """Put torch's refusal in the place of fanfill's, wherever torch refuses the same call too."""
    try:
        if is_locked(tensor):
            raise ValueError("tensor was made in inference mode and can be written only there")
        yield
    except (TypeError, ValueError) as error:
        refusal = error
    else:
        return
    try:
        let_torch_refuse(tensor, of_torch)
        raise refusal
    finally:
        del refusal  # else it and this frame would keep each other, and the tensor, alive
