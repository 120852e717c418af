"""JAX's initializers by their own names, with their signatures and laws and with fanfill's values.

It knows the builders of ``jax.nn.initializers``; it must not know how a law is drawn or an array is made.

A builder returns ``init(key, shape, dtype=None, out_sharding=None)``. The values are a pure function of the
key's data (`fanfill.jax.seed_and_stream`), the shape, the dtype and the builder's parameters: with
``jax.random.key(7)`` those of ``fanfill.fill_`` with seed 7 and stream 0. They are the same inside ``jit``,
``vmap``, ``scan`` and out of them, and for every sharding. Where JAX is tracing, the values come from the
host when the program runs (``jax.pure_callback``), and ``jax.eval_shape`` draws nothing; outside it is
faster, since the array takes over the memory that was filled.

A traced draw without ``out_sharding`` makes the whole array on one device before the program cuts it; with
it, each device asks for its own shard alone, as it does outside of a trace and in `fanfill.jax.init_tree`.

Parameters of a law are plain numbers and not traced ones. dtypes are bfloat16, float16, float32, float64 (in
JAX's 64-bit mode), float8_e4m3fn and float8_e5m2; 16-bit and narrower values are drawn in float32 and rounded
once. ``zeros``, ``ones`` and ``constant`` are JAX's own: there is nothing to draw.
"""

from __future__ import annotations

from jax.nn.initializers import constant, ones, zeros

from .law_initializer import normal, truncated_normal, uniform
from .orthogonal_initializer import delta_orthogonal, orthogonal
from .scaling_initializer import (
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    kaiming_normal,
    kaiming_uniform,
    lecun_normal,
    lecun_uniform,
    variance_scaling,
    xavier_normal,
    xavier_uniform,
)

__all__ = [
    "constant",
    "delta_orthogonal",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "kaiming_normal",
    "kaiming_uniform",
    "lecun_normal",
    "lecun_uniform",
    "normal",
    "ones",
    "orthogonal",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]
