"""What a plan says of one parameter: its name, global shape, dtype, law, layout, parts and further names.

It must not know of recipes, models, files or memory, nor how a value is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

from ..dtype import DType, as_dtype
from ..fan import Layout, fans, part_axis, part_sizes
from ..fused_law import FusedLaw
from ..law import Constant, Law
from ..number import as_int
from ..region import as_shape
from ..stream import stream_id

__all__ = ["ParamSpec"]

# The members of the JSON form that stay out of it at their default.
_OPTIONAL = {"layout", "parts", "batch_axes", "padding_row", "buffer", "tie"}


def checked_name(name: str) -> str:
    """Return `name`, or raise if it can't name a parameter (it is hashed as UTF-8 to give the stream)."""
    if not isinstance(name, str):
        raise TypeError(f"a parameter's name must be a str, got {name!r}")
    if not name:
        raise ValueError("a parameter's name must not be empty")
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"the parameter name {name!r} can't be written as UTF-8; rename it") from error
    return name


@dataclass(frozen=True)
class ParamSpec:
    r"""One parameter of a plan.

    Its values are those of ``fill_(out, law, seed=plan.seed, key=name)`` over `shape`: nothing else of the
    plan has a part in them.

    Parameters
    ----------
    name : str
        The name in the checkpoint. BLAKE2b-64 of its UTF-8 bytes is the stream.
    shape : tuple of int
        The global, logical shape, whatever part of it a process holds.
    law : Normal, Uniform, TruncatedNormal, LogUniform, Arange or Constant, or a tuple of them
        The law of every element; of a fused tensor also a tuple with one law for each of `parts`.
    dtype : str, default "float32"
        Name of the element type; any spelling that `fill_` takes, kept under its canonical name.
    layout : {"oi", "io"}, default "oi"
        Where a matrix has its input: ``"oi"`` is (out, in, \*kernel), ``"io"`` is (\*kernel, in, out).
    parts : int or tuple of int, optional
        Weights fused along the out axis, such as query, key and value: their number if equal, else their
        sizes; kept as sizes. The stream stays one, indexed in the fused tensor.
    batch_axes : tuple of int, default ()
        Axes along which independent weights are stacked, such as experts; kept ascending, from 0.
    padding_row : int, optional
        Row of an embedding that is all zeros whatever the law.
    buffer : bool, default False
        Whether the tensor is state that isn't trained, such as a batch norm's running mean: it is filled and
        written like any other and counted apart.
    tie : tuple of str, default ()
        Further names under which a model lists this same tensor, such as a tied output head.
        They are neither stored nor counted.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or range, or the law can't be drawn in `dtype`.
    OverflowError
        If the shape has more than 2**62 elements.

    Examples
    --------
    >>> import fanfill as ff
    >>> spec = ff.ParamSpec("wte.weight", (50257, 768), ff.Normal(0.0, 0.02), tie=("lm_head.weight",))
    >>> spec.numel, spec.nbytes, spec.fan_in
    (38597376, 154389504, 768)
    """

    name: str
    shape: tuple[int, ...]
    law: Law | tuple[Law, ...]
    _: KW_ONLY
    dtype: str = "float32"
    layout: Layout = "oi"
    parts: int | tuple[int, ...] = ()
    batch_axes: tuple[int, ...] = ()
    padding_row: int | None = None
    buffer: bool = False
    tie: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        checked_name(self.name)
        owner = f"parameter {self.name!r}"
        if self.layout not in ("oi", "io"):
            raise ValueError(f"layout of {owner} must be 'oi' or 'io', got {self.layout!r}")
        if not isinstance(self.buffer, bool):
            raise TypeError(f"buffer of {owner} must be a bool, got {self.buffer!r}")
        tie: object = self.tie
        if isinstance(tie, str) or not isinstance(tie, Iterable):
            raise TypeError(f"tie of {owner} must be a tuple of names, got {tie!r}")
        self._set("shape", as_shape(self.shape, f"shape of {owner}"))
        self._set("dtype", as_dtype(self.dtype).name)
        self._set("tie", tuple(checked_name(name) for name in self.tie))
        try:
            self._set("batch_axes", _checked_axes(self.batch_axes, len(self.shape)))
            self._set("parts", self._checked_parts())
            self._set("padding_row", self._checked_padding_row())
            self._set("law", self._checked_law())
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"{owner}: {error}") from error

    def _set(self, member: str, value: object) -> None:
        object.__setattr__(self, member, value)

    def _checked_parts(self) -> tuple[int, ...]:
        if self.parts == ():
            return ()
        fans(self.shape, layout=self.layout, batch_axes=self.batch_axes, parts=self.parts)  # or it raises
        return tuple(part_sizes(self.shape[self._part_axis], self.parts))

    def _checked_padding_row(self) -> int | None:
        if self.padding_row is None:
            return None
        row = as_int(self.padding_row, "padding_row")
        if len(self.shape) != 2 or self.parts or self.batch_axes:
            raise ValueError("padding_row is a row of an embedding: a matrix without parts or batch_axes")
        if not 0 <= row < self.shape[0]:
            raise ValueError(f"padding_row must be one of the {self.shape[0]} rows, got {row}")
        return row

    def _checked_law(self) -> Law | tuple[Law, ...]:
        """Return the law or, where the parts differ in theirs, the laws; each can be drawn in the dtype."""
        laws = self.law if isinstance(self.law, tuple) else (self.law,)
        for law in laws:
            if not isinstance(law, Law):
                raise TypeError(
                    f"law must be a fanfill law such as Normal(0.0, 0.02), or a tuple of them, got {law!r}"
                )
            law.check(self.element)
        if len(laws) not in (1, len(self._sizes) or 1):
            raise ValueError(
                f"law must be one law or one for each of the parts, got {len(laws)} for {len(self._sizes)}"
            )
        return laws if len(set(laws)) > 1 else laws[0]

    @property
    def _part_axis(self) -> int:
        return part_axis(self.shape, self.layout, False, self.batch_axes)

    @property
    def _sizes(self) -> tuple[int, ...]:
        """The sizes of the parts, as `parts` keeps them."""
        return self.parts if isinstance(self.parts, tuple) else ()

    @property
    def laws(self) -> tuple[Law, ...]:
        """The laws of the parts, or the one law of all."""
        return self.law if isinstance(self.law, tuple) else (self.law,)

    @property
    def drawn_law(self) -> Law | FusedLaw:
        """What `fill_many_` draws: the law, with the parts and the padding row in their places."""
        if self.padding_row is not None:
            (law,), row = self.laws, self.padding_row
            return FusedLaw((law, Constant(0.0), law), 0, (row, 1, self.shape[0] - row - 1))
        if len(self.laws) > 1:
            return FusedLaw(self.laws, self._part_axis, self._sizes)
        return self.laws[0]

    @property
    def stream(self) -> int:
        """The stream that the name gives."""
        return stream_id(self.name)

    @property
    def element(self) -> DType:
        """The row of the dtype table for `dtype`."""
        return as_dtype(self.dtype)

    @property
    def numel(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the whole tensor."""
        return self.numel * self.element.itemsize

    @property
    def fan_in(self) -> float | None:
        """Inputs of one output unit, from the global shape; None for vectors and scalars, which have none."""
        if len(self.shape) - len(self.batch_axes) < 2:
            return None
        return fans(self.shape, layout=self.layout, batch_axes=self.batch_axes).fan_in

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form. Members at their default stay out, so that later members keep old hashes."""
        member: dict[str, Any] = {
            "name": self.name,
            "shape": list(self.shape),
            "dtype": self.dtype,
            "law": _law_to_json(self.law),
        }
        if self.layout != "oi":
            member["layout"] = self.layout
        for name in ("parts", "batch_axes", "tie"):
            if getattr(self, name):
                member[name] = list(getattr(self, name))
        if self.padding_row is not None:
            member["padding_row"] = self.padding_row
        if self.buffer:
            member["buffer"] = True
        return member

    @classmethod
    def from_dict(cls, member: Mapping[str, Any]) -> ParamSpec:
        """Return the spec that `to_dict` described; a missing or unknown member is a ValueError.

        Raises
        ------
        TypeError, ValueError, OverflowError
            If members are missing or unknown, or `ParamSpec` refuses a value.
        """
        required = {"name", "shape", "dtype", "law"}
        known = required | _OPTIONAL
        if not isinstance(member, Mapping):
            raise ValueError(f"a parameter of a plan must be a JSON object, got {type(member).__name__}")
        unknown = sorted(set(member) - known)
        if unknown:
            raise ValueError(
                f"parameter {member.get('name')!r} has members that this version of fanfill doesn't know: "
                f"{', '.join(unknown)}; update fanfill"
            )
        missing = sorted(required - set(member))
        if missing:
            raise ValueError(f"parameter {member.get('name')!r} of the plan lacks {', '.join(missing)}")
        for key in ("shape", "parts", "batch_axes", "tie"):
            if not isinstance(member.get(key, []), (list, tuple)):
                raise ValueError(
                    f"{key} of parameter {member['name']!r} must be an array, got {member[key]!r}"
                )
        try:
            law = _law_from_json(member["law"])
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"parameter {member['name']!r}: {error}") from error
        return cls(
            member["name"],
            member["shape"],
            law,
            dtype=member["dtype"],
            **{key: _from_json(value) for key, value in member.items() if key in _OPTIONAL},
        )


def _checked_axes(axes: Any, ndim: int) -> tuple[int, ...]:
    if isinstance(axes, str) or not isinstance(axes, Iterable):
        raise TypeError(f"batch_axes must be a tuple of ints, got {axes!r}")
    checked = [as_int(axis, "batch_axes") for axis in axes]
    if any(not -ndim <= axis < ndim for axis in checked):
        raise ValueError(f"batch_axes must be axes of a shape of {ndim}, got {tuple(checked)}")
    kept = tuple(sorted({axis % ndim for axis in checked}))
    if len(kept) != len(checked):
        raise ValueError(f"batch_axes names an axis twice: {tuple(checked)}")
    return kept


def _law_to_json(law: Law | tuple[Law, ...]) -> Any:
    return [each.to_dict() for each in law] if isinstance(law, tuple) else law.to_dict()


def _law_from_json(law: Any) -> Law | tuple[Law, ...]:
    if isinstance(law, (list, tuple)):
        return tuple(Law.from_dict(each) for each in law)
    return Law.from_dict(law)


def _from_json(value: Any) -> Any:
    """JSON's arrays as tuples."""
    return tuple(value) if isinstance(value, list) else value
