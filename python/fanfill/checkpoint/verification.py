"""The proof that a checkpoint on disk is a plan: every block drawn anew and compared, bit for bit.

It must not know models, recipes or the command line, nor how blocks are cut and read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from ..plan.param_spec import ParamSpec
from ..plan.plan import Plan
from ..threads import thread_count
from .block import BlockReader, blocks_of, checked_sample
from .block_comparison import BlockComparison, Difference
from .stated_plan import stated_plan
from .stored_checkpoint import StoredCheckpoint
from .tensor_statistics import StatisticsPass, TensorStatistics

__all__ = ["Verification", "verify"]

# Told the bytes that were compared, and all that will be.
ProgressCallback = Callable[[int, int], None]


@dataclass(frozen=True)
class Verification:
    """What `verify` found; true in a condition if and only if the checkpoint is the plan.

    Attributes
    ----------
    path : str
        The checkpoint.
    plan : Plan
        What it was held against.
    difference : Difference or None
        The first element that differs, in the order of the files and of the data in them.
    missing, extra : tuple of str
        Tensors of the plan that the checkpoint lacks, and the other way round.
    unlike : tuple of str
        Tensors whose shape or element type is otherwise, one sentence each.
    faults : tuple of str
        What is wrong around the tensors, one sentence each: missing files, an index that contradicts them,
        metadata that name another plan.
    blocks, blocks_checked, nbytes, nbytes_checked : int
        How much there is and how much of it was compared.
    statistics : tuple of TensorStatistics
        Of the tensors, if they were asked for.
    """

    path: str
    plan: Plan
    difference: Difference | None = None
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    blocks: int = 0
    blocks_checked: int = 0
    nbytes: int = 0
    nbytes_checked: int = 0
    statistics: tuple[TensorStatistics, ...] = field(default=(), repr=False)

    @property
    def verified(self) -> bool:
        """Whether nothing was found that isn't the plan's."""
        return not (self.difference or self.missing or self.extra or self.unlike or self.faults)

    def __bool__(self) -> bool:
        return self.verified

    def complaints(self) -> list[str]:
        """Return what is wrong, one line each; empty if and only if the checkpoint is verified."""
        return [
            *self.faults,
            *(f"tensor {name} is missing" for name in self.missing),
            *(f"tensor {name} isn't in the plan" for name in self.extra),
            *self.unlike,
            *([str(self.difference)] if self.difference else []),
        ]


def verify(
    path: str | os.PathLike[str],
    plan: Plan | None = None,
    *,
    sample: float = 1.0,
    sample_seed: int = 0,
    statistics: bool = False,
    threads: int | None = None,
    progress: ProgressCallback | None = None,
) -> Verification:
    """Prove that a checkpoint is a plan, complete and bit for bit, or say where it first isn't.

    Every block is drawn anew by all threads while the next is read, so memory stays below 300 MB whatever the
    size of the checkpoint. Tied names that the checkpoint stores must hold the tied values. An int64 scalar
    that the plan doesn't know is a counter, such as a batch norm's ``num_batches_tracked``, and must be 0.

    Parameters
    ----------
    path : path-like
        A safetensors file, or a folder with a ``model.safetensors``, or with shards and their index.
    plan : Plan, optional
        What it shall be; default `stated_plan`, the one that the checkpoint's metadata name.
    sample : float, default 1.0
        Fraction of the blocks of 4 MiB to compare, in (0, 1]. Names, shapes and types are compared always.
    sample_seed : int, default 0
        Which blocks: a function of this number, in [0, 2**64).
    statistics : bool, default False
        Whether to gather `TensorStatistics` in the same pass, over the blocks that are read. The pass then
        goes on after a difference.
    threads : int, optional
        As for `fill_`.
    progress : callable, optional
        Called with the bytes compared and the bytes to compare.

    Returns
    -------
    Verification

    Raises
    ------
    OSError
        If a file can't be read.
    TypeError, ValueError
        If an argument is of the wrong kind or range, or a file isn't what its format asks for.

    Examples
    --------
    >>> import os, tempfile, fanfill as ff
    >>> plan = ff.Plan([ff.ParamSpec("w", (8, 4), ff.Normal())], seed=7)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "model.safetensors")
    ...     written = plan.write(path)
    ...     bool(ff.verify(path, plan)), bool(ff.verify(path, ff.Plan(plan, seed=8)))
    (True, False)
    """
    if plan is not None and not isinstance(plan, Plan):
        raise TypeError(f"plan must be a Plan, got {type(plan).__name__}; Plan.from_json reads one")
    checked_sample(sample, sample_seed)
    checkpoint = StoredCheckpoint.read(path)
    plan = stated_plan(checkpoint) if plan is None else plan
    held = _held_against(checkpoint, plan)
    everything = blocks_of(checkpoint)
    chosen = everything.sample(sample, sample_seed)
    comparable = chosen if statistics else chosen.of(held.specs)
    comparison = BlockComparison(held.specs, plan.seed, thread_count(threads))
    gathered = StatisticsPass(held.specs) if statistics else None
    total, done = comparable.nbytes, 0
    with BlockReader() as reader, comparison:
        for batch in reader.batches(comparable):
            comparison.compare(batch)
            if gathered is not None:
                gathered.add(batch, comparison.pool)
            done += sum(block.size for block, _ in batch)
            if progress is not None:
                progress(done, total)
            if comparison.difference is not None and gathered is None:
                break
    return Verification(
        os.fspath(path),
        plan,
        comparison.difference,
        held.missing,
        held.extra,
        held.unlike,
        (*_faults(checkpoint, plan), *checkpoint.index_faults),
        len(everything),
        comparison.blocks,
        everything.nbytes,
        comparison.nbytes,
        gathered.results() if gathered is not None else (),
    )


def _faults(checkpoint: StoredCheckpoint, plan: Plan) -> Iterator[str]:
    for name in checkpoint.missing_files:
        yield f"file {name} is missing"
    own = checkpoint.metadata
    stated = {
        "contract_version": str(plan.contract_version),
        "seed": str(plan.seed),
        "plan_hash": plan.hash,
    }
    for member, value in stated.items():
        if own.get(member, value) != value:
            yield f"the metadata say {member.replace('_', ' ')} {own[member][:100]}, the plan has {value}"


@dataclass(frozen=True)
class _Held:
    """Which spec each stored tensor is to be drawn from, None for a counter, and what has no counterpart."""

    specs: Mapping[str, ParamSpec | None]
    missing: tuple[str, ...]
    extra: tuple[str, ...]
    unlike: tuple[str, ...]


def _held_against(checkpoint: StoredCheckpoint, plan: Plan) -> _Held:
    by_name = {name: spec for spec in plan for name in (spec.name, *spec.tie)}
    specs: dict[str, ParamSpec | None] = {}
    extra, unlike = [], []
    stored = checkpoint.tensors
    for name, (file, tensor) in stored.items():
        spec = by_name.get(name)
        if spec is None and (tensor.dtype, tensor.shape) == ("I64", ()):
            specs[name] = None
        elif spec is None:
            extra.append(name)
        elif (tensor.dtype, tensor.shape) != (spec.element.safetensors_name, spec.shape):
            unlike.append(
                f"{file.path.name}: tensor {name} is {tensor.dtype} {list(tensor.shape)} and the plan says "
                f"{spec.element.safetensors_name} {list(spec.shape)}"
            )
        else:
            specs[name] = spec
    missing = tuple(spec.name for spec in plan if spec.name not in stored)
    return _Held(specs, missing, tuple(extra), tuple(unlike))
