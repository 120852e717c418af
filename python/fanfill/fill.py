"""Knows how a law, a seed and keys become one call of the core over the memory of one tensor or of many.

It must not know fans, recipes or files, and writes no value itself.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from . import _core
from .axes import Axes, memory_axes, part_axes
from .config import isa_complaint
from .dtype import DTypeLike
from .fused_law import FusedLaw
from .law import Law, LawTuple
from .memory import (
    Memory,
    memory_of,
    note_tensor_writes,
    plain_elements,
    plain_tensor_elements,
    plain_tensor_types,
)
from .overlap import Pattern, first_overlap, first_product_overlap, pattern
from .region import Region
from .stream import Key, Seed, normalize_seed, stream_id, stream_id_once
from .threads import default_threads, thread_count

__all__ = ["Job", "fill_", "fill_many_"]

T = TypeVar("T")
JobsT = TypeVar("JobsT", bound="Sequence[Job]")
CoreJob: TypeAlias = tuple[int, int, LawTuple, int, Axes]


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """One tensor for `fill_many_`.

    Parameters
    ----------
    out : array, tensor or buffer
        As for `fill_`.
    law : Law
        As for `fill_`.
    key : int or str
        As for `fill_`.
    region : Region, optional
        As for `fill_`.
    dtype : str or dtype, optional
        As for `fill_`.

    Examples
    --------
    >>> import numpy as np, fanfill as ff
    >>> job = ff.Job(np.empty(4), ff.Uniform(), "bias")
    """

    out: Any
    law: Law | FusedLaw
    key: Key
    region: Region | None = None
    dtype: DTypeLike | None = None


# What the core asks about plain jobs, which it prepares itself: Python would take longer than a small fill.
# Whatever is not plain, and whatever is to be refused, takes the road through this file.
_QUESTIONS = (
    Job,
    Law,
    stream_id,
    plain_elements,
    plain_tensor_types,
    plain_tensor_elements,
    note_tensor_writes,
    thread_count,
    default_threads,
)
_QUESTIONS_OF_MANY = (Job, Law, stream_id_once, *_QUESTIONS[3:])


def fill_(
    out: T,
    law: Law,
    *,
    seed: Seed,
    key: Key,
    region: Region | None = None,
    dtype: DTypeLike | None = None,
    threads: int | None = None,
) -> T:
    """Fill memory in place with values that follow a law, and return it.

    Element i of the tensor, in row-major order, is a function of seed, key, law, element type and i alone:
    not of threads, strides, shards or machine. Two tensors filled with one seed and one key get the same
    numbers.

    Parameters
    ----------
    out : array, tensor or buffer
        float64, float32, bfloat16, float16, float8_e4m3fn or float8_e5m2, of any shape and strides: a NumPy
        or ml_dtypes array, a torch CPU tensor or Parameter (written as under ``torch.no_grad()``), a writable
        buffer (bytearray, mmap, shared memory) or a CPU array with DLPack 1.x. Never copied.
    law : Normal, Uniform, TruncatedNormal, LogUniform, Arange or Constant
    seed : int or numpy.random.SeedSequence
        In [0, 2**64), or a SeedSequence, of which ``generate_state(1, uint64)`` is taken.
    key : int or str
        Which stream of the seed; give each tensor its own, such as its name. See `stream_id`.
    region : Region, optional
        Which part of a global tensor `out` holds; its shape must be ``region.local_shape``. By default `out`
        is all of the tensor.
    dtype : str or dtype, optional
        The element type of memory that has none: a byte buffer (filled as one axis), or unsigned integers of
        its size, such as uint16 holding bfloat16.
    threads : int, optional
        At most this many threads; see `set_num_threads`. Never changes a value.

    Returns
    -------
    array, tensor or buffer
        `out` itself.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind, or `out` of an element type that fanfill does not write.
    ValueError
        If an argument is out of range, the law cannot be drawn in the element type, or `out` is read-only,
        overlaps itself or is not in host memory. `out` is unchanged.
    KeyboardInterrupt
        On Ctrl-C; some elements have their new values by then, the others their old ones.

    Examples
    --------
    >>> import numpy as np, fanfill as ff
    >>> bias = ff.fill_(np.empty(3, np.float32), ff.Constant(0.5), seed=7, key="bias")
    >>> bias.tolist()
    [0.5, 0.5, 0.5]
    """
    if not isinstance(law, Law):
        raise _not_a_law(law)
    if region is None and dtype is None and fill_plain(out, law, key, seed, threads):
        return out
    fill_memory(memory_of(out, "out", dtype), law, seed, key, region, threads)
    return out


def fill_plain(out: Any, law: Law | LawTuple, key: Key, seed: Seed, threads: int | None) -> bool:
    """Fill memory that is plain by a law or its parameters, as the core takes them.

    False where anything is not plain, or to be refused: nothing was written then, and `fill_` does it or says
    what is wrong.
    """
    return _core.fill_plain(_QUESTIONS, out, law, key, seed, threads)


def fill_memory(
    memory: Memory, law: Law | FusedLaw, seed: Seed, key: Key, region: Region | None, threads: int | None
) -> None:
    """Fill the memory of the argument `out`."""
    jobs = _core_jobs(memory, law, stream_id(key), region)
    status = _call(jobs, seed, threads, (memory.note_write,))
    if status != _core.OK:
        raise _refusal(status, [("", law, memory)])


def _core_jobs(memory: Memory, law: Law | FusedLaw, stream: int, region: Region | None) -> list[CoreJob]:
    code = memory.dtype.code
    if isinstance(law, FusedLaw):
        drawn = [each._core_tuple() for each in law.laws]
        cut = part_axes(memory, region, law.axis, law.sizes)
        return [(address, code, drawn[part], stream, axes) for part, address, axes in cut]
    return [(memory.address, code, law._core_tuple(), stream, memory_axes(memory, region))]


def fill_many_(jobs: JobsT, *, seed: Seed, threads: int | None = None) -> JobsT:
    """Fill many tensors in one pass over all threads, and return the jobs.

    The values are those of `fill_` on each. Nothing is written unless every job is in order.

    Parameters
    ----------
    jobs : sequence of Job
        May be empty. No two may share memory, nor a stream with regions that overlap, since equal places of
        one stream are equal numbers.
    seed : int or numpy.random.SeedSequence
        One for all jobs; see `fill_`.
    threads : int, optional
        See `fill_`.

    Returns
    -------
    sequence of Job
        `jobs` itself.

    Raises
    ------
    TypeError, ValueError, KeyboardInterrupt
        As for `fill_`, with the number of the job; and ValueError where two jobs overlap.

    Examples
    --------
    >>> import numpy as np, fanfill as ff
    >>> weight, bias = np.empty((2, 2)), np.empty(2)
    >>> jobs = [ff.Job(weight, ff.Normal(std=0.02), "weight"), ff.Job(bias, ff.Constant(0), "bias")]
    >>> ff.fill_many_(jobs, seed=7)[1].out.tolist()
    [0.0, 0.0]
    """
    if _core.fill_plain_many(_QUESTIONS_OF_MANY, jobs, seed, threads):
        return jobs
    if not isinstance(jobs, Sequence):
        raise TypeError(
            f"jobs must be a sequence of Job, not {type(jobs).__name__}; list() makes one of an iterator"
        )
    memories: list[Memory] = []
    core_jobs: list[CoreJob] = []
    owners: list[int] = []
    for number, job in enumerate(jobs):
        if not isinstance(job, Job):
            raise TypeError(f"jobs[{number}] must be a Job, not {type(job).__name__}")
        try:
            memory, own = _prepared(job)
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"jobs[{number}].{error}") from error
        memories.append(memory)
        core_jobs += own
        owners += [number] * len(own)
    _refuse_shared_memory(memories)
    _refuse_shared_streams(core_jobs, owners)
    status = _call(core_jobs, seed, threads, [memory.note_write for memory in memories])
    if status != _core.OK:
        raise _refusal(status, [(f"jobs[{n}].", jobs[n].law, memory) for n, memory in enumerate(memories)])
    return jobs


def _prepared(job: Job) -> tuple[Memory, list[CoreJob]]:
    if not isinstance(job.law, (Law, FusedLaw)):
        raise _not_a_law(job.law)
    memory = memory_of(job.out, "out", job.dtype)
    return memory, _core_jobs(memory, job.law, stream_id_once(job.key), job.region)


def _not_a_law(law: object) -> TypeError:
    return TypeError(
        f"law must be a Normal, Uniform, TruncatedNormal, LogUniform, Arange or Constant, not {law!r}"
    )


def _call(
    jobs: Sequence[CoreJob],
    seed: Seed,
    threads: int | None,
    note_writes: Sequence[Callable[[], object] | None],
) -> int:
    seed, threads = normalize_seed(seed), thread_count(threads)
    status = _core.INTERRUPTED  # also if the core raises: some elements may be written by then
    try:
        status = _core.fill_many(jobs, seed, threads)
    finally:
        if status in (_core.OK, _core.INTERRUPTED):
            for note_write in note_writes:
                if note_write is not None:
                    note_write()
    return status


def _refusal(status: int, jobs: Sequence[tuple[str, Law | FusedLaw, Memory]]) -> BaseException:
    """Return the exception for what the core refused, with the name of the argument at fault."""
    if status == _core.INTERRUPTED:
        return KeyboardInterrupt()
    message = _core.message(status)
    if status in (_core.UNKNOWN_ISA, _core.UNSUPPORTED_ISA):
        return ValueError(isa_complaint() or f"FANFILL_ISA: {message}")
    for prefix, law, memory in jobs:
        for each in law.laws if isinstance(law, FusedLaw) else (law,):
            if each.complaint(memory.dtype) is not None:
                return ValueError(f"{prefix}{each.complaint(memory.dtype)}")
    if status == _core.TOO_LARGE:
        return OverflowError(f"region: {message}")
    names = {_core.BAD_REGION: "region", _core.NULL_DATA: "out", _core.MISALIGNED: "out"}
    return ValueError(f"{names.get(status, 'argument')}: {message}")


def _refuse_shared_memory(memories: Sequence[Memory]) -> None:
    patterns: list[Pattern] = []
    for number, memory in enumerate(memories):
        if 0 in memory.shape:
            continue
        itemsize = memory.dtype.itemsize
        if memory.is_contiguous:
            axes: tuple[tuple[int, int], ...] = ((itemsize, math.prod(memory.shape)),)
        else:
            axes = tuple(zip(memory.byte_strides, memory.shape, strict=True))
        patterns.append(pattern(memory.address, itemsize, axes, number))
    found = first_overlap(patterns)
    if found is not None:
        first, second = sorted(found)
        raise ValueError(f"jobs[{first}].out and jobs[{second}].out overlap in memory; fill each place once")


def _refuse_shared_streams(jobs: Sequence[CoreJob], owners: Sequence[int]) -> None:
    streams: dict[int, list[int]] = {}
    for place, job in enumerate(jobs):
        streams.setdefault(job[3], []).append(place)
    for places in streams.values():
        if len({owners[place] for place in places}) < 2:
            continue  # of one tensor, whose parts lie apart
        found = _first_shared([(jobs[place][4], owners[place]) for place in places])
        if found is not None:
            first, second = sorted(found)
            raise ValueError(
                f"jobs[{first}].key and jobs[{second}].key name one stream and their regions overlap, so "
                f"they would get the same numbers; give each tensor its own key, or each job its own region"
            )


# More patterns than this are not made where there is another way.
_MANY_PATTERNS = 10_000


def _first_shared(jobs: Sequence[tuple[Axes, int]]) -> tuple[int, int] | None:
    """Return the owners of two jobs that cover one global index, or None."""
    extents = {tuple(extent for extent, _, _ in axes) for axes, _ in jobs}
    patterns = sum(math.prod(len(runs) for _, _, runs in axes) for axes, _ in jobs)
    if len(extents) == 1 and patterns > _MANY_PATTERNS:
        return first_product_overlap([([runs for _, _, runs in axes], owner) for axes, owner in jobs])
    return first_overlap([each for axes, owner in jobs for each in _index_patterns(axes, owner)])


def _index_patterns(axes: Axes, owner: int) -> list[Pattern]:
    """Return the flat global indices that a job covers, one pattern for each combination of runs."""
    step = 1
    steps: list[int] = []
    for extent, _, _ in reversed(axes):
        steps.append(step)
        step *= extent
    steps.reverse()
    patterns: list[Pattern] = []
    for runs in itertools.product(*(axis[2] for axis in axes)):
        if all(count for _, count in runs):
            start = sum(first * along for (first, _), along in zip(runs, steps, strict=True))
            counts = [(along, count) for (_, count), along in zip(runs, steps, strict=True)]
            patterns.append(pattern(start, 1, counts, owner))
    return patterns
