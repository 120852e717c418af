"""Knows by which laws modules draw their parameters in code of their own: it watches that code at work.

It must not know names, recipes or seeds, and writes to no tensor: the modules are shown stand-ins for them.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from ..law import Constant, Law, Normal, Uniform
from .stand_in import Place, stand_ins
from .tensor_fill import truncated_normal_law

__all__ = ["is_pretrained", "recorded_laws", "recorded_reset_laws"]

_ATEN = torch.ops.aten
_DRAWS = (_ATEN.normal_.default, _ATEN.uniform_.default)
# In which every torch.nn.init.trunc_normal_ ends, whatever name it was imported by.
_TRUNC_NORMAL = "_no_grad_trunc_normal_"

# A module, and what initializes its parameters.
_Call: TypeAlias = tuple[Any, Callable[[], object]]


def is_pretrained(module: Any) -> bool:
    """Return whether a module is a model of transformers, without importing that."""
    return any(
        kind.__name__ == "PreTrainedModel" and kind.__module__ == "transformers.modeling_utils"
        for kind in type(module).__mro__
    )


def recorded_laws(module: Any, shapes: Mapping[Place, tuple[int, ...]]) -> dict[Place, Law | None]:
    """Return the law of each parameter that some ``_init_weights`` inside a module writes.

    Parameters
    ----------
    module : torch.nn.Module
        Is or holds models of transformers; each sees to the modules inside it that are in no nearer one.
    shapes : dict
        The global shape of each parameter, under the ``id`` of a module that holds it and what that calls it.

    Returns
    -------
    dict
        Under the same keys the law of what was written last; None where that was no law but computed
        values. A parameter that nothing was written to isn't there.
    """
    calls = [
        (owner, functools.partial(governor._init_weights, owner))
        for owner, governor in _governed(module, None)
        if governor is not None
    ]
    return _recorded(module, shapes, calls)


def recorded_reset_laws(module: Any, shapes: Mapping[Place, tuple[int, ...]]) -> dict[Place, Law | None]:
    """Return the law of each parameter that some ``reset_parameters`` writes which isn't torch's own.

    Parameters
    ----------
    module, shapes
        As for `recorded_laws`.

    Returns
    -------
    dict
        As of `recorded_laws`; what a module inside another one draws, that one may draw anew.
    """
    calls = [(owner, owner.reset_parameters) for owner, _ in _governed(module, None) if _has_own_reset(owner)]
    return _recorded(module, shapes, calls)


def _has_own_reset(owner: Any) -> bool:
    method = getattr(type(owner), "reset_parameters", None)
    return method is not None and not str(getattr(method, "__module__", "")).startswith("torch.")


def _recorded(
    module: Any, shapes: Mapping[Place, tuple[int, ...]], calls: Sequence[_Call]
) -> dict[Place, Law | None]:
    """Return what these calls, one after another, write last to each parameter."""
    if not calls:
        return {}
    recorder = _Recorder()
    with stand_ins(module, shapes=shapes) as shown:
        padding = {id(part): getattr(part, "padding_idx", None) for part in module.modules()}
        for place, stand_in in shown.items():
            recorder.watch(stand_in, place, padding[place[0]])
        # What is drawn beside the parameters must not move torch's generator.
        with torch.random.fork_rng(devices=[]), _watched_trunc_normal(recorder), torch.no_grad(), recorder:
            for owner, call in calls:
                recorder.watch_call(owner, call)
    return recorder.laws


def _governed(module: Any, governor: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each module with the nearest model that it is or is in, children first as transformers does."""
    if is_pretrained(module):
        governor = module
    for child in module._modules.values():
        if child is not None:
            yield from _governed(child, governor)
    yield module, governor


