"""Knows how a block of code has its random fills drawn by fanfill instead of torch.

It must not know which operations these are, nor how they are drawn.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import ContextDecorator
from types import TracebackType
from typing import Any, TypeVar

from ..stream import Seed, normalize_seed
from ..threads import thread_count
from . import trunc_normal
from .fill_mode import FillMode, active_mode
from .fill_report import FillReport
from .generator import generator_seed

__all__ = ["Acceleration", "accelerate"]

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


class Acceleration(ContextDecorator):
    """The context manager, and decorator, that `accelerate` returns.

    It holds no state of a block: it can be entered again, nested in itself and shared by threads, and each
    entry begins with key 0 and a report of its own.
    """

    def __init__(self, seed: int | None, threads: int | None) -> None:
        self._seed = seed
        self._threads = threads

    def __repr__(self) -> str:
        return f"accelerate(seed={self._seed}, threads={self._threads})"

    def __call__(self, function: FunctionT) -> FunctionT:
        """Return the function with its body in a block; one that yields or awaits is refused."""
        # Its call returns at once and its body runs later, outside of any block around the call.
        kinds = (inspect.isgeneratorfunction, inspect.iscoroutinefunction, inspect.isasyncgenfunction)
        if any(is_kind(function) for is_kind in kinds):
            raise TypeError(
                f"accelerate: {function.__qualname__} yields or awaits, and its body would run outside of "
                "the block; enter a block inside of it, between its yields"
            )
        return super().__call__(function)

    def __enter__(self) -> FillReport:
        mode = FillMode(generator_seed(None) if self._seed is None else self._seed, self._threads)
        trunc_normal.install()
        mode.__enter__()
        return mode.report

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        mode = active_mode()
        if mode is None:
            raise RuntimeError("accelerate: leave the block in the thread that entered it")
        trunc_normal.uninstall()
        mode.__exit__(kind, value, trace)


def accelerate(seed: Seed | None = None, *, threads: int | None = None) -> Acceleration:
    """Have the random fills of a block of code drawn by fanfill, without touching that code.

    Taken are ``Tensor.normal_`` and ``uniform_``, ``torch.randn``, ``rand``, ``randn_like``, ``rand_like``,
    ``torch.normal`` with numbers for its parameters, and ``torch.nn.init.trunc_normal_``, of dense CPU
    tensors of fanfill's dtypes, whether called from Python or from C++; thus all that is made of them, such
    as ``torch.nn.init``, the constructors of modules and transformers' ``from_config``. The laws are torch's.
    What fanfill can't take is passed on to torch, which draws as ever, and listed in the report with the
    reason: other distributions (dropout, ``randperm``, ``bernoulli_``, ...) and tensors that are meta,
    sparse, complex or on another device.

    Parameters
    ----------
    seed : int or numpy.random.SeedSequence, optional
        See `fanfill.fill_`. By default the next 64 bits of torch's default generator on entry, so that
        ``torch.manual_seed`` governs it.
    threads : int, optional
        See `fanfill.fill_`. Never changes a value.

    Returns
    -------
    Acceleration
        A context manager that gives a `FillReport`, and a decorator.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or out of range.

    Notes
    -----
    The n-th fill that is taken has key n, counted from 0, those with a generator of their own left out.
    Values therefore depend on the order of the calls, unlike those of named parameters; and two blocks with
    one seed give the same numbers. Give each block, a nested one too, a seed of its own.

    A call with an explicit ``generator=`` draws the next 64 bits of that generator as its seed, with key 0,
    as `fanfill.torch.init` does. torch's default generator is neither used nor changed, except for what is
    passed on; so ``torch.manual_seed`` inside the block has no effect on what is taken.

    It holds for the thread that enters it, until it leaves; other threads enter blocks of their own. Every
    operation of torch in the block takes some 10 microseconds longer, a small fill some 20 to 40: put the
    construction of a model inside, not its training. What a forward pass draws under activation
    checkpointing, for one, is drawn anew when it is recomputed, where torch would restore its generator.

    While torch records a trace (``make_fx``, AOTAutograd, ``torch.export``) nothing is taken: it holds
    torch's operations, whose values are torch's wherever it runs.

    Examples
    --------
    >>> import torch, fanfill.torch
    >>> with fanfill.torch.accelerate(seed=0) as report:
    ...     layer = torch.nn.Linear(1024, 1024)
    >>> report.fills["uniform_"].elements
    1049600
    """
    return Acceleration(
        None if seed is None else normalize_seed(seed), None if threads is None else thread_count(threads)
    )
