"""Knows every parameter and buffer of a module once, with all its names and all the places that hold it.

It must not know laws, recipes or shards, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch

from ..plan.param_spec import checked_name
from .wrapper_name import child_name

__all__ = ["ModuleTensor", "module_tensors"]


@dataclass(eq=False)
class ModuleTensor:
    """One parameter or buffer of a module.

    Attributes
    ----------
    tensor : torch.Tensor
        The Parameter or buffer.
    is_buffer : bool
        Which of the two.
    names : list of str
        Its names in the order of the modules, without what wrappers add; more than one where it is tied.
    raw_names : list of str
        The same with what wrappers add, as ``module.named_parameters()`` has them.
    places : list of (torch.nn.Module, str)
        The modules that hold it, and what each calls it.
    """

    tensor: Any
    is_buffer: bool
    names: list[str] = field(default_factory=list)
    raw_names: list[str] = field(default_factory=list)
    places: list[tuple[Any, str]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The first name, which keys the stream."""
        return self.names[0]

    @property
    def owner(self) -> Any:
        """The module that the first name belongs to."""
        return self.places[0][0]

    @property
    def shape(self) -> tuple[int, ...]:
        """The global shape."""
        return tuple(self.tensor.shape)

    def __str__(self) -> str:
        return f"{'buffer' if self.is_buffer else 'parameter'} {self.name!r}"


def module_tensors(module: Any) -> list[ModuleTensor]:
    """Return the parameters and buffers of a module, in the order of ``module.state_dict()``.

    Parameters of one object, or whose elements lie in the same places, are one tensor with several names.

    Raises
    ------
    TypeError
        If `module` is no torch.nn.Module, or an engine holds its parameters as flat pieces, FSDP1 or ZeRO-3.
    ValueError
        If a tensor is lazy, or two have one name once wrappers are taken off.
    """
    if not isinstance(module, torch.nn.Module):
        raise TypeError(
            f"module must be a torch.nn.Module, not {type(module).__module__}.{type(module).__name__}"
        )
    _refuse_flat(module)
    found: dict[Any, ModuleTensor] = {}
    taken: dict[str, Any] = {}
    for raw, clean, owner in _walk(module, "", ""):
        for held, is_buffer in ((owner._parameters, False), (owner._buffers, True)):
            for own, tensor in held.items():
                if tensor is None:
                    continue
                name = checked_name(clean + own)
                if torch.nn.parameter.is_lazy(tensor):
                    raise ValueError(
                        f"{name!r} is lazy and has no shape yet; run the module once, then initialize it"
                    )
                identity = _identity(tensor)
                if taken.setdefault(name, identity) != identity:
                    raise ValueError(f"two tensors of the module are called {name!r}, wrappers' names aside")
                each = found.setdefault(identity, ModuleTensor(tensor, is_buffer))
                each.raw_names.append(raw + own)
                each.places.append((owner, own))
                if name not in each.names:
                    each.names.append(name)
    return list(found.values())


def _refuse_flat(module: Any) -> None:
    """Refuse modules that show pieces of parameters as if they were whole ones, of other shapes."""
    engines = {
        "FSDP1": any(
            kind.__name__ == "FullyShardedDataParallel"
            for part in module.modules()
            for kind in type(part).__mro__
        ),
        "DeepSpeed ZeRO-3": any(hasattr(parameter, "ds_shape") for parameter in module.parameters()),
    }
    for engine, is_there in engines.items():
        if is_there:
            raise TypeError(
                f"module: {engine} holds its parameters as flat pieces; initialize the module before the "
                "engine takes it, or each piece by fanfill.torch.fill_(piece, law, seed=, key=name, "
                "region=Region.flat(shape, start, stop))"
            )


def _walk(module: Any, raw: str, clean: str) -> Iterator[tuple[str, str, Any]]:
    """Yield each module with the prefix of its tensors' names, as torch has it and without wrappers."""
    yield raw, clean, module
    for name, child in module._modules.items():
        if child is not None:
            part = child_name(module, name)
            yield from _walk(child, f"{raw}{name}.", f"{clean}{part}." if part else clean)


def _identity(tensor: Any) -> Any:
    """Return what is the same for two tensors if and only if a value written to one is the other's too."""
    local = getattr(tensor, "_local_tensor", tensor)
    if type(local) not in (torch.Tensor, torch.nn.Parameter) or local.is_meta or not local.numel():
        return id(tensor)
    if local.layout is not torch.strided:
        return id(tensor)
    return local.device, local.data_ptr(), local.dtype, tuple(local.shape), local.stride()
