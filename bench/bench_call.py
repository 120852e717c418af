"""What a call costs, as pytest-benchmark times it: small tensors one by one and many at once, and raw words.

They must not know what any speed ought to be.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fanfill.benchmark import form, rivals
from fanfill.benchmark.law_check import check_law
from fanfill.benchmark.tasks import Scale, load
from fanfill.benchmark.workload import WARM_BYTES

_SCALE = Scale(WARM_BYTES, WARM_BYTES, threads=1)
_CASES = [
    (name, at, rival)
    for name in ("small", "words")
    for at, _ in enumerate(load(name).matches("numpy", _SCALE))
    for rival in ("fanfill", "numpy")
]


@pytest.mark.parametrize(("name", "at", "rival"), _CASES)
def bench_call(benchmark: Any, name: str, at: int, rival: str) -> None:
    """Time one call a round, after the check of its law."""
    match = list(load(name).matches("numpy", _SCALE))[at]
    workload = match.left if rival == "fanfill" else match.right
    module = rivals.load(rival)
    chosen = match.left_way if rival == "fanfill" else match.right_way
    memory = np.zeros(form.memory_bytes(workload), np.uint8)
    way = chosen or module.ways(workload)[0]
    fill = module.prepare(way, workload, form.arrays(workload, memory))
    fill.run(1)
    values = fill.values()
    assert values is not None
    check_law(workload, values)
    benchmark.group = str(workload)
    benchmark.extra_info["values"] = workload.count
    rounds, iterations = (15, 1) if workload.size > 1 << 20 else (200, 20)
    benchmark.pedantic(fill.run, args=(1,), rounds=rounds, iterations=iterations, warmup_rounds=1)
