"""Knows how ``torch.nn.init.trunc_normal_``, which is no operation of torch, is drawn as one fill in a block.

It must not know streams, nor touch what other threads draw.
"""

from __future__ import annotations

import threading
import warnings
from typing import Any

import torch

from .fill_mode import active_mode
from .random_op import NotDrawnError
from .tensor_fill import truncated_normal_law
from .trace import is_tracing

__all__ = ["install", "uninstall", "warn_if_far"]

# Every torch.nn.init.trunc_normal_ ends in this function of its module and looks it up when it is called, so
# that those who imported trunc_normal_ itself before, as transformers does, are reached too.
_NAME = "_no_grad_trunc_normal_"

_lock = threading.Lock()
_users = 0
_of_torch: Any = None


def install() -> None:
    """Put the replacement in torch's place for one more block."""
    global _users, _of_torch
    with _lock:
        _users += 1
        found = getattr(torch.nn.init, _NAME)
        # It may be the replacement already, where somebody who had put theirs over it put it back too late.
        if _users == 1 and found is not _trunc_normal_:
            _of_torch = found
            setattr(torch.nn.init, _NAME, _trunc_normal_)


def uninstall() -> None:
    """Put torch's own function back once no block needs the replacement."""
    global _users
    with _lock:
        _users -= 1
        # Whoever put a function of theirs over it meanwhile keeps it; outside blocks it comes to torch's.
        if _users == 0 and getattr(torch.nn.init, _NAME) is _trunc_normal_:
            setattr(torch.nn.init, _NAME, _of_torch)


def _trunc_normal_(
    tensor: torch.Tensor,
    mean: float,
    std: float,
    a: float,
    b: float,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    mode = active_mode()
    if mode is not None and not is_tracing():
        try:
            result = mode.fill_("trunc_normal_", tensor, truncated_normal_law(mean, std, a, b), generator)
        except (NotDrawnError, TypeError, ValueError, ZeroDivisionError):
            pass  # torch does it or refuses it; of its parts the mode draws what it can and lists the others
        else:
            warn_if_far(mean, std, a, b, stacklevel=3)
            return result
    drawn: torch.Tensor = _of_torch(tensor, mean, std, a, b, generator=generator)
    return drawn


def warn_if_far(mean: Any, std: Any, a: Any, b: Any, *, stacklevel: int) -> None:
    """Warn as torch does of a mean that lies more than two std outside of the bounds."""
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. "
            "The distribution of values may be incorrect.",
            stacklevel=stacklevel,
        )
