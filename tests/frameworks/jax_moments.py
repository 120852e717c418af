"""JAX's initializers and ours side by side: moments, bounds and the number of distinct values of each.

It must not know what is right. Run it (``python tests/frameworks/jax_moments.py``) to see the table.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any, NamedTuple

import numpy as np

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import jax

    from fanfill.jax import initializers

SHAPE = (200, 300)
CONV = (5, 5, 60, 40)  # as many elements

# Name in the table: builder, its arguments, the shape.
CASES: dict[str, tuple[str, dict[str, Any], tuple[int, ...]]] = {
    "uniform": ("uniform", {}, SHAPE),
    "uniform(2)": ("uniform", {"scale": 2.0}, SHAPE),
    "normal": ("normal", {}, SHAPE),
    "normal(3)": ("normal", {"stddev": 3.0}, SHAPE),
    "truncated_normal": ("truncated_normal", {}, SHAPE),
    "truncated_normal(1, -1, 3)": ("truncated_normal", {"stddev": 1.0, "lower": -1.0, "upper": 3.0}, SHAPE),
    **{
        name: (name, {}, SHAPE)
        for name in (
            "glorot_uniform",
            "glorot_normal",
            "lecun_uniform",
            "lecun_normal",
            "he_uniform",
            "he_normal",
        )
    },
    "he_normal of a convolution": ("he_normal", {}, CONV),
    "he_normal(in 0, out 1)": ("he_normal", {"in_axis": 0, "out_axis": 1}, CONV),
    "he_normal(batch 0)": ("he_normal", {"batch_axis": 0}, CONV),
    "lecun_uniform(in (0, 2))": ("lecun_uniform", {"in_axis": (0, 2), "batch_axis": (1,)}, CONV),
    "embedding": (
        "variance_scaling",
        {"scale": 1.0, "mode": "fan_in", "distribution": "normal", "out_axis": 0},
        SHAPE,
    ),
    **{
        f"variance_scaling({mode}, {law})": (
            "variance_scaling",
            {"scale": 0.5, "mode": mode, "distribution": law},
            CONV,
        )
        for mode, law in (
            ("fan_out", "uniform"),
            ("fan_geo_avg", "normal"),
            ("fan_geo_avg", "truncated_normal"),
        )
    },
}


class Moments(NamedTuple):
    """What a table says of one array."""

    mean: float
    std: float
    least: float
    most: float
    distinct: int


def moments(array: Any) -> Moments:
    values = np.asarray(array)
    wide = values.astype(np.float64)
    distinct = len(np.unique(values.view(f"u{values.dtype.itemsize}")))
    return Moments(wide.mean(), wide.std(), wide.min(), wide.max(), distinct)


def draws(name: str, dtype: str) -> tuple[jax.Array, jax.Array]:
    """JAX's and ours, of one key."""
    builder, arguments, shape = CASES[name]
    key = jax.random.key(7)
    theirs = getattr(jax.nn.initializers, builder)(**arguments)(key, shape, dtype)
    ours = getattr(initializers, builder)(**arguments)(key, shape, dtype)
    return theirs, ours


if __name__ == "__main__":
    heads = "mean of JAX", "ours", "std of JAX", "ours", "least of JAX", "ours", "most of JAX", "ours"
    for dtype in sys.argv[1:] or ["float32", "bfloat16"]:
        lines = [[f"{dtype:48}", *(f"{head:>12}" for head in heads), f"{'values of JAX':>14}{'ours':>9}"]]
        for name in CASES:
            theirs, ours = map(moments, draws(name, dtype))
            pairs = [f"{value:12.5g}" for both in zip(theirs[:4], ours[:4], strict=True) for value in both]
            lines.append([f"{name:48}", *pairs, f"{theirs.distinct:14,}{ours.distinct:9,}"])
        sys.stdout.write("\n".join(map(" ".join, lines)) + "\n\n")
