"""Knows how to draw in place with torch's CPU tensors.

It must not know what the values are compared with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from ..fill import Fill
from ..form import sample
from ..workload import LAWS, Workload

_NAMES = {"normal": "normal_", "uniform": "uniform_"}


def version() -> str:
    """Say the release."""
    return str(torch.__version__)


def ways(workload: Workload) -> list[str]:
    """Name the method of the law; torch draws no float8."""
    if workload.dtype.startswith("float8") or workload.law == "words":
        return []
    name = _NAMES.get(workload.law, "trunc_normal_")
    return [f"nn.init.{name}" if workload.form == "init" else name]


def prepare(way: str, workload: Workload, arrays: list[Any]) -> Fill:
    """Make tensors of the arrays' memory."""
    _, low, high = LAWS[workload.law]
    low, high = (float(np.clip(bound, -20.0, 20.0)) for bound in (low, high))  # infinities are NaN there
    draws: dict[str, Callable[[Any], object]] = {
        "normal": lambda tensor: tensor.normal_(),
        "uniform": lambda tensor: tensor.uniform_(low, high),
    }
    if way.startswith("nn.init."):
        draws["normal"] = torch.nn.init.normal_
    draw = draws.get(workload.law, lambda tensor: torch.nn.init.trunc_normal_(tensor, 0.0, 1.0, low, high))
    return prepare_draw(draw, workload, arrays)


def prepare_draw(draw: Callable[[Any], object], workload: Workload, arrays: list[Any]) -> Fill:
    """Make ready to draw with any function of a tensor."""
    torch.set_num_threads(workload.threads)
    dtype = getattr(torch, workload.dtype)
    # Of arrays whose element type torch doesn't take from NumPy, the bits.
    tensors = [torch.from_numpy(array.view(f"i{array.itemsize}")).view(dtype) for array in arrays]

    def run(repeat: int) -> None:
        torch.set_num_threads(workload.threads)
        with torch.no_grad():
            for _ in range(repeat):
                for tensor in tensors:
                    draw(tensor)

    def run_new(repeat: int) -> None:
        with torch.no_grad():
            for _ in range(repeat):
                draw(torch.empty(workload.count, dtype=dtype))

    def values_new() -> Any:
        tensor = torch.empty(workload.count, dtype=dtype)
        draw(tensor)
        return sample([tensor.numpy()])

    many = workload.threads > 1
    if workload.memory == "new":
        return Fill(run_new, values_new, has_threads=many)
    return Fill(run, lambda: sample(arrays), keep=tensors, has_threads=many)
