"""Knows how to draw truncated normals with timm's functions.

It must not know what the values are compared with.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import version as installed_version
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import torch  # noqa: F401 - timm is absent without it

from ..fill import Fill
from ..workload import LAWS, Workload
from .torch import prepare_draw

_FUNCTIONS = ("trunc_normal_tf_", "trunc_normal_")


@cache
def _weight_init() -> Any:
    """Load timm's one module: the package would import torchvision, which no initializer needs."""
    package = find_spec("timm")
    if package is None or package.origin is None:
        raise ImportError("No module named 'timm'")
    path = Path(package.origin).parent / "layers" / "weight_init.py"
    spec = spec_from_file_location("timm_weight_init", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} can't be loaded")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def version() -> str:
    """Say the release."""
    _weight_init()
    return installed_version("timm")


def ways(workload: Workload) -> list[str]:
    """List the functions; both draw truncated normals."""
    able = LAWS[workload.law][0] == "truncated" and workload.dtype in ("float32", "float64", "bfloat16")
    return list(_FUNCTIONS) if able else []


def prepare(way: str, workload: Workload, arrays: list[Any]) -> Fill:
    """Make ready to draw in place."""
    draw = getattr(_weight_init(), way)
    _, low, high = LAWS[workload.law]
    return prepare_draw(lambda tensor: draw(tensor, 0.0, 1.0, low, high), workload, arrays)
