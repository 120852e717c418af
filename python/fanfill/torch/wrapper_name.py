"""Knows which modules only wrap another one, and so which parts of a parameter's name come from a wrapper.

It must not know tensors, laws or recipes, and imports no wrapper: a type is known by its name.
"""

from __future__ import annotations

from typing import Any

__all__ = ["child_name"]

# Names that no one but these wrappers gives to a child.
_OWN_NAMES = frozenset({"_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"})
# Wrappers that call their child `module`, as architectures do too: here the type decides.
_TYPES = frozenset(
    {
        "torch.nn.parallel.distributed.DistributedDataParallel",
        "torch.nn.parallel.data_parallel.DataParallel",
        "torch.optim.swa_utils.AveragedModel",
        "deepspeed.runtime.engine.DeepSpeedEngine",
        "deepspeed.runtime.pipe.engine.PipelineEngine",
        "megatron.core.distributed.data_parallel_base._BaseDataParallel",
        "megatron.core.transformer.module.Float16Module",
    }
)


def child_name(parent: Any, name: str) -> str:
    """Return the part that the child `name` of the module `parent` adds to a name: "" if `parent` wraps it.

    Examples
    --------
    >>> import torch
    >>> from fanfill.torch.wrapper_name import child_name
    >>> layer = torch.nn.Linear(2, 2)
    >>> child_name(torch.nn.DataParallel(layer), "module"), child_name(torch.nn.Sequential(layer), "0")
    ('', '0')
    """
    if name in _OWN_NAMES:
        return ""
    if name == "module" and any(f"{t.__module__}.{t.__qualname__}" in _TYPES for t in type(parent).__mro__):
        return ""
    return name
