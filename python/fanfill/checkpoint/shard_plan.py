"""Which tensors of a plan go to which file of its checkpoint, and which files to which process.

It must not know where the files lie, nor how they are written.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..number import as_int
from ..plan.param_spec import ParamSpec
from ..plan.plan import Plan
from .header import COUNTER_BYTES

__all__ = ["ShardFile", "checked_part", "files_of_part", "index_json", "shard_files"]


@dataclass(frozen=True)
class ShardFile:
    """One file of a checkpoint: its name, its tensors in the order of the plan, and its counters."""

    name: str
    specs: tuple[ParamSpec, ...]
    counters: tuple[str, ...] = ()

    @property
    def nbytes(self) -> int:
        """Bytes of the tensors and counters."""
        return sum(spec.nbytes for spec in self.specs) + COUNTER_BYTES * len(self.counters)


def shard_files(
    plan: Plan, counters: Sequence[str] = (), *, max_shard_size: int | None = None
) -> tuple[ShardFile, ...]:
    """Return the files of a plan's checkpoint, cut as Hugging Face's libraries cut a state dict.

    Tensors are taken in the order of the plan. A file ends before the tensor that would make it exceed the
    limit, and a tensor that alone exceeds it gets a file of its own. Tied names aren't stored. One file is
    called ``model.safetensors``, several ``model-00001-of-00003.safetensors`` and so on.

    Parameters
    ----------
    plan : Plan
        Gives the tensors.
    counters : sequence of str, default ()
        Names of int64 scalars, which go before the tensors.
    max_shard_size : int, optional
        Bytes of the tensors of one file. Default: no limit, which makes one file.

    Examples
    --------
    >>> import fanfill as ff
    >>> from fanfill.checkpoint.shard_plan import shard_files
    >>> plan = ff.Plan([ff.ParamSpec(name, (10,), ff.Normal()) for name in "abc"], seed=0)
    >>> [(file.name, len(file.specs)) for file in shard_files(plan, max_shard_size=80)]
    [('model-00001-of-00002.safetensors', 2), ('model-00002-of-00002.safetensors', 1)]
    """
    groups: list[tuple[list[ParamSpec], tuple[str, ...]]] = []
    current: list[ParamSpec] = []
    waiting = tuple(counters)  # those that go with the current group
    size = COUNTER_BYTES * len(waiting)
    for spec in plan:
        if max_shard_size is not None and spec.nbytes > max_shard_size:
            groups.append(([spec], ()))
            continue
        if max_shard_size is not None and size + spec.nbytes > max_shard_size:
            groups.append((current, waiting))
            current, waiting, size = [], (), 0
        current.append(spec)
        size += spec.nbytes
    if current or waiting or not groups:
        groups.append((current, waiting))
    count = len(groups)
    return tuple(
        ShardFile(
            "model.safetensors" if count == 1 else f"model-{number:05d}-of-{count:05d}.safetensors",
            tuple(specs),
            own_counters,
        )
        for number, (specs, own_counters) in enumerate(groups, start=1)
    )


def index_json(files: Sequence[ShardFile], parameters: int) -> str:
    """Return ``model.safetensors.index.json`` as transformers writes it.

    Parameters
    ----------
    files : sequence of ShardFile
        All files of the checkpoint.
    parameters : int
        Number of elements that are trained.
    """
    weight_map = {
        name: file.name for file in files for name in (*file.counters, *(spec.name for spec in file.specs))
    }
    metadata = {"total_parameters": parameters, "total_size": sum(file.nbytes for file in files)}
    return json.dumps({"metadata": metadata, "weight_map": weight_map}, indent=2, sort_keys=True) + "\n"


def checked_part(part: Any) -> tuple[int, int]:
    """Return `part` if it is a pair (number, count) with 1 <= number <= count, else raise."""
    if not isinstance(part, tuple) or len(part) != 2:
        raise TypeError(f"part must be a pair (number, count), such as (1, 4), not {part!r}")
    number, count = as_int(part[0], "part[0]"), as_int(part[1], "part[1]")
    if not 1 <= number <= count:
        raise ValueError(f"part must be (number, count) with 1 <= number <= count, not {part!r}")
    return number, count


def files_of_part(files: Sequence[ShardFile], part: tuple[int, int]) -> tuple[ShardFile, ...]:
    """Return the files that one of several processes writes, each going to the one with the least to do.

    Examples
    --------
    >>> import fanfill as ff
    >>> from fanfill.checkpoint.shard_plan import files_of_part, shard_files
    >>> plan = ff.Plan([ff.ParamSpec(name, (10,), ff.Normal()) for name in "abc"], seed=0)
    >>> [file.name for file in files_of_part(shard_files(plan, max_shard_size=40), (2, 2))]
    ['model-00002-of-00003.safetensors']
    """
    number, count = checked_part(part)
    loads = [(0, holder) for holder in range(1, min(count, len(files)) + 1)]  # a heap from the beginning
    mine = set()
    for place in sorted(range(len(files)), key=lambda place: (-files[place].nbytes, place)):
        load, holder = loads[0]
        heapq.heapreplace(loads, (load + files[place].nbytes, holder))
        if holder == number:
            mine.add(place)
    return tuple(file for place, file in enumerate(files) if place in mine)
