"""Knows how buffers without values get them back: by asking the module that computed them to do so again.

It must not know parameters, laws or seeds, and lets no buffer keep what merely lay in its memory.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch

from .meta import hold
from .module_tensor import ModuleTensor
from .recorded_law import is_pretrained
from .stand_in import stand_ins

__all__ = ["rebuilt_buffers"]

# Methods that compute buffers, by the names that torch and others have for them. The last draws, too.
_METHODS = ("reset_running_stats", "reset_buffers", "rope_init", "reset_parameters")
_BYTES = (0, 1)  # as booleans both are values


@contextlib.contextmanager
def rebuilt_buffers(module: Any, buffers: Sequence[ModuleTensor], device: Any) -> Iterator[None]:
    """Give these buffers of a module memory and values; undo it if the block raises.

    A module may compute them in ``reset_running_stats``, ``reset_buffers``, ``rope_init`` or
    ``reset_parameters``, or a model of transformers that it is in in ``_init_weights``. Meanwhile all other
    tensors inside it are stand-ins, so that none of their values is lost. It is asked twice, over memory that
    held different bytes, and only what came out the same is believed.

    Parameters
    ----------
    module : torch.nn.Module
    buffers : sequence of ModuleTensor
    device : torch.device
        Where those on the meta device shall be.

    Raises
    ------
    ValueError
        If no module computes some buffer anew; the message lists all such.
    """
    kept = [(each, each.tensor) for each in buffers]
    models = dict(_models(module, None)) if buffers else {}
    left = list(buffers)
    try:
        for owner in dict.fromkeys(owner for each in buffers for owner, _ in each.places):
            held = [each for each in left if any(place is owner for place, _ in each.places)]
            done = _computed(owner, held, models.get(owner), device) if held else []
            left = [each for each in left if each not in done]
        if left:
            raise _refusal(left)
        yield
    except BaseException:
        for each, tensor in kept:
            hold(each, tensor)
        raise
    for each, tensor in kept:
        if not tensor.is_meta:  # others may hold it: it stays the object that it was
            with torch.no_grad():
                tensor.copy_(each.tensor)
            hold(each, tensor)


def _models(module: Any, governor: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each module with the nearest model of transformers that it is or is in."""
    if is_pretrained(module):
        governor = module
    yield module, governor
    for child in module.children():
        yield from _models(child, governor)


def _computed(owner: Any, held: Sequence[ModuleTensor], governor: Any, device: Any) -> list[ModuleTensor]:
    """Return those of the buffers that one of the owner's methods computed; they hold their values now."""
    methods = [getattr(owner, name) for name in _METHODS if hasattr(owner, name)]
    if governor is not None:
        methods.append(functools.partial(governor._init_weights, owner))
    for method in methods:
        first, second = (_run(method, owner, held, byte) for byte in _BYTES)
        done = [each for each, one, other in zip(held, first, second, strict=True) if _is_same(one, other)]
        if done:
            for each, values in zip(held, second, strict=True):
                if each in done:
                    hold(each, _moved(values, device if each.tensor.is_meta else each.tensor.device))
            return done
    return []


def _run(method: Callable[[], object], owner: Any, held: Sequence[ModuleTensor], byte: int) -> list[Any]:
    """Return what a method makes of the buffers, over new memory that is full of one byte.

    That is host memory whatever the device, so that all devices get the same bits.
    """
    own_names = [next(own for place, own in each.places if place is owner) for each in held]
    with stand_ins(owner, shapes={}, keep={(id(owner), own) for own in own_names}):
        for each, own in zip(held, own_names, strict=True):
            memory = torch.empty_like(each.tensor, device="cpu")
            memory.untyped_storage().fill_(byte)
            owner._buffers[own] = memory
        with torch.no_grad(), torch.device("cpu"), contextlib.suppress(Exception):
            method()
        made = [owner._buffers.get(own) for own in own_names]
    for each, own in zip(held, own_names, strict=True):
        owner._buffers[own] = each.tensor
    return made


def _moved(values: Any, device: Any) -> Any:
    return values if values.device == device else torch.empty_like(values, device=device).copy_(values)


def _is_same(one: Any, other: Any) -> bool:
    if one is None or other is None or one.is_meta or other.is_meta or one.dtype != other.dtype:
        return False
    return bool(one.shape == other.shape and _bytes(one).equal(_bytes(other)))


def _bytes(tensor: Any) -> Any:
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8)


def _refusal(left: Sequence[ModuleTensor]) -> ValueError:
    without = [each.name for each in left if each.tensor.is_meta]
    if not without:
        return ValueError(
            "only names buffers that no module says how to compute, and that may have their values already: "
            f"{', '.join(each.name for each in left)}; leave them out to keep what they hold, or give their "
            "module a method reset_buffers() that computes them"
        )
    return ValueError(
        "these buffers have no values, and no module says how to compute them: "
        f"{', '.join(without)}; assign them before initialize_, give their module a "
        "method reset_buffers() that computes them, or build the module with its buffers off the meta "
        "device, as accelerate.init_empty_weights does"
    )
