"""Knows the small fills that are timed from Python, and their likes in torch.

It must not know how a call reaches the core.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

import fanfill as ff
from bench.pages.rounds import measured, summary

__all__ = ["measure"]

_CALLS = 200


def _calls() -> dict[str, Callable[[], Any]]:
    flat, matrix = np.empty(1000, np.float32), np.empty((40, 25), np.float32)
    one = np.empty(1, np.float32)
    calls: dict[str, Callable[[], Any]] = {
        "numpy: normal_": lambda: ff.normal_(flat, std=0.02, seed=7, key=1),
        "numpy: normal_, key a name": lambda: ff.normal_(flat, std=0.02, seed=7, key="layer.weight"),
        "numpy: normal_ of one value": lambda: ff.normal_(one, std=0.02, seed=7, key=1),
        "numpy: uniform_": lambda: ff.uniform_(flat, -1.0, 1.0, seed=7, key=1),
        "numpy: truncated_normal_": lambda: ff.truncated_normal_(flat, std=0.02, seed=7, key=1),
        "numpy: he_normal_": lambda: ff.he_normal_(matrix, seed=7, key=1),
        "numpy: he_truncated_normal_": lambda: ff.he_truncated_normal_(matrix, seed=7, key=1),
        "numpy: glorot_uniform_": lambda: ff.glorot_uniform_(matrix, seed=7, key=1),
        "numpy: fill_ of zeros": lambda: ff.fill_(flat, ff.Constant(0.0), seed=7, key=1),
    }
    try:
        import torch
    except ImportError:
        return calls
    torch.set_num_threads(1)
    tensor, weight = torch.empty(1000), torch.empty(40, 25)
    return {
        **calls,
        "torch: normal_": lambda: ff.normal_(tensor, std=0.02, seed=7, key=1),
        "torch: uniform_": lambda: ff.uniform_(tensor, -1.0, 1.0, seed=7, key=1),
        "torch: he_normal_": lambda: ff.he_normal_(weight, seed=7, key=1),
        "torch: glorot_uniform_": lambda: ff.glorot_uniform_(weight, seed=7, key=1),
        "torch.nn.init.normal_": lambda: torch.nn.init.normal_(tensor, std=0.02),
        "torch.nn.init.uniform_": lambda: torch.nn.init.uniform_(tensor, -1.0, 1.0),
        "torch.nn.init.kaiming_normal_": lambda: torch.nn.init.kaiming_normal_(weight),
        "torch.nn.init.xavier_uniform_": lambda: torch.nn.init.xavier_uniform_(weight),
    }


def _task(call: Callable[[], Any]) -> Callable[[], float]:
    def run() -> float:
        begin = time.perf_counter()
        for _ in range(_CALLS):
            call()
        return (time.perf_counter() - begin) / _CALLS

    return run


def measure(rounds: int, size: int) -> dict[str, Any]:
    """Return the wall time of one call on 1,000 float32 values."""
    del size
    ff.set_num_threads(1)
    times = measured({name: _task(call) for name, call in _calls().items()}, 5 * rounds, "small fills")
    ff.set_num_threads(None)
    return {"values": 1000, "clock": "wall time", **{name: summary(own) for name, own in times.items()}}
