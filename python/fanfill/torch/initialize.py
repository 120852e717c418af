"""Knows how a whole module is initialized: what is checked first, what gets memory, and what is filled.

It must not know how a law is chosen, how a shard lies in its tensor, or how a device is written.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeVar

import torch

from ..fill import Job
from ..plan.param_spec import ParamSpec
from ..plan.plan import Plan
from ..recipe import Recipe
from ..stream import Seed, normalize_seed
from .buffer_rebuild import rebuilt_buffers
from .device import check_tensor, fill_jobs_
from .meta import check_meta, hold, is_meta, mesh_device, unwritten
from .module_plan import plan_of_tensors
from .module_tensor import ModuleTensor, module_tensors
from .plan_match import match_plan
from .shard import is_dtensor, local_part
from .tensor_choice import chosen_tensors

__all__ = ["initialize_"]

ModuleT = TypeVar("ModuleT", bound=torch.nn.Module)


def initialize_(
    module: ModuleT,
    recipe: Recipe | Plan | str | None = None,
    *,
    seed: Seed | None = None,
    only: Iterable[str] | None = None,
    device: Any = None,
    depth: int | None = None,
    width: int | None = None,
    threads: int | None = None,
) -> ModuleT:
    """Give all parameters of a module their initial values by a recipe, and return the module.

    Parameter `name` gets ``fanfill.torch.plan(module, recipe, seed=seed).array(name)``, bit for bit: on one
    process or many, however it is sharded, whatever wraps the module and in whatever order its parameters
    were made. Of a DTensor (FSDP2, HSDP, tensor parallelism and what they combine to) every process draws
    its own part alone and asks no other.

    What is on the meta device gets memory here: don't call ``to_empty`` before, which unties tied parameters
    and leaves buffers without values. Buffers keep theirs; those on the meta device are computed anew by
    their module, as rotary frequencies and a batch norm's statistics can be, or refused by name. Nothing is
    written, and the module holds what it held, unless all is in order.

    Parameters
    ----------
    module : torch.nn.Module
        On the host, on another device (see `fill_`), on the meta device, or partly so.
    recipe : Recipe, Plan or str, optional
        See `plan` for recipes, their names and the default. With a `fanfill.Plan` its seed, dtypes and
        shapes must be the module's; buffers that it names are filled too.
    seed : int or numpy.random.SeedSequence, optional
        Default 0; of a Plan its own, and another is an error.
    only : iterable of str, optional
        Names of parameters, such as the ``missing_keys`` of ``load_state_dict``; of modules, for all
        parameters inside; or patterns with ``*``, ``?``, ``[...]``. They get the values that they get without
        `only`, and no other parameter changes. A buffer named here is computed anew.
    device : torch.device or str, optional
        Where to put what is on the meta device. Default: the mesh of the module's DTensors, else the host.
        Give ``"cpu"`` for FSDP2 with a ``CPUOffloadPolicy``, which keeps its shards there.
    depth, width : int, optional
        As for `model_of`.
    threads : int, optional
        As for `fanfill.fill_`.

    Returns
    -------
    torch.nn.Module
        `module` itself. Parameters keep ``requires_grad``; those that were on the meta device are new
        objects, so make optimizers afterwards.

    Raises
    ------
    KeyError
        If `only` or a Plan names what the module doesn't have, or a Plan lacks some; the message lists them.
    TypeError
        If a parameter isn't of a dtype and layout that fanfill writes: integers, bools, quantized, sparse.
    ValueError
        If the recipe has no law for some parameter, a Plan says another shape or dtype, a parameter would
        stay on the meta device, a buffer can't be computed, or a DTensor lies on a mesh without this process
        or has a shard that doesn't fit.

    Examples
    --------
    >>> import torch
    >>> from fanfill.torch import initialize_, plan
    >>> layer = initialize_(torch.nn.Linear(3, 2, device="meta"), "torch-default", seed=7)
    >>> drawn = plan(layer, "torch-default", seed=7).array("weight")
    >>> bool((layer.weight == torch.from_numpy(drawn)).all())
    True
    """
    if isinstance(module, torch.nn.Module):
        _reshard(module)
    tensors = module_tensors(module)
    chosen = None if only is None else chosen_tensors(tensors, only)
    pairs, seed = _specs(module, tensors, chosen, recipe, seed, depth, width)
    device = _device(device, tensors)
    _check(tensors, pairs)
    drawn = {id(each) for each, _ in pairs}
    buffers = [
        each
        for each in tensors
        if each.is_buffer and id(each) not in drawn and (each.tensor.is_meta or (chosen and each in chosen))
    ]
    with rebuilt_buffers(module, buffers, device):
        _fill(pairs, device, seed, threads)
    return module


def _specs(
    module: Any,
    tensors: Collection[ModuleTensor],
    chosen: Collection[ModuleTensor] | None,
    recipe: Recipe | Plan | str | None,
    seed: Seed | None,
    depth: int | None,
    width: int | None,
) -> tuple[list[tuple[ModuleTensor, ParamSpec]], int]:
    """Return what each tensor is to be filled with, and the seed."""
    if isinstance(recipe, Plan):
        if seed is not None and normalize_seed(seed) != recipe.seed:
            raise ValueError(f"seed is {seed} and the plan has {recipe.seed}; leave seed away")
        wanted = None if chosen is None else [each for each in chosen if not each.is_buffer]
        return match_plan(recipe, module, tensors, wanted), recipe.seed
    wanted = [each for each in (tensors if chosen is None else chosen) if not each.is_buffer]
    plan = plan_of_tensors(module, tensors, wanted, recipe, 0 if seed is None else seed, depth, width)
    return list(zip(wanted, plan, strict=True)), plan.seed


def _reshard(module: Any) -> None:
    """Let FSDP2 show its shards: after a forward it may leave gathered parameters, which it will drop."""
    for part in module.modules():
        if any(kind.__name__ == "FSDPModule" for kind in type(part).__mro__):
            part.reshard()


def _device(device: Any, tensors: Iterable[ModuleTensor]) -> Any:
    if device is not None:
        try:
            device = torch.device(device)
        except (RuntimeError, TypeError) as error:
            raise type(error)(f"device: {error}") from error
        if device.type == "meta":
            raise ValueError("device: the meta device has no memory; leave device away for the host")
        return device
    meshes = (each.tensor.device_mesh for each in tensors if is_dtensor(each.tensor))
    return mesh_device(next(meshes, None))


def _check(tensors: Iterable[ModuleTensor], pairs: Sequence[tuple[ModuleTensor, ParamSpec]]) -> None:
    """Raise whatever would keep a parameter from being filled."""
    drawn = {id(each) for each, _ in pairs}
    left = [
        each.name for each in tensors if not each.is_buffer and id(each) not in drawn and is_meta(each.tensor)
    ]
    if left:
        raise ValueError(
            "only leaves parameters on the meta device, which have no values; name them too: "
            f"{', '.join(left)}"
        )
    for each, _ in pairs:
        local, _ = local_part(each.tensor, str(each))
        (check_meta if local.is_meta else check_tensor)(local, str(each))


def _fill(
    pairs: Sequence[tuple[ModuleTensor, ParamSpec]], device: Any, seed: int, threads: int | None
) -> None:
    """Fill everything in one pass, and only then let the module hold what is new."""
    filled = [unwritten(each.tensor, device) if is_meta(each.tensor) else each.tensor for each, _ in pairs]
    jobs = []
    for (each, spec), tensor in zip(pairs, filled, strict=True):
        local, region = local_part(tensor, str(each))
        jobs.append(Job(local, spec.drawn_law, spec.name, region))
    try:
        fill_jobs_(jobs, seed=seed, threads=threads)
    except ValueError as error:
        names = [str(each) for each, _ in pairs]
        message = re.sub(r"jobs\[(\d+)\](?:\.out)?", lambda found: names[int(found[1])], str(error))
        raise ValueError(message) from error
    for (each, _), tensor, job in zip(pairs, filled, jobs, strict=True):
        if tensor is not each.tensor:
            hold(each, tensor)
        elif job.out is not tensor and not tensor.is_inference():
            torch.autograd.graph.increment_version(tensor)  # the shard's own is another
