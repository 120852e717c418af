"""A plan: an ordered, immutable list of parameters and a seed, which together say every bit of a model.

It must not know of recipes, models or files, nor how a value is drawn.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from .. import _core
from ..fill import Job, fill_many_
from ..memory import aligned_empty
from ..region import Region
from ..stream import Seed, normalize_seed
from .mapping import chosen_specs, in_the_callers_words, tensor_job
from .param_spec import ParamSpec
from .table import plan_table
from .text import content_hash, plan_members

if TYPE_CHECKING:
    from ..checkpoint.target import Written

# What may differ between two specs of one name.
_MEMBERS = ("shape", "dtype", "law", "layout", "parts", "batch_axes", "padding_row", "buffer", "tie")

MappingT = TypeVar("MappingT", bound=Mapping[str, Any])


class Plan:
    """An ordered, immutable list of `ParamSpec` and a seed.

    A parameter's values depend on its name, the seed and its law alone, so adding, removing or reordering
    parameters changes no other one, and a vocabulary that grows keeps its old rows.

    Parameters
    ----------
    parameters : iterable of ParamSpec
        In the order of the checkpoint. Names and ties must all differ.
    seed : int or numpy.random.SeedSequence
        The key of every stream.
    model, recipe : str, optional
        Where the plan comes from. Labels only: neither `==` nor `hash` looks at them.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or range, or a name occurs twice.

    Examples
    --------
    >>> import fanfill as ff
    >>> plan = ff.Plan([ff.ParamSpec("wte.weight", (8, 4), ff.Normal(0.0, 0.02))], seed=7)
    >>> ff.Plan.from_json(plan.to_json()) == plan
    True
    >>> plan.array("wte.weight").shape
    (8, 4)
    """

    def __init__(
        self,
        parameters: Iterable[ParamSpec],
        *,
        seed: Seed,
        model: str | None = None,
        recipe: str | None = None,
    ) -> None:
        if not isinstance(parameters, Iterable):
            raise TypeError(f"parameters must be an iterable of ParamSpec, got {parameters!r}")
        self._parameters = tuple(parameters)
        self._seed = normalize_seed(seed)
        self._model = model
        self._recipe = recipe
        for label in (model, recipe):
            if label is not None and not isinstance(label, str):
                raise TypeError(f"model and recipe must be names, got {label!r}")
        taken: set[str] = set()
        for spec in self._parameters:
            if not isinstance(spec, ParamSpec):
                raise TypeError(f"parameters must be ParamSpec, got {spec!r}")
            for name in (spec.name, *spec.tie):
                if name in taken:
                    raise ValueError(
                        f"the name {name!r} occurs twice in the plan; equal names give equal values"
                    )
                taken.add(name)

    @property
    def parameters(self) -> tuple[ParamSpec, ...]:
        """The parameters, in order."""
        return self._parameters

    @property
    def seed(self) -> int:
        """The seed, an integer in [0, 2^64)."""
        return self._seed

    @property
    def contract_version(self) -> int:
        """The version of the value contract under which the plan gives its bits."""
        return _core.CONTRACT_VERSION

    @property
    def model(self) -> str | None:
        """Name of the model, if the plan came from one."""
        return self._model

    @property
    def recipe(self) -> str | None:
        """Name of the recipe, if the plan came from one."""
        return self._recipe

    @property
    def numel(self) -> int:
        """Number of elements of all tensors; a tied one counts once."""
        return sum(spec.numel for spec in self._parameters)

    @property
    def buffer_numel(self) -> int:
        """Number of elements of the tensors that are buffers, such as a batch norm's running mean."""
        return sum(spec.numel for spec in self._parameters if spec.buffer)

    @property
    def nbytes(self) -> int:
        """Bytes of all tensors; a tied one counts once."""
        return sum(spec.nbytes for spec in self._parameters)

    @cached_property
    def _by_name(self) -> dict[str, ParamSpec]:
        return {spec.name: spec for spec in self._parameters}

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[ParamSpec]:
        return iter(self._parameters)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> ParamSpec:
        try:
            return self._by_name[name]
        except KeyError:
            raise KeyError(f"the plan has no parameter {name!r}; plan.parameters lists them") from None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Plan):
            return NotImplemented
        return self._seed == other._seed and self._parameters == other._parameters

    def __hash__(self) -> int:
        return hash((self._seed, self._parameters))

    def __repr__(self) -> str:
        label = f"model={self._model!r}, recipe={self._recipe!r}, " if self._model or self._recipe else ""
        return f"<Plan {label}seed={self._seed}, {len(self)} parameters, {self.numel:,} elements>"

    @cached_property
    def hash(self) -> str:
        """SHA-256, in hex, of the canonical JSON of what the bits depend on and nothing else.

        Canonical is UTF-8 with sorted keys, no spaces, and floats in the shortest form that reads back.
        """
        return content_hash(self._content())

    def _content(self) -> dict[str, Any]:
        return {
            "contract_version": self.contract_version,
            "seed": self._seed,
            "parameters": [spec.to_dict() for spec in self._parameters],
        }

    def to_json(self, *, indent: int | None = None) -> str:
        """Return the plan as JSON, with contract version, labels and hash."""
        labels = {
            key: value
            for key, value in (("model", self._model), ("recipe", self._recipe))
            if value is not None
        }
        return json.dumps({**labels, "hash": self.hash, **self._content()}, indent=indent, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Return the plan that `to_json` wrote.

        Raises
        ------
        TypeError
            If `text` is no str.
        ValueError
            If the text isn't such a plan, is of another contract version, or doesn't have the hash it claims.
        """
        content = plan_members(text)
        try:
            plan = cls(
                (ParamSpec.from_dict(member) for member in content["parameters"]),
                seed=content["seed"],
                model=content.get("model"),
                recipe=content.get("recipe"),
            )
        except (TypeError, OverflowError) as error:
            raise ValueError(f"the plan's JSON has a member of the wrong type or size: {error}") from error
        if plan.hash != content["hash"]:
            raise ValueError(
                f"the plan says its hash is {content['hash']} but its content has {plan.hash}; it was "
                "edited: build the plan again, or load it in Python and write it with to_json"
            )
        return plan

    def diff(self, other: Plan) -> list[str]:
        """Return what `other` has otherwise, one line each; empty if and only if the plans are equal."""
        if not isinstance(other, Plan):
            raise TypeError(f"other must be a Plan, got {type(other).__name__}")
        lines = [] if self._seed == other._seed else [f"seed: {self._seed} -> {other._seed}"]
        lines += [f"- {spec.name}" for spec in self if spec.name not in other]
        lines += [f"+ {spec.name}" for spec in other if spec.name not in self]
        for spec in self:
            if spec.name in other and spec != other[spec.name]:
                twin = other[spec.name]
                for member in _MEMBERS:
                    before, after = getattr(spec, member), getattr(twin, member)
                    if before != after:
                        lines.append(f"{spec.name}: {member} {before} -> {after}")
        if not lines and self != other:
            lines.append("order of the parameters")
        return lines

    def table(self) -> str:
        """Return the plan as a table: name, shape, dtype, law, std, bounds, fan_in of each; then totals."""
        return plan_table(self)

    def fill_(
        self, mapping: MappingT, only: Iterable[str] | None = None, *, threads: int | None = None
    ) -> MappingT:
        """Write the plan's values into the tensors of `mapping`, and return it.

        Parameters
        ----------
        mapping : mapping of str to array or tensor
            Anything that `fill_` takes, under the plan's names, with the plan's shapes and dtypes; memory
            without an element type, such as uint16 for bfloat16, is filled as the plan's. A tied name may be
            there too, whether it shares the memory or not: it gets the same values.
        only : iterable of str, optional
            Fill these parameters alone, and let `mapping` lack others or hold more than the plan. Without it
            the names of the mapping and of the plan must agree.
        threads : int, optional
            As for `fill_`.

        Raises
        ------
        KeyError
            If names are missing or unknown; the message lists them.
        TypeError, ValueError
            If a tensor has another shape or dtype than the plan says, can't be written, or shares memory with
            another one. Nothing is written then.

        Examples
        --------
        >>> import numpy as np, fanfill as ff
        >>> weight, bias = ff.ParamSpec("w", (2, 3), ff.Normal()), ff.ParamSpec("b", (3,), ff.Constant(0.0))
        >>> plan = ff.Plan([weight, bias], seed=0)
        >>> arrays = plan.fill_({"w": np.empty((2, 3), "float32"), "b": np.empty(3, "float32")})
        >>> arrays["b"].tolist()
        [0.0, 0.0, 0.0]
        """
        specs = chosen_specs(self, mapping, only)
        stored = [tensor_job(spec, mapping[spec.name], spec.name) for spec in specs]
        tied = [
            tensor_job(spec, mapping[name], name) for spec in specs for name in spec.tie if name in mapping
        ]
        try:
            fill_many_(stored, seed=self._seed, threads=threads)
        except ValueError as error:
            raise in_the_callers_words(error, [spec.name for spec in specs]) from None
        # On their own, since a tied name usually is the same memory, which one call refuses to fill twice.
        for job in tied:
            fill_many_([job], seed=self._seed, threads=threads)
        return mapping

    def array(
        self, name: str, region: Region | None = None, *, threads: int | None = None
    ) -> np.ndarray[Any, Any]:
        """Return a new array with the values of a parameter, or of the `region` of it.

        Parameters
        ----------
        name : str
            A parameter of the plan.
        region : Region, optional
            Part of the parameter's global shape; the array has the region's shape. Default: all of it.
        threads : int, optional
            As for `fill_`.

        Raises
        ------
        KeyError
            If the plan has no such parameter.
        TypeError, ValueError
            If the region is none, or isn't of the parameter's shape.
        """
        spec = self[name]
        if region is not None and not isinstance(region, Region):
            raise TypeError(f"region must be a Region, not {type(region).__name__}")
        if region is not None and region.shape != spec.shape:
            raise ValueError(
                f"region is part of a tensor of shape {region.shape}, and {name!r} has {spec.shape}"
            )
        out = aligned_empty(spec.shape if region is None else region.local_shape, spec.dtype)
        fill_many_([Job(out, spec.drawn_law, spec.name, region)], seed=self._seed, threads=threads)
        return out

    def write(
        self, path: str | os.PathLike[str], *, max_shard_size: int | str | None = None,
        part: tuple[int, int] = (1, 1), resume: bool = False, replace: bool = False,
        threads: int | None = None, progress: Callable[[int, int], None] | None = None,
        counters: Sequence[str] = (),
    ) -> Written:  # fmt: skip
        """Write the plan's checkpoint in little memory; no file gets its name before all are complete.

        Parameters
        ----------
        path : path-like
            One file if it ends in ``.safetensors``; else a folder, made if missing, of one file or several.
        max_shard_size : int or str, optional
            Bytes of the tensors of one of several files, such as ``"5GB"``; a larger tensor has its own.
        part : (int, int), default (1, 1)
            Which of how many processes this is, from 1; each writes its share of the several files.
        resume, replace : bool, default False
            Continue where an earlier run was stopped, and leave what is there if this one is; replace files.
        threads, progress, counters
            As for `fill_`; called with the bytes done and the bytes in all; names of int64 scalars at zero.

        Raises
        ------
        OSError, TypeError, ValueError
            If a file can't be written, a name is taken, or the arguments don't fit; all is as it was then.

        Examples
        --------
        >>> import tempfile, fanfill as ff
        >>> plan = ff.Plan([ff.ParamSpec("w", (8, 4), ff.Normal())], seed=0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     written = plan.write(folder, max_shard_size="5GB")
        """
        from ..checkpoint.target import Target

        target = Target(path, self, counters=counters, max_shard_size=max_shard_size, part=part)
        return target.write(replace=replace, resume=resume, threads=threads, progress=progress)
