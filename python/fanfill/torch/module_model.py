"""Knows how a torch module is seen as a fanfill Model: names, global shapes, layouts, ties, depth and width.

It must not know laws, seeds or memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from ..model import Model, Parameter
from .module_tensor import ModuleTensor, module_tensors

__all__ = ["model_of", "model_of_tensors"]


def model_of(module: Any, *, depth: int | None = None, width: int | None = None) -> Model:
    """Return the parameters of a module as a `fanfill.Model`, which a `fanfill.Recipe` makes a plan of.

    Names are those of ``module.named_parameters()`` without what wrappers add (``_orig_mod.``,
    ``_fsdp_wrapped_module.``, ``_checkpoint_wrapped_module.``, and ``module.`` of DistributedDataParallel and
    the like). Shapes are global, whatever part a process holds, and may be on the meta device. Buffers are
    left out.

    Parameters
    ----------
    module : torch.nn.Module
    depth : int, optional
        Number of layers. Default: the configuration's ``num_hidden_layers``, else the length of the longest
        numbered list of modules that isn't itself inside one. Give it for a pipeline stage.
    width : int, optional
        Width of the residual path. Default: the configuration's ``hidden_size``, else that of the first
        embedding, if there is one.

    Returns
    -------
    Model
        Named after the module's class.

    Examples
    --------
    >>> import torch
    >>> from fanfill.torch import model_of
    >>> [p.name for p in model_of(torch.nn.Sequential(torch.nn.Linear(3, 2))).parameters]
    ['0.weight', '0.bias']
    """
    return model_of_tensors(module, module_tensors(module), depth, width)


def model_of_tensors(
    module: Any, tensors: Iterable[ModuleTensor], depth: int | None = None, width: int | None = None
) -> Model:
    """Return the Model of these parameters of a module."""
    listed = [each for each in tensors if not each.is_buffer]
    config = _config(module)
    if depth is None:
        depth = _positive(getattr(config, "num_hidden_layers", None)) or _longest_list(listed)
    if width is None:
        width = _positive(getattr(config, "hidden_size", None)) or _embedding_width(listed)
    return Model(_class_name(module), tuple(_parameter(each) for each in listed), depth=depth, width=width)


def _parameter(each: ModuleTensor) -> Parameter:
    owner, _ = each.places[0]
    is_weight = each.places[0][1] == "weight"
    groups, transposed, padding_row = 1, False, None
    if is_weight and isinstance(owner, torch.nn.modules.conv._ConvNd):
        groups, transposed = owner.groups, owner.transposed
    if is_weight and isinstance(owner, (torch.nn.Embedding, torch.nn.EmbeddingBag)):
        padding_row = owner.padding_idx
    # GPT-2's linear module keeps its weight as (in, out); transformers need not be there for us to see it.
    is_io = is_weight and any(
        kind.__name__ == "Conv1D" and kind.__module__.startswith("transformers.")
        for kind in type(owner).__mro__
    )
    return Parameter(
        each.name,
        each.shape,
        layout="io" if is_io else "oi",
        groups=groups,
        transposed=transposed,
        padding_row=padding_row,
        tie=tuple(each.names[1:]),
    )


def _unwrapped(module: Any) -> Any:
    """Return the module inside all wrappers."""
    from .wrapper_name import child_name

    for name, child in module._modules.items():
        if child is not None and child_name(module, name) == "":
            return _unwrapped(child)
    return module


def _class_name(module: Any) -> str:
    return type(_unwrapped(module)).__name__


def _config(module: Any) -> Any:
    """Return the configuration of a transformers model, or None."""
    config = getattr(_unwrapped(module), "config", None)
    return config if hasattr(config, "model_type") else None


def _positive(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


def _longest_list(tensors: Iterable[ModuleTensor]) -> int:
    """Return the most numbers that follow one prefix as the first number in a name; 1 if there is none."""
    lists: dict[str, set[str]] = {}
    for each in tensors:
        parts = each.name.split(".")
        at = next((at for at, part in enumerate(parts) if part.isdecimal()), None)
        if at is not None:
            lists.setdefault(".".join(parts[:at]), set()).add(parts[at])
    return max(map(len, lists.values()), default=1)


def _embedding_width(tensors: Iterable[ModuleTensor]) -> int | None:
    for each in tensors:
        if isinstance(each.owner, (torch.nn.Embedding, torch.nn.EmbeddingBag)):
            return int(each.owner.embedding_dim)
    return None
