"""Knows how a draw becomes a JAX array: at once and without a copy, or later where JAX is tracing.

It must not know initializers or plans, nor how a program calls back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import numpy as np

from ..dtype import DType
from ..fill import fill_
from ..law import Law
from ..memory import aligned_empty
from ..region import Region
from .key import pair_of_words
from .sharded import sharded_array
from .traced import traced

__all__ = ["Draw", "drawn", "host_array"]

# Told the memory of an array, the seed and the stream.
Draw: TypeAlias = Callable[["np.ndarray[Any, Any]", int, int], object]


def drawn(
    words: Any, law: Law, shape: tuple[int, ...], element: DType, out_sharding: Any = None
) -> jax.Array:
    """Return a JAX array that follows a law.

    Parameters
    ----------
    words : jax.Array
        uint32 of one axis, as `key_words` gives them; a tracer where JAX is tracing.
    law : Law
    shape : tuple of int
        The global shape.
    element : DType
    out_sharding : NamedSharding, PartitionSpec or None
        As in ``jax.nn.initializers``; with axes that are automatic too.
    """
    law.check(element)
    if out_sharding is None:
        return host_array(
            words, lambda out, seed, stream: fill_(out, law, seed=seed, key=stream), shape, element
        )
    if not isinstance(words, jax.core.Tracer):
        seed, stream = pair_of_words(np.asarray(words))
        sharding = _named_sharding(out_sharding, is_traced=False)
        return sharded_array(law, shape, element, sharding, seed=seed, stream=stream, name="out_sharding")

    def draw_shard(out: np.ndarray[Any, Any], seed: int, stream: int, start: tuple[int, ...]) -> None:
        fill_(out, law, seed=seed, key=stream, region=Region.box(shape, start, out.shape))

    return traced(words, draw_shard, shape, element, _named_sharding(out_sharding, is_traced=True))


def host_array(words: Any, draw: Draw, shape: tuple[int, ...], element: DType) -> jax.Array:
    """Return a JAX array that `draw` has written, or will write where JAX is tracing."""
    if isinstance(words, jax.core.Tracer):
        return traced(words, lambda out, seed, stream, start: draw(out, seed, stream), shape, element)
    out = aligned_empty(shape, element)
    draw(out, *pair_of_words(np.asarray(words)))
    return jax.device_put(out, _place_of(words))  # its alignment lets JAX take it over as it is


def _place_of(words: jax.Array) -> Any:
    """Return where JAX puts what is drawn with a key: with the key if that is tied to devices."""
    if not words.committed:
        return None
    sharding = words.sharding
    if isinstance(sharding, jax.sharding.NamedSharding):
        return jax.sharding.NamedSharding(sharding.mesh, jax.sharding.PartitionSpec())
    return sharding


def _named_sharding(out_sharding: Any, *, is_traced: bool) -> Any:
    """Return the sharding that is asked for, with the mesh of the context where it names no devices."""
    if isinstance(out_sharding, jax.sharding.PartitionSpec):
        spec = out_sharding
    elif not isinstance(out_sharding, jax.sharding.NamedSharding):
        raise TypeError(
            f"out_sharding must be a NamedSharding or a PartitionSpec, not {type(out_sharding).__name__}"
        )
    elif is_traced or isinstance(out_sharding.mesh, jax.sharding.Mesh):
        return out_sharding
    else:
        spec = out_sharding.spec
    mesh = jax.sharding.get_abstract_mesh() if is_traced else jax.sharding.get_mesh()
    if mesh.empty:
        raise ValueError(
            f"out_sharding: {out_sharding} needs the mesh of a context (jax.set_mesh); or pass a "
            f"NamedSharding with devices"
        )
    return jax.sharding.NamedSharding(mesh, spec)
