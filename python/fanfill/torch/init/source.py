"""Knows who gives the stream of one initializer's call: seed and key, a generator, torch's own, or a block.

It must not know laws, or what is done with the stream.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

from ...stream import Key, Seed, normalize_seed, stream_id
from ..fill_mode import FillMode, active_mode
from ..generator import generator_seed

__all__ = ["Source"]


class Source:
    """The arguments ``generator``, ``seed`` and ``key`` of one call, checked.

    Attributes
    ----------
    is_named : bool
        Whether the caller gave seed and key.
    generator : torch.Generator or None
        As given.
    mode : FillMode or None
        The block under `accelerate` that the call is part of, unless it is named.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or out of range, or they contradict each other.
    """

    def __init__(self, generator: torch.Generator | None, seed: Seed | None, key: Key | None) -> None:
        if generator is not None and not isinstance(generator, torch.Generator):
            raise TypeError(f"generator must be a torch.Generator, not {type(generator).__name__}")
        self.is_named = seed is not None
        self.generator = generator
        self._named = (0, 0)
        if seed is not None:
            if generator is not None:
                raise ValueError("generator: give either generator= or seed= and key=, not both")
            if key is None:
                raise TypeError(
                    "key is missing: tensors with one seed and one key get the same numbers, so give each "
                    "its own key, such as its name"
                )
            self._named = normalize_seed(seed), stream_id(key)
        elif key is not None:
            raise TypeError("seed is missing: key= names a stream of seed=; fanfill.fresh_seed() draws one")
        self.mode: FillMode | None = None if self.is_named else active_mode()

    def counting(self, function: str, tensor: torch.Tensor) -> AbstractContextManager[None]:
        """Count what is done to a tensor as one fill of the block, if the stream is the block's to give."""
        return nullcontext() if self.mode is None else self.mode.counting(function, tensor)

    def stream(self, device: torch.device) -> tuple[int, int]:
        """Return seed and key; unless they are named, the next ones of who gives them.

        A generator is one of the tensor's device, as for torch.
        """
        if self.is_named:
            return self._named
        if self.generator is None and self.mode is not None:
            return self.mode.next_stream()
        return generator_seed(self.generator, device), 0
