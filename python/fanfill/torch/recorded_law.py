"""Knows by which laws a model of transformers draws its parameters: it watches ``_init_weights`` at work.

It must not know names, recipes or seeds, and writes to no tensor: the model is shown stand-ins for them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from ..law import Constant, Law, Normal, TruncatedNormal, Uniform
from .stand_in import Place, stand_ins

__all__ = ["is_pretrained", "recorded_laws"]

_ATEN = torch.ops.aten
_DRAWS = (_ATEN.normal_.default, _ATEN.uniform_.default)
# Modules that bind torch.nn.init's functions to names of their own when they are imported.
_USERS = ("activation", "linear", "conv", "batchnorm", "normalization", "rnn", "sparse", "transformer")


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
    governed = list(_governed(module, None))
    recorder = _Recorder()
    with stand_ins(module, shapes=shapes) as shown:
        padding = {id(owner): getattr(owner, "padding_idx", None) for owner, _ in governed}
        for place, stand_in in shown.items():
            recorder.watch(stand_in, place, padding[place[0]])
        with _watched_trunc_normal(recorder), torch.no_grad(), recorder:
            for owner, governor in governed:
                if governor is not None:
                    recorder.watch_init(governor, owner)
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

    def watch_init(self, governor: Any, owner: Any) -> None:
        """Let a model initialize one module; what needs values, of which stand-ins have none, is no law."""
        try:
            governor._init_weights(owner)
        except (RuntimeError, NotImplementedError):
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
                if isinstance(tensor, torch.Tensor) and tensor.is_meta:
                    self.write(tensor, _law_of(func, args[1:]))
        if func in _DRAWS and args[0].is_meta:
            return args[0]  # nor shall anyone else who watches count it
        return func(*args, **(kwargs or {}))


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
    """Take torch's and transformers' trunc_normal_, which are many operations, as the law that they are."""

    def trunc_normal_(
        tensor: Any, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, **_: Any
    ) -> Any:
        recorder.write(tensor, TruncatedNormal(mean, std, (a, b), "absolute"))
        return tensor

    originals = [(each, each.trunc_normal_) for each in _users() if hasattr(each, "trunc_normal_")]
    try:
        for each, _ in originals:
            each.trunc_normal_ = trunc_normal_
        yield
    finally:
        for each, original in originals:
            each.trunc_normal_ = original


def _users() -> Iterable[Any]:
    import sys

    names = (
        "torch.nn.init",
        "transformers.initialization",
        *(f"torch.nn.modules.{name}" for name in _USERS),
    )
    return [sys.modules[name] for name in names if name in sys.modules]
