"""Knows whether torch records a trace of its operations, which a fill, being none of them, would not be in.

It must not know laws, modes of fanfill's own or what is traced.
"""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["is_tracing", "refuse_traced"]

_KIND = torch._C._TorchDispatchModeKey
_mode = torch._C._get_dispatch_mode


def is_tracing() -> bool:
    """Return whether this thread traces: by ``make_fx``, or for what torch compiles or exports."""
    return _mode(_KIND.PROXY) is not None or _mode(_KIND.FUNCTIONAL) is not None


def refuse_traced(tensor: Any, name: str) -> None:
    """Raise TypeError if ``make_fx`` follows this tensor: its graph would lack the fill."""
    mode = _mode(_KIND.PROXY)
    if mode is not None and tensor in mode.tracer.tensor_tracker:
        raise TypeError(
            f"{name} is followed by make_fx, which records torch's operations and would not see this fill; "
            "fill it before, and give it to the traced function"
        )
