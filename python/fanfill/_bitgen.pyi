"""What the Cython module offers: a NumPy bit generator over the streams of the contract."""

from collections.abc import Mapping
from typing import Any

from numpy.random import BitGenerator, SeedSequence
from typing_extensions import disjoint_base

@disjoint_base
class Philox4x32(BitGenerator):
    def __init__(self, seed: int | SeedSequence | None = None, *, key: int | str = 0) -> None: ...
    @property
    def state(self) -> Mapping[str, Any]: ...
    @state.setter
    def state(self, value: Mapping[str, Any]) -> None: ...
    def advance(self, delta: int) -> Philox4x32: ...
    def jumped(self, jumps: int = 1) -> Philox4x32: ...
