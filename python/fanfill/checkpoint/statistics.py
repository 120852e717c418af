"""The statistics of all tensors of a checkpoint, whoever wrote it.

It must not know plans or laws.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from ..threads import thread_count
from .block import BlockReader, blocks_of, checked_sample
from .stored_checkpoint import StoredCheckpoint
from .tensor_statistics import StatisticsPass, TensorStatistics

__all__ = ["weight_statistics"]


def weight_statistics(
    path: str | os.PathLike[str],
    *,
    sample: float = 1.0,
    sample_seed: int = 0,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[TensorStatistics, ...]:
    """Return mean, std, extremes and kurtosis of every tensor of a checkpoint, read once.

    Parameters
    ----------
    path, sample, sample_seed, threads, progress
        As for `verify`, whose ``statistics=True`` holds them against a plan's laws too.

    Returns
    -------
    tuple of TensorStatistics
        In the order of the files; without tensors that are empty or of elements of six bits.

    Raises
    ------
    OSError
        If a file can't be read.
    TypeError, ValueError
        If an argument is of the wrong kind or range, or a file isn't what its format asks for.

    Examples
    --------
    >>> import os, tempfile, fanfill as ff
    >>> plan = ff.Plan([ff.ParamSpec("b", (8,), ff.Constant(0.5))], seed=7)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "model.safetensors")
    ...     written = plan.write(path)
    ...     ff.weight_statistics(path)[0].mean
    0.5
    """
    checked_sample(sample, sample_seed)
    blocks = blocks_of(StoredCheckpoint.read(path)).sample(sample, sample_seed)
    gathered = StatisticsPass({})
    total, done = blocks.nbytes, 0
    with BlockReader() as reader, ThreadPoolExecutor(max_workers=thread_count(threads)) as pool:
        for batch in reader.batches(blocks):
            gathered.add(batch, pool)
            done += sum(block.size for block, _ in batch)
            if progress is not None:
                progress(done, total)
    return gathered.results()
