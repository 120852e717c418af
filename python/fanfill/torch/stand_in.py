"""Knows how a module is shown tensors on the meta device in place of its own, and gets its own back.

It must not know what is done with the module meanwhile.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import torch

__all__ = ["Place", "stand_ins"]

# The id of a module, and what it calls a tensor of its own.
Place = tuple[int, str]


class _StandIn(torch.nn.Parameter):
    """A parameter on the meta device that doesn't say so.

    Some of torch's initializers, ``trunc_normal_`` and ``orthogonal_`` among them, leave one alone that does,
    and so nobody could see what they would have done.
    """

    @property
    def is_meta(self) -> bool:  # type: ignore[override, unused-ignore]
        return False


@contextlib.contextmanager
def stand_ins(
    module: Any, *, shapes: Mapping[Place, tuple[int, ...]], keep: Collection[Place] = ()
) -> Iterator[dict[Place, Any]]:
    """Let a module and those inside hold stand-ins, each place its own, until the block ends.

    Parameters
    ----------
    module : torch.nn.Module
    shapes : mapping
        The shape of a stand-in, where it isn't that of the tensor.
    keep : collection of Place, optional
        Buffers that stay, and may be replaced in the block.

    Yields
    ------
    dict
        The stand-ins of the parameters.
    """
    kept = [(owner, dict(owner._parameters), dict(owner._buffers)) for owner in module.modules()]
    shown: dict[Place, Any] = {}
    try:
        for owner, parameters, buffers in kept:
            for own, tensor in parameters.items():
                if tensor is not None:
                    place = id(owner), own
                    owner._parameters[own] = shown[place] = _StandIn(
                        _on_meta(tensor, shapes.get(place)), requires_grad=tensor.requires_grad
                    )
            for own, tensor in buffers.items():
                if tensor is not None and (id(owner), own) not in keep:
                    owner._buffers[own] = _on_meta(tensor, None)
        yield shown
    finally:
        for owner, parameters, buffers in kept:
            replaced = {own: held for own, held in owner._buffers.items() if (id(owner), own) in keep}
            owner._parameters.clear()
            owner._parameters.update(parameters)
            owner._buffers.clear()
            owner._buffers.update({**buffers, **replaced})


def _on_meta(tensor: Any, shape: tuple[int, ...] | None) -> Any:
    return torch.empty(tuple(tensor.shape) if shape is None else shape, dtype=tensor.dtype, device="meta")
