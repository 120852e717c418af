"""Knows how a Keras seed becomes a draw with JAX, whose state may be traced.

It must not know laws or initializers, and it is imported only where JAX is the Keras backend.
"""

from __future__ import annotations

from typing import Any

import jax
import keras

from ..dtype import DType
from ..jax.drawn import Draw, drawn, host_array
from ..jax.key import key_words, words_of_pair
from ..law import Law
from ..stream import normalize_seed

__all__ = ["jax_array", "sharded_jax_array"]


def jax_array(seed: Any, draw: Draw, shape: tuple[int, ...], element: DType) -> jax.Array:
    """Return a JAX array that `draw` has written, or will write where JAX is tracing."""
    return host_array(_words(seed), draw, shape, element)


def sharded_jax_array(seed: Any, law: Law, shape: tuple[int, ...], element: DType, layout: Any) -> jax.Array:
    """Return a JAX array of a layout, each shard of which is filled by itself."""
    if isinstance(layout, keras.distribution.TensorLayout):
        layout = layout.backend_layout
    # Keras asks for it in a mesh context of explicit axes, where the state of a generator cannot count on.
    with jax.sharding.use_abstract_mesh(jax.sharding.AbstractMesh((), ())):
        words = _words(seed)
    return drawn(words, law, shape, element, layout)


def _words(seed: Any) -> Any:
    """Return the words of the JAX key that stands for the same seed and stream."""
    if not isinstance(seed, keras.random.SeedGenerator):
        return key_words(words_of_pair(normalize_seed(seed), 0))
    state = seed.next()
    return jax.numpy.stack([jax.numpy.zeros_like(state), state], axis=1).reshape(4)
