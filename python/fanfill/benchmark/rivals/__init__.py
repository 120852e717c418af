"""Knows the list of libraries that can be measured and what each module of this package must offer.

It must not know laws, clocks or reports.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Protocol

from ..fill import Fill
from ..workload import Workload

__all__ = ["RIVALS", "Rival", "load"]

# Name: module, and the environment that it must be imported with. Each is measured in a process of its own.
RIVALS: dict[str, tuple[str, dict[str, str]]] = {
    "fanfill": ("fanfill", {}),
    "memset": ("memset", {}),
    "numpy": ("numpy", {}),
    "torch": ("torch", {}),
    "jax": ("jax", {"JAX_PLATFORMS": "cpu"}),
    "keras-jax": ("keras", {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}),
    "keras-numpy": ("keras", {"KERAS_BACKEND": "numpy"}),
    "keras-tensorflow": ("keras", {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}),
    "keras-torch": ("keras", {"KERAS_BACKEND": "torch"}),
    "tensorflow": ("tensorflow", {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}),
    "mkl": ("mkl_vsl", {}),
    "mkl_random": ("mkl_random", {}),
    "randomgen": ("randomgen", {}),
    "timm": ("timm", {}),
}


class Rival(Protocol):
    """What each module of this package has."""

    def version(self) -> str:
        """Say which release is measured."""

    def ways(self, workload: Workload) -> Sequence[str]:
        """List the generators, methods or instruction sets that can do it; empty if none can."""

    def prepare(self, way: str, workload: Workload, arrays: list[Any]) -> Fill:
        """Make ready: compiled, and with the workload's threads.

        `arrays` lie in warm memory. A workload of new memory leaves them alone, and a library that can't
        write into other's memory uses its own.
        """


def load(name: str) -> Rival:
    """Import a rival, with its environment.

    Raises
    ------
    ImportError, OSError
        If the library that it measures is not installed.
    """
    module, environment = RIVALS[name]
    os.environ.update(environment)
    found: Any = import_module(f"{__name__}.{module}")
    return found  # type: ignore[no-any-return]
