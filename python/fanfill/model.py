"""A model: the names, shapes and configuration of a published checkpoint.

It must not know how a law is chosen, nor of seeds or files.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from typing import Any

from .dtype import as_dtype
from .fan import Fans, Layout, fans
from .law import Constant, Law
from .number import as_int
from .plan.param_spec import ParamSpec, checked_name
from .region import as_shape

__all__ = ["Model", "Parameter"]


@dataclass(frozen=True)
class Parameter:
    """One tensor of a model before a recipe gives it a law.

    Parameters
    ----------
    name, shape, layout, parts, batch_axes, padding_row, buffer, tie
        As in `ParamSpec`, of which this is all that isn't law or dtype.
    groups : int, default 1
        Groups of a grouped convolution; `fans` divides the outputs by them, of a transposed one the inputs.
    transposed : bool, default False
        Whether it is the weight of a transposed convolution, which stores in and out the other way round; see
        `fanfill.fans`. It can't have parts.

    Raises
    ------
    TypeError, ValueError, OverflowError
        As for `ParamSpec` and `fans`.

    Examples
    --------
    >>> from fanfill.model import Parameter
    >>> qkv = Parameter("blocks.0.attn.qkv.weight", (2304, 768), parts=3)
    >>> qkv.fans[0]
    Fans(fan_in=768, fan_out=768)
    """

    name: str
    shape: tuple[int, ...]
    _: KW_ONLY
    layout: Layout = "oi"
    parts: int | tuple[int, ...] = ()
    batch_axes: tuple[int, ...] = ()
    padding_row: int | None = None
    groups: int = 1
    transposed: bool = False
    buffer: bool = False
    tie: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        checked_name(self.name)
        object.__setattr__(self, "shape", as_shape(self.shape, f"shape of {self.name!r}"))
        members = (self.layout, self.parts, self.batch_axes, self.padding_row, self.groups, self.buffer)
        if members == ("oi", (), (), None, 1, False) and self.tie == () and self.transposed is False:
            return  # as nearly all of the 45,000 of the largest model, and nothing to look at
        if self.transposed and self.parts != ():
            raise ValueError(f"transposed: the transposed weight {self.name!r} can't have parts")
        spec = self.spec([Constant(0.0)], "float32")  # or it raises, with the parameter's name
        for member in ("parts", "batch_axes", "padding_row", "tie"):
            object.__setattr__(self, member, getattr(spec, member))
        try:
            object.__setattr__(self, "groups", as_int(self.groups, "groups"))
            self.fans  # noqa: B018 - or it raises
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"parameter {self.name!r}: {error}") from error

    @property
    def numel(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def fans(self) -> tuple[Fans, ...]:
        """The fans of each part, from the global shape; of the one part that a plain tensor is."""
        if self.parts == ():
            return (
                fans(
                    self.shape,
                    layout=self.layout,
                    groups=self.groups,
                    transposed=self.transposed,
                    batch_axes=self.batch_axes,
                ),
            )
        return fans(
            self.shape,
            layout=self.layout,
            groups=self.groups,
            batch_axes=self.batch_axes,
            parts=self.parts,
        )

    def spec(self, laws: Sequence[Law], dtype: str) -> ParamSpec:
        """Return the spec of this tensor with one law for each part."""
        return ParamSpec(
            self.name,
            self.shape,
            tuple(laws),
            dtype=dtype,
            layout=self.layout,
            parts=self.parts,
            batch_axes=self.batch_axes,
            padding_row=self.padding_row,
            buffer=self.buffer,
            tie=self.tie,
        )


@dataclass(frozen=True)
class Model:
    """What a recipe needs to know of a model, and what a loader needs to open its checkpoint.

    Parameters
    ----------
    name : str
        The name on the command line.
    parameters : iterable of Parameter
        The tensors of the checkpoint, in its order; tied names aren't listed.
    depth : int
        Number of layers, which depth-scaled recipes divide by.
    width : int, optional
        Width of the residual path, which width-scaled recipes divide by.
    counters : tuple of str, default ()
        Names of int64 scalars that the checkpoint holds beside the tensors and that start at zero, such as a
        batch norm's ``num_batches_tracked``.
    recipe : str, optional
        Name of the default recipe.
    dtype : str, default "float32"
        Element type of the published checkpoint.
    config : mapping, optional
        The published ``config.json``, without its dtype.
    source : str, optional
        Where names, shapes and configuration are published.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type, depth or width is below 1, or fanfill doesn't write the dtype.

    Examples
    --------
    >>> from fanfill.model import Model, Parameter
    >>> model = Model("tiny", [Parameter("wte.weight", (8, 4))], depth=1)
    >>> model.numel
    32
    """

    name: str
    parameters: tuple[Parameter, ...]
    _: KW_ONLY
    depth: int
    width: int | None = None
    counters: tuple[str, ...] = ()
    recipe: str | None = None
    dtype: str = "float32"
    config: Mapping[str, Any] = field(default_factory=dict, hash=False)
    source: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise TypeError(f"name of a model must be a str, got {self.name!r}")
        parameters: object = self.parameters
        if not isinstance(parameters, Iterable):
            raise TypeError(f"parameters of model {self.name!r} must be Parameters, got {parameters!r}")
        object.__setattr__(self, "parameters", tuple(_checked_parameters(parameters)))
        object.__setattr__(self, "dtype", as_dtype(self.dtype, f"dtype of model {self.name!r}").name)
        for name, extent in (("depth", self.depth), ("width", self.width)):
            if extent is None and name == "width":
                continue
            count = as_int(extent, f"{name} of model {self.name!r}")
            if count < 1:
                raise ValueError(f"{name} of model {self.name!r} must be at least 1, got {count}")
            object.__setattr__(self, name, count)

    @property
    def numel(self) -> int:
        """Number of elements of all parameters; a tied tensor counts once, a buffer not at all."""
        return sum(parameter.numel for parameter in self.parameters if not parameter.buffer)

    @cached_property
    def by_name(self) -> Mapping[str, Parameter]:
        """The tensors under their names."""
        return {parameter.name: parameter for parameter in self.parameters}

    @cached_property
    def by_any_name(self) -> Mapping[str, Parameter]:
        """The tensors under their names, and those to which they are tied."""
        return {name: parameter for parameter in self.parameters for name in (parameter.name, *parameter.tie)}

    def config_json(self, dtype: str) -> str:
        """Return ``config.json`` for weights of `dtype`.

        The key is ``torch_dtype``, as published: loaders old and new read it. No framework has a float8 as
        its default type, so for float8 weights it says the published one, to which the loader widens them.
        """
        opened_as = self.dtype if dtype.startswith("float8") else dtype
        return json.dumps({**self.config, "torch_dtype": opened_as}, indent=2, sort_keys=True) + "\n"


def _checked_parameters(parameters: Iterable[Parameter]) -> Iterable[Parameter]:
    for parameter in parameters:
        if not isinstance(parameter, Parameter):
            raise TypeError(f"parameters of a model must be Parameter, got {parameter!r}")
        yield parameter
