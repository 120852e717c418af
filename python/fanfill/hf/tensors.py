"""The tensors that `save_pretrained` would write of a transformers model: names, shapes, ties and laws.

It must not know configuration files or recipes, nor need the weights: the model is on the meta device.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from ..arange import Arange
from ..law import Constant, Law
from ..log_uniform import LogUniform
from ..model import Parameter
from .laws import RecordedLaw

__all__ = ["HfTensor", "checkpoint_tensors"]

# The four published checkpoints of GPT-2 are of the model without a head, whose names have no prefix; loaders
# take both.
_PUBLISHED_WITHOUT = {"gpt2": "transformer."}


@dataclass(frozen=True)
class HfTensor:
    """One tensor of a checkpoint, and the law that the model's class draws it from, if it follows one."""

    parameter: Parameter
    law: Law | None


def checkpoint_tensors(model: Any, laws: Mapping[str, RecordedLaw]) -> tuple[list[HfTensor], tuple[str, ...]]:
    """Return the tensors of a model's checkpoint in the order of the model, and its counters.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        On the meta device.
    laws : mapping of str to RecordedLaw
        What was drawn for each name of its state dict.

    Raises
    ------
    ValueError
        If the checkpoint would hold what no law can make: integers that aren't counters, complex numbers.
    """
    from transformers.core_model_loading import revert_weight_conversion
    from transformers.modeling_utils import remove_tied_weights_from_state_dict

    state = model.state_dict()
    for name in getattr(model, "_keys_to_ignore_on_save", None) or ():
        state.pop(name, None)
    kept = remove_tied_weights_from_state_dict(dict(state), model)
    ties = _ties(model, state, kept)

    def published(tensors: Mapping[str, Any]) -> dict[str, Any]:
        renamed = revert_weight_conversion(model, _traced(tensors))
        prefix = _PUBLISHED_WITHOUT.get(model.config.model_type, "")
        return {name.removeprefix(prefix): tensor for name, tensor in renamed.items()}

    stored = published(kept)
    counters, found = [], []
    for name, tensor in _in_order(stored, list(state)):
        if tensor.is_floating_point():
            found.append(_tensor(name, tensor, model, laws, ties, published))
        elif tuple(tensor.shape) == () and not tensor.is_complex():
            counters.append(name)
        else:
            raise ValueError(
                f"its checkpoint holds {name} of type {str(tensor.dtype).removeprefix('torch.')} and shape "
                f"{tuple(tensor.shape)}, which no law makes"
            )
    return found, tuple(counters)


def _traced(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tensors as ones that remember, through any operation, whose values they hold."""
    torch: Any = import_module("torch")

    def function(cls: Any, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = torch.Tensor.__torch_function__.__func__(cls, func, types, args, kwargs or {})
        sources = _sources([*args, *(kwargs or {}).values()])
        for result in out if isinstance(out, (list, tuple)) else [out]:
            if isinstance(result, cls):
                result.fanfill_sources = sources
        return out

    traced_type: Any = type("Traced", (torch.Tensor,), {"__torch_function__": classmethod(function)})
    traced = {}
    for name, tensor in tensors.items():
        traced[name] = tensor.as_subclass(traced_type)
        traced[name].fanfill_sources = (name,)
    return traced


def _sources(values: Iterable[Any]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for value in values:
        own = _sources(value) if isinstance(value, (list, tuple)) else getattr(value, "fanfill_sources", ())
        found.update(dict.fromkeys(own))
    return tuple(found)


def _ties(model: Any, state: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return, under each tensor's name that is kept, the names in memory that are left out."""
    by_id = {id(model.get_parameter_or_buffer(name)): name for name in kept}
    ties: dict[str, list[str]] = {}
    for name in state:
        if name not in kept:
            owner = by_id.get(id(model.get_parameter_or_buffer(name)))
            if owner is None:
                raise ValueError(f"{name} is left out of its checkpoint and no other tensor is tied to it")
            ties.setdefault(owner, []).append(name)
    return ties


def _in_order(stored: Mapping[str, Any], names: list[str]) -> list[tuple[str, Any]]:
    """Return the tensors in the order of the model; those cut out of one of its tensors, by their names."""
    places = {name: place for place, name in enumerate(names)}
    modules: dict[str, int] = {}
    for name in names:
        modules.setdefault(name.rpartition(".")[0], places[name])
    pieces: dict[str, int] = {}
    for tensor in stored.values():
        for source in tensor.fanfill_sources:
            pieces[source] = pieces.get(source, 0) + 1

    def place(item: tuple[str, Any]) -> tuple[int, list[tuple[int, str]]]:
        name, sources = item[0], item[1].fanfill_sources
        if len(sources) == 1 and pieces[sources[0]] == 1:
            return places[sources[0]], []
        natural = [(int(part), "") if part.isdecimal() else (-1, part) for part in name.split(".")]
        return modules[sources[0].rpartition(".")[0]], natural

    return sorted(stored.items(), key=place)


def _tensor(
    name: str,
    tensor: Any,
    model: Any,
    laws: Mapping[str, RecordedLaw],
    ties: Mapping[str, list[str]],
    published: Any,
) -> HfTensor:
    sources = tensor.fanfill_sources
    recorded = [laws[source] for source in sources]
    law = recorded[0].law if all(each.law == recorded[0].law for each in recorded) else None
    shape = tuple(tensor.shape)
    path, _, own_name = sources[0].rpartition(".")
    module = model.get_submodule(path)
    whole = getattr(module, own_name)
    is_whole = len(sources) == 1 and tuple(whole.shape) == shape
    names = [tied for source in sources for tied in ties.get(source, ())] if is_whole else []
    is_convolution = hasattr(module, "kernel_size") and len(shape) > 2
    parameter = Parameter(
        name,
        shape,
        layout="io" if type(module).__name__ == "Conv1D" and len(shape) == 2 else "oi",
        batch_axes=(0,) if len(shape) == 3 and "experts" in path.split(".") else (),
        groups=getattr(module, "groups", 1) if is_convolution else 1,
        transposed=is_convolution and bool(getattr(module, "transposed", False)),
        padding_row=recorded[0].padding_row if is_whole else None,
        buffer=own_name in module._buffers,
        tie=tuple(renamed for tied in names for renamed in published({tied: whole})),
    )
    return HfTensor(parameter, law if law is not None else _computed_law(name, shape, model.config))


def _computed_law(name: str, shape: tuple[int, ...], config: Any) -> Law | None:
    """Return the law of a tensor that a model computes instead of drawing, where it is one of ours.

    A. Gu, T. Dao (2023), Mamba: Linear-Time Sequence Modeling with Selective State Spaces, section 3.6;
    A. Radford et al. (2021), Learning Transferable Visual Models From Natural Language Supervision, 2.5.
    """
    own_name = name.rpartition(".")[2]
    if own_name == "logit_scale" and shape == () and hasattr(config, "logit_scale_init_value"):
        return Constant(float(config.logit_scale_init_value))
    if not re.fullmatch(r"(?:falcon_)?mamba2?|jamba", config.model_type):
        return None
    if own_name == "A_log":
        return Arange(1.0, float(shape[-1] + 1), log=True)
    if name.endswith((".dt_proj.bias", ".dt_bias")) and hasattr(config, "time_step_min"):
        low, high = float(config.time_step_min), float(config.time_step_max)
        return LogUniform(low, high, floor=float(config.time_step_floor), inverse_softplus=True)
    return None
