"""Knows how a torch generator gives the seed of one fill, and where the default one stands.

It must not know laws or tensors.
"""

from __future__ import annotations

import torch
from torch.utils._python_dispatch import _disable_current_modes, _get_current_dispatch_mode

__all__ = ["default_state", "generator_seed"]


def generator_seed(generator: torch.Generator | None, device: torch.device | str = "cpu") -> int:
    """Draw the next 64 bits of a generator: the seed of one fill.

    Parameters
    ----------
    generator : torch.Generator or None
        Advances. By default it is the default generator of the device.
    device : torch.device or str, optional
        Of the generator.

    Returns
    -------
    int
        In [0, 2**64).

    Raises
    ------
    TypeError, RuntimeError
        If `generator` is no generator, or one of another device; raised by torch.
    """
    if _get_current_dispatch_mode() is None:
        return _next_word(generator, device)
    # No operation of the caller's program, so none of its modes shall see it.
    with _disable_current_modes():
        return _next_word(generator, device)


def default_state() -> bytes:
    """Return the state of torch's default generator, seen by no mode of the caller's."""
    with _disable_current_modes():
        state: bytes = torch.get_rng_state().numpy().tobytes()
    return state


def _next_word(generator: torch.Generator | None, device: torch.device | str) -> int:
    word = torch.empty((), dtype=torch.int64, device=device).random_(-(2**63), None, generator=generator)
    return int(word.item()) % 2**64
