"""Knows how to say what this build and this process of fanfill are: versions, instruction sets, threads.

It must not know laws, memory or plans.
"""

from __future__ import annotations

import os
from typing import Any, Literal, overload

import numpy as np

from . import _core
from .threads import get_num_threads, thread_source

__all__ = ["isas", "show_config"]


def isas() -> list[tuple[str, bool]]:
    """Return the instruction sets that are built in, best first, and whether this machine runs each.

    The best that it runs is used, unless the environment variable ``FANFILL_ISA`` names another. All give
    the same bits.

    Returns
    -------
    list of (str, bool)
        Name, and whether processor and operating system support it.

    Examples
    --------
    >>> import fanfill as ff
    >>> ff.isas()[-1]
    ('scalar', True)
    """
    return _core.isas()


def isa_complaint() -> str | None:
    """Return what is wrong with the environment variable ``FANFILL_ISA``, and what to set, or None."""
    status, _ = _core.chosen_isa()
    if status == _core.OK:
        return None
    value = os.environ.get("FANFILL_ISA", "")
    usable = ", ".join(name for name, is_supported in isas() if is_supported)
    if status == _core.UNSUPPORTED_ISA:
        return f"FANFILL_ISA: this machine lacks {value}; set one of {usable}, or none for the best"
    return f"FANFILL_ISA: {value!r} is no instruction set here; set one of {usable}, or none for the best"


@overload
def show_config(mode: Literal["stdout"] = "stdout") -> None: ...


@overload
def show_config(mode: Literal["dicts"]) -> dict[str, Any]: ...


def show_config(mode: Literal["stdout", "dicts"] = "stdout") -> dict[str, Any] | None:
    """Print what a bug report needs: versions, instruction sets, threads.

    Parameters
    ----------
    mode : {"stdout", "dicts"}, optional
        Whether to print it as JSON or to return it as a dictionary, as ``numpy.show_config`` does.

    Raises
    ------
    ValueError
        If the mode is neither.

    Examples
    --------
    >>> import fanfill as ff
    >>> ff.show_config("dicts")["contract_version"] == ff.CONTRACT_VERSION
    True
    """
    if mode not in ("stdout", "dicts"):
        raise ValueError(f"mode must be 'stdout' or 'dicts', not {mode!r}")
    import json
    import platform

    from . import __version__

    complaint = isa_complaint()
    config: dict[str, Any] = {
        "fanfill": __version__,
        "contract_version": _core.CONTRACT_VERSION,
        "isa": _core.chosen_isa()[1] if complaint is None else f"none: {complaint}",
        "isas": dict(isas()),
        "threads": get_num_threads(),
        "threads_from": thread_source(),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
    if mode == "dicts":
        return config
    print(json.dumps(config, indent=2))  # noqa: T201 - printing is what it is for
    return None
