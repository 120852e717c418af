"""JAX arrays of initial weights: drop-in initializers, and arrays and trees that are filled shard by shard.

It knows which names are public and that JAX is needed for them; it must not know how a value is drawn.
"""

from __future__ import annotations

try:
    import jax as _jax  # noqa: F401
except ImportError as error:
    raise ImportError(f'fanfill.jax needs JAX: pip install "fanfill[jax]" ({error})') from error

from . import initializers
from .array import array, init_tree
from .key import seed_and_stream

__all__ = ["array", "init_tree", "initializers", "seed_and_stream"]
