"""Knows which of torch's random operations are fills with a law of fanfill's, and how to read their calls.

It must not know streams, or what becomes of a fill.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import torch

from ..dtype import of_torch
from ..law import Law
from .tensor_fill import normal_law, uniform_law

__all__ = ["NotDrawnError", "RandomFill", "is_read", "may_draw", "read_fill"]

_aten = torch.ops.aten


class NotDrawnError(Exception):
    """A random operation that torch has to do itself; the text says why."""


class RandomFill(NamedTuple):
    """One fill that an operation asks for: a tensor, its law, and the generator that it is to come from."""

    tensor: torch.Tensor
    law: Law
    generator: torch.Generator | None


def read_fill(operation: Any, arguments: Sequence[Any], options: dict[str, Any]) -> RandomFill:
    """Return the fill that a call of a random operation asks for.

    Raises
    ------
    NotDrawnError
        If it is none that fanfill could draw.
    TypeError, ValueError
        If its law has parameters that fanfill refuses.
    """
    read = _READERS.get(operation)
    if read is None:
        raise NotDrawnError("no fill with one normal or uniform law")
    return read(*arguments, **options)


def is_read(operation: Any) -> bool:
    """Return whether an operation is a fill that fanfill could draw, depending on its arguments."""
    return operation in _READERS


@functools.cache
def may_draw(operation: Any) -> bool:
    """Return whether an operation may draw from a generator; operators of higher order have no tags."""
    return torch.Tag.nondeterministic_seeded in getattr(operation, "tags", ())


def _normal_(
    tensor: torch.Tensor, mean: Any = 0.0, std: Any = 1.0, *, generator: torch.Generator | None = None
) -> RandomFill:
    return RandomFill(tensor, normal_law(mean, std), generator)


def _uniform_(
    tensor: torch.Tensor, low: Any = 0.0, high: Any = 1.0, *, generator: torch.Generator | None = None
) -> RandomFill:
    return RandomFill(tensor, uniform_law(low, high), generator)


def _new(
    law: Callable[[], Law], size: Sequence[int], generator: torch.Generator | None = None, **options: Any
) -> RandomFill:
    """Read a call that makes a tensor, or writes the one that it is given by ``out=``."""
    out: torch.Tensor | None = options.pop("out", None)
    if out is not None:
        if tuple(out.shape) != tuple(size):
            raise NotDrawnError("out= is to be resized")
        return RandomFill(out, law(), generator)
    _check_options(options.get("dtype") or torch.get_default_dtype(), options)
    return RandomFill(_aten.empty.memory_format(size, **options), law(), generator)


def _like(
    law: Callable[[], Law], like: torch.Tensor, generator: torch.Generator | None = None, **options: Any
) -> RandomFill:
    """Read a call that makes a tensor like another one."""
    _check_options(
        options.get("dtype") or like.dtype,
        {"device": options.get("device") or like.device, "layout": options.get("layout") or like.layout},
    )
    return RandomFill(_aten.empty_like.default(like, **options), law(), generator)


def _check_options(dtype: torch.dtype, options: dict[str, Any]) -> None:
    """Refuse what fanfill could not fill, before memory is taken for it."""
    device, layout = options.get("device"), options.get("layout")
    if device is not None and torch.device(device).type != "cpu":
        raise NotDrawnError(f"tensor on the device {device}")
    if layout is not None and layout is not torch.strided:
        raise NotDrawnError(f"tensor of layout {layout}")
    if of_torch(dtype) is None:
        raise NotDrawnError(f"tensor has elements of {dtype}")


def _standard_normal() -> Law:
    return normal_law(0.0, 1.0)


def _unit_uniform() -> Law:
    return uniform_law(0.0, 1.0)


def _randn(size: Sequence[int], **options: Any) -> RandomFill:
    return _new(_standard_normal, size, **options)


def _rand(size: Sequence[int], **options: Any) -> RandomFill:
    return _new(_unit_uniform, size, **options)


def _randn_like(like: torch.Tensor, **options: Any) -> RandomFill:
    return _like(_standard_normal, like, **options)


def _rand_like(like: torch.Tensor, **options: Any) -> RandomFill:
    return _like(_unit_uniform, like, **options)


def _normal(mean: Any, std: Any, size: Sequence[int], **options: Any) -> RandomFill:
    return _new(lambda: normal_law(mean, std), size, **options)


_Reader: TypeAlias = Callable[..., RandomFill]

# Of each operation the overloads that are read; those with named axes or whole tensors of parameters are not.
_OVERLOADS: tuple[tuple[Any, _Reader, tuple[str, ...]], ...] = (
    (_aten.normal_, _normal_, ("default",)),
    (_aten.uniform_, _uniform_, ("default",)),
    (_aten.randn, _randn, ("default", "generator", "out", "generator_out")),
    (_aten.rand, _rand, ("default", "generator", "out", "generator_out")),
    (_aten.randn_like, _randn_like, ("default", "generator")),
    (_aten.rand_like, _rand_like, ("default", "generator")),
    (_aten.normal, _normal, ("float_float", "float_float_out")),
)
_READERS: dict[Any, _Reader] = {
    getattr(packet, name): read
    for packet, read, names in _OVERLOADS
    for name in names
    if name in packet.overloads()  # random tensors like another one have a generator from torch 2.8 or so on
}
