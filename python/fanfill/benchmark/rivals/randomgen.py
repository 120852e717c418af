"""Knows how to draw with the bit generators of randomgen under NumPy's Generator.

It must not know what the values are compared with.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import randomgen

from ..fill import Fill
from ..workload import Workload
from . import numpy as numpy_rival

_BIT_GENERATORS = ("Romu", "SFC64", "SFMT", "Xoshiro256", "JSF", "AESCounter", "Philox", "ThreeFry")


def version() -> str:
    """Say the release."""
    return str(randomgen.__version__)


def ways(workload: Workload) -> list[str]:
    """List the bit generators for what NumPy's Generator draws."""
    return list(_BIT_GENERATORS) if numpy_rival.ways(workload) else []


def prepare(way: str, workload: Workload, arrays: list[Any]) -> Fill:
    """Make ready to draw in place."""
    generator = np.random.Generator(getattr(randomgen, way)(1))
    return numpy_rival.prepare_generator(generator, workload, arrays)