class _Recorder(TorchDispatchMode):  # type: ignore[misc, unused-ignore]
    """Sees every operation, and keeps the law by which a watched tensor was filled."""

    def __init__(self) -> None:
        super().__init__()
        self.laws: dict[Place, Law | None] = {}
        self._watched: dict[int, tuple[Place, Any, int | None]] = {}

    def watch(self, tensor: Any, place: Place, padding_row: int | None) -> None:
        self._watched[tensor.untyped_storage()._cdata] = (place, tensor, padding_row)

    def is_watched(self, tensor: Any) -> bool:
        return _is_on_meta(tensor) and tensor.untyped_storage()._cdata in self._watched

    def watch_call(self, owner: Any, call: Callable[[], object]) -> None:
        """Let a module be initialized; what needs values, of which stand-ins have none, is no law."""
        try:
            call()
        except (RuntimeError, TypeError, ValueError, NotImplementedError):
            self.laws.update({(id(owner), own): None for own in owner._parameters})

    def write(self, tensor: Any, law: Law | None) -> None:
        """Keep what was written to a watched tensor or to a part of one."""
        watched = self._watched.get(tensor.untyped_storage()._cdata)
        if watched is None:
            return
        place, whole, padding_row = watched
        if tensor.numel() == whole.numel():
            self.laws[place] = law
        elif not (
            law == Constant(0.0)
            and padding_row is not None
            and tensor.shape == whole.shape[1:]
            and tensor.storage_offset() == padding_row * whole.stride(0)
        ):  # the plan knows of the padding row, and of no other part
            self.laws[place] = None

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        for place, argument in enumerate(func._schema.arguments):
            if argument.alias_info is None or not argument.alias_info.is_write:
                continue
            written = args[place] if place < len(args) else (kwargs or {}).get(argument.name)
            for tensor in written if isinstance(written, (list, tuple)) else (written,):
                if _is_on_meta(tensor):
                    self.write(tensor, _law_of(func, args[1:]))
        if func in _DRAWS and _is_on_meta(args[0]):
            return args[0]  # nor shall anyone else who watches count it
        return func(*args, **(kwargs or {}))


def _is_on_meta(tensor: Any) -> bool:
    """Return whether a tensor has no memory; a stand-in's ``is_meta`` doesn't say so."""
    return isinstance(tensor, torch.Tensor) and str(tensor.device.type) == "meta"


def _law_of(func: Any, arguments: tuple[Any, ...]) -> Law | None:
    """Return the law that an operation fills its tensor with; None if it is none, or has no values."""
    try:
        return _filled_law(func, arguments)
    except (TypeError, ValueError):
        return None


def _filled_law(func: Any, arguments: tuple[Any, ...]) -> Law | None:
    if func is _ATEN.normal_.default:
        return Normal(*map(float, (*arguments, *(0.0, 1.0)[len(arguments) :])))
    if func is _ATEN.uniform_.default:
        low, high = map(float, (*arguments, *(0.0, 1.0)[len(arguments) :]))
        return Uniform(low, high) if low < high else Constant(low)
    if func is _ATEN.zero_.default:
        return Constant(0.0)
    if func is _ATEN.fill_.Scalar:
        return Constant(float(arguments[0]))
    return None


@contextlib.contextmanager
def _watched_trunc_normal(recorder: _Recorder) -> Iterator[None]:
    """Take a trunc_normal_ of a watched tensor, which is many operations, as the law that it is."""
    original = getattr(torch.nn.init, _TRUNC_NORMAL)

    def trunc_normal_(tensor: Any, mean: float, std: float, a: float, b: float, **options: Any) -> Any:
        if not recorder.is_watched(tensor):
            return original(tensor, mean, std, a, b, **options)
        try:
            recorder.write(tensor, truncated_normal_law(mean, std, a, b))
        except (TypeError, ValueError, ZeroDivisionError):
            recorder.write(tensor, None)
        return tensor

    setattr(torch.nn.init, _TRUNC_NORMAL, trunc_normal_)
    try:
        yield
    finally:
        setattr(torch.nn.init, _TRUNC_NORMAL, original)
