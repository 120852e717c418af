"""A plan of three small tensors, and memory for them; it must not know what is done with them."""

from __future__ import annotations

from typing import Any

import numpy as np

import fanfill as ff


def small(seed: int = 7, **changes: Any) -> ff.Plan:
    members: dict[str, Any] = {
        "wte.weight": ff.ParamSpec("wte.weight", (6, 4), ff.Normal(0.0, 0.02), tie=("head.weight",)),
        "fc.weight": ff.ParamSpec("fc.weight", (4, 8), ff.TruncatedNormal(0.0, 0.1), layout="io"),
        "fc.bias": ff.ParamSpec("fc.bias", (8,), ff.Constant(0.0)),
    }
    members.update(changes)
    return ff.Plan(members.values(), seed=seed, model="tiny", recipe="none")


def empty(plan: ff.Plan) -> dict[str, np.ndarray[Any, Any]]:
    return {spec.name: np.full(spec.shape, np.nan, spec.dtype) for spec in plan}
