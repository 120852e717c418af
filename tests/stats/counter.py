"""The C++ counter: how it is run and read.

It must not know which counts are worth having, nor what they should be.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from exhaustive.tool import call

NAME = "fanfill_stats"
STRIDES, ORDERS = (0, 1, 2, 3, 4, 7, 17, 1024), 8
TAIL_SIGMAS = (4, 5, 6, 7)
CELLS, PAIRS, TRIPLES = 1 << 20, 1 << 8, 1 << 9
END = 1 << 64


@dataclass(frozen=True)
class Place:
    """Where a sample begins: in which stream of which seed, at which element."""

    seed: int
    stream: int = 0
    start: int = 0


@dataclass(frozen=True)
class Counter:
    """The built program."""

    path: Path

    @cached_property
    def about(self) -> dict[str, Any]:
        """Contract version, compiler, supported and chosen instruction sets."""
        return dict(json.loads(call(self.path, "about")))

    def _counted(self, kind: type, *arguments: object) -> np.ndarray:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder, "counts")
            call(self.path, *map(str, arguments), str(target))
            return np.fromfile(target, dtype=kind)

    def codes(self, law: str, dtype: str, place: Place, count: int) -> np.ndarray:
        """How often each code of a narrow dtype came."""
        return self._counted(np.uint64, "codes", law, dtype, place.seed, place.stream, place.start, count)

    def cells(self, dtype: str, place: Place, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """How often each cell of Φ(value) came: of single values, pairs and triples."""
        found = self._counted(np.uint64, "cells", dtype, place.seed, place.stream, place.start, count)
        return found[:CELLS], found[CELLS : CELLS + PAIRS], found[CELLS + PAIRS :]

    def moments(self, dtype: str, place: Place, count: int) -> np.ndarray:
        """Sums of products of 1 to 8 values, by stride and order."""
        found = self._counted(np.float64, "moments", dtype, place.seed, place.stream, place.start, count)
        return found.reshape(len(STRIDES), ORDERS)

    def squares(self, dtype: str, place: Place, count: int) -> np.ndarray:
        """Sums of values and of their squares."""
        return self._counted(np.float64, "squares", dtype, place.seed, place.stream, place.start, count)

    def tails(self, dtype: str, place: Place, count: int) -> np.ndarray:
        """How many values lie beyond each of `TAIL_SIGMAS`, below zero and above."""
        found = self._counted(np.uint64, "tails", dtype, place.seed, place.stream, place.start, count)
        return found.reshape(2, len(TAIL_SIGMAS))

    def neighbours(self, places: Sequence[Place], count: int) -> tuple[np.ndarray, float]:
        """Sums of products of neighbours' values and squares; the excess of the squared sum of all."""
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "places")
            rows = [(place.seed % END, place.stream % END, place.start) for place in places]
            np.array(rows, dtype=np.uint64).tofile(source)
            found = self._counted(np.float64, "neighbours", source, count)
        return found[:-1].reshape(-1, 2), float(found[-1])

    def avalanche(self, seed: int, count: int) -> np.ndarray:
        """How often each of 128 bits changed with each bit of seed, stream and block number."""
        return self._counted(np.uint64, "avalanche", seed, count).reshape(-1, 128)

    def words(self, place: Place, count: int) -> np.ndarray:
        """The raw words themselves."""
        return self._counted(np.uint32, "words", place.seed, place.stream, place.start, count)
