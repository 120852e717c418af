"""Fills as pytest-benchmark times them: every law and element type of fanfill, and NumPy's, in warm memory.

They must not know what any speed ought to be: ``pytest bench`` prints a table, ``--benchmark-compare`` two.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fanfill.benchmark import form, rivals
from fanfill.benchmark.law_check import check_law
from fanfill.benchmark.workload import CACHE_BYTES, DTYPES, LAWS, WARM_BYTES, Workload

_OWN = [(law, dtype) for law in LAWS for dtype in DTYPES if law != "words" and dtype != "uint32"]
_CASES = [
    *(("fanfill", law, dtype) for law, dtype in _OWN),
    *(("numpy", law, dtype) for law in ("normal", "uniform") for dtype in ("float32", "float64")),
    ("memset", "normal", "float32"),
]
_ROUNDS = {"cache": 100, "warm": 7}
_SIZES = {"cache": CACHE_BYTES, "warm": WARM_BYTES}


@pytest.fixture(scope="module")
def memory() -> Any:
    """Pages that are there already."""
    found = np.empty(WARM_BYTES, np.uint8)
    found.fill(255)
    return found


@pytest.mark.parametrize("place", _SIZES)
@pytest.mark.parametrize(("rival", "law", "dtype"), _CASES)
def bench_fill(benchmark: Any, memory: Any, rival: str, law: str, dtype: str, place: str) -> None:
    """Time one fill a round, of the rival's first way, after the check of its law."""
    workload = Workload(law, dtype, _SIZES[place])
    module = rivals.load(rival)
    fill = module.prepare(module.ways(workload)[0], workload, form.arrays(workload, memory))
    fill.run(1)
    values = fill.values()
    if values is not None:
        check_law(workload, values)
    benchmark.group = f"{law} {dtype}, {place}"
    benchmark.extra_info["values"] = workload.count
    benchmark.pedantic(fill.run, args=(1,), rounds=_ROUNDS[place], warmup_rounds=1)
