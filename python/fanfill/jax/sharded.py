"""Knows how the shards of one array are filled: each distinct block once, into fresh memory that JAX shares.

It must not know keys, plans or initializers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import jax
import numpy as np

from ..dtype import DType
from ..fill import Job, fill_many_
from ..fused_law import FusedLaw
from ..law import Law
from ..memory import aligned_empty
from ..region import Region

__all__ = ["sharded_array"]

Block: TypeAlias = tuple[tuple[int, int], ...]


def sharded_array(
    law: Law | FusedLaw,
    shape: tuple[int, ...],
    element: DType,
    sharding: Any,
    *,
    seed: int,
    stream: int,
    threads: int | None = None,
    name: str = "sharding",
) -> jax.Array:
    """Return a JAX array of this global shape and sharding, of which this process fills what it addresses.

    Raises
    ------
    TypeError
        If `sharding`, which an error calls `name`, is no ``jax.sharding.Sharding``.
    ValueError
        If it does not fit the shape.
    """
    blocks = _blocks(shape, sharding, name)
    memory = {
        block: aligned_empty([stop - start for start, stop in block], element)
        for block in dict.fromkeys(blocks)
    }
    jobs = [Job(out, law, stream, Region(shape, [[run] for run in block])) for block, out in memory.items()]
    fill_many_(jobs, seed=seed, threads=threads)

    # JAX holds this memory as its own from here on and never writes to it, so replicas may share a block.
    def block_at(index: Any) -> np.ndarray[Any, Any]:
        return memory[_block(index, shape)]

    return jax.make_array_from_callback(shape, sharding, block_at, dtype=element.numpy_dtype())


def _blocks(shape: tuple[int, ...], sharding: Any, name: str) -> list[Block]:
    """Return the block of each device that this process addresses."""
    if not isinstance(sharding, jax.sharding.Sharding):
        raise TypeError(
            f"{name} must be a jax.sharding.Sharding, not {type(sharding).__name__}: {sharding!r}"
        )
    try:
        sharding.shard_shape(shape)
        indices = sharding.addressable_devices_indices_map(shape).values()
    except (ValueError, IndexError) as error:
        raise ValueError(f"{name} does not fit the shape {shape}: {error}") from error
    return [_block(index, shape) for index in indices]


def _block(index: Sequence[slice], shape: tuple[int, ...]) -> Block:
    return tuple(each.indices(extent)[:2] for each, extent in zip(index, shape, strict=True))
