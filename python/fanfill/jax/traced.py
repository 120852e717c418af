"""Knows how a program that JAX compiles gets its values from the host, whole or each shard by itself.

It must not know initializers, plans, or what the values are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import numpy as np

from ..dtype import DType
from ..memory import aligned_empty
from .key import pair_of_words

__all__ = ["DrawShard", "traced"]

Shape: TypeAlias = tuple[int, ...]
# Told the memory, the seed, the stream, and the index at which the memory begins in the whole array.
DrawShard: TypeAlias = Callable[["np.ndarray[Any, Any]", int, int, Shape], object]


def traced(words: Any, draw: DrawShard, shape: Shape, element: DType, sharding: Any = None) -> jax.Array:
    """Return the tracer of an array of this global shape, which `draw` writes when the program runs.

    With a `sharding` each device asks for its own shard alone. Under vmap one call is made for all keys.

    Raises
    ------
    ValueError
        If the sharding does not fit the shape.
    """
    local_shape = shape if sharding is None else _shard_shape(shape, sharding)
    result = jax.ShapeDtypeStruct(local_shape, element.numpy_dtype())

    def on_host(words: Any, place: Any) -> np.ndarray[Any, Any]:
        """Draw for each of the keys, whose axes stand in front."""
        words, place = np.asarray(words), np.asarray(place)
        batch = words.shape[:-1]
        out = aligned_empty((*batch, *local_shape), element)
        for index in np.ndindex(batch):
            start = tuple(int(n) * size for n, size in zip(place[index], local_shape, strict=True))
            whole = (*index, ...)  # also of no axis at all, where an index alone would give a number
            draw(out[whole], *pair_of_words(words[index]), start)
        return out

    def call(words: Any, place: Any) -> jax.Array:
        array: jax.Array = jax.pure_callback(on_host, result, words, place, vmap_method="broadcast_all")
        return array

    def whole(words: Any) -> jax.Array:
        return _off_one_device(call(words, np.zeros(len(shape), np.int32)))

    def shard(words: Any) -> jax.Array:
        return call(words, _place(sharding.spec, len(shape)))

    # One program, also where vmap alone would run op by op.
    return jax.jit(whole if sharding is None else _on_each_device(shard, sharding))(words)


def _shard_shape(shape: Shape, sharding: Any) -> Shape:
    try:
        return tuple(sharding.shard_shape(shape))
    except (ValueError, IndexError) as error:
        raise ValueError(f"out_sharding does not fit the shape {shape}: {error}") from error


def _on_each_device(shard: Callable[[Any], jax.Array], sharding: Any) -> Callable[[Any], jax.Array]:
    # Nothing tells JAX whether a callback gives replicas the same, so it is not to check.
    mapped: Callable[[Any], jax.Array] = jax.shard_map(
        shard,
        mesh=sharding.mesh,
        in_specs=jax.sharding.PartitionSpec(),
        out_specs=sharding.spec,
        check_vma=False,
    )
    return mapped


def _place(spec: Any, rank: int) -> jax.Array:
    """Return the number of the shard along each axis; inside of a shard_map."""
    names = [*spec, *(None,) * (rank - len(spec))]
    numbers = [0 if name is None or name == () else jax.lax.axis_index(name) for name in names]
    return jax.numpy.array(numbers, jax.numpy.int32)


def _off_one_device(array: jax.Array) -> jax.Array:
    """Take the array off the one device that called back, where the context has a mesh of several.

    As a program's result JAX 0.10 takes no array that the compiler knows to be on one device of a mesh.
    """
    mesh = jax.sharding.get_abstract_mesh()
    if mesh.empty or mesh.manual_axes:
        return array
    if mesh.are_all_axes_explicit:
        return jax.sharding.reshard(array, jax.sharding.PartitionSpec())
    anyhow = jax.sharding.PartitionSpec(*[jax.sharding.PartitionSpec.UNCONSTRAINED] * array.ndim)
    return jax.lax.with_sharding_constraint(array, anyhow)
