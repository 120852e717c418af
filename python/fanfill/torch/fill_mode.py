"""Knows how the random operations of one thread, from Python or C++, come to be drawn by fanfill.

It must not know laws, nor how anything is written.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from ..law import Law
from .fill_report import FillCount, FillReport
from .generator import default_state
from .random_op import NotDrawnError, RandomFill, is_read, may_draw, read_fill
from .tensor_fill import check_fill, fill_from_generator_, fill_tensor_, is_on_host
from .trace import is_tracing

__all__ = ["FillMode", "active_mode"]

_here = threading.local()


def active_mode() -> FillMode | None:
    """Return the innermost mode of this thread."""
    modes: list[FillMode] = getattr(_here, "modes", [])
    return modes[-1] if modes else None


_Mode: Any = TorchDispatchMode  # torch declares no types for it


class FillMode(_Mode):  # type: ignore[misc]
    """Draws the fills of this thread from the streams 0, 1, 2, ... of a seed, in the order of the calls.

    Parameters
    ----------
    seed : int
    threads : int or None
        As for `fanfill.fill_`.
    """

    # Else torch refuses its control flow and attention operators in the block.
    supports_higher_order_operators = True

    def __init__(self, seed: int, threads: int | None) -> None:
        super().__init__()
        self.report = FillReport(seed)
        self._threads = threads
        self._next_key = 0

    def __enter__(self) -> FillMode:
        super().__enter__()
        modes = getattr(_here, "modes", None)
        if modes is None:
            modes = _here.modes = []
        modes.append(self)
        return self

    def __exit__(self, *exception: object) -> None:
        _here.modes.remove(self)
        super().__exit__(*exception)

    def fill_(
        self, function: str, tensor: torch.Tensor, law: Law, generator: torch.Generator | None
    ) -> torch.Tensor:
        """Fill a tensor with the next stream, or with the generator's if it has its own, and count it.

        Raises
        ------
        TypeError, ValueError
            If fanfill cannot write the tensor or draw the law; nothing is written or used up then.
        NotDrawnError
            If the tensor is not in host memory: its own device draws faster than the host and the way there.
        """
        if not is_on_host(tensor):
            raise NotDrawnError(f"{type(tensor).__name__} on the device {tensor.device}")
        with self.counting(function, tensor):
            if generator is not None:
                return fill_from_generator_(tensor, law, generator, self._threads)
            fill_tensor_(tensor, law, self.report.seed, self._next_key, self._threads)
            self._next_key += 1
        return tensor

    def next_stream(self) -> tuple[int, int]:
        """Return the seed and the next key, which is used up by that."""
        self._next_key += 1
        return self.report.seed, self._next_key - 1

    @contextmanager
    def counting(self, function: str, tensor: torch.Tensor) -> Iterator[None]:
        """Count what is done to a tensor as one fill, unless it raises."""
        begin = time.perf_counter()
        yield
        seconds = time.perf_counter() - begin
        size = tensor.numel()
        self.report.add_fill(function, FillCount(1, size, size * tensor.element_size(), seconds))

    def __torch_dispatch__(
        self, operation: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        options: dict[str, Any] = kwargs or {}
        if not may_draw(operation):
            return operation(*args, **options)
        function = operation.overloadpacket.__name__
        if not is_read(operation):
            return self._passed_on(function, operation, args, options)
        # Of a refusal only the text is kept: its traceback would keep this frame alive, and the result in it.
        try:
            if is_tracing():  # a fill in memory, which no trace sees, would leave the trace an empty tensor
                raise NotDrawnError("a trace of torch's operations is recorded")
            fill = read_fill(operation, args, options)
        except (NotDrawnError, TypeError, ValueError) as error:
            reason = str(error)
        else:
            try:
                return self.fill_(function, fill.tensor, fill.law, fill.generator)
            except NotDrawnError as error:
                reason = str(error)
            except (TypeError, ValueError) as error:
                reason = _reason(fill, error)
        result = operation(*args, **options)
        self.report.add_passed_on(function, reason.partition(";")[0], _size(result))
        return result

    def _passed_on(self, function: str, operation: Any, args: Sequence[Any], options: dict[str, Any]) -> Any:
        """Let torch do an operation of no law of fanfill's, and count it if it drew anything."""
        before = default_state()
        result = operation(*args, **options)
        # Attention without dropout, to name one, may draw and does not. What draws on another device, or from
        # a generator of its own, leaves no trace here.
        is_elsewhere = options.get("generator") is not None or not _is_on_cpu(result)
        if is_elsewhere or before != default_state():
            self.report.add_passed_on(function, "no fill with one normal or uniform law", _size(result))
        return result


def _reason(fill: RandomFill, error: Exception) -> str:
    """Return why a fill is refused, or raise the error if it is none: torch shall not hide a fault."""
    try:
        check_fill(fill.tensor, fill.law)
    except (TypeError, ValueError) as refusal:
        return str(refusal)
    raise error


def _is_on_cpu(result: Any) -> bool:
    """Return whether all tensors of what an operation returned are on the CPU."""
    if isinstance(result, torch.Tensor):
        return str(result.device.type) == "cpu"
    return all(map(_is_on_cpu, result)) if isinstance(result, (list, tuple)) else True


def _size(result: Any) -> int:
    """Return the number of elements of what an operation returned."""
    if isinstance(result, torch.Tensor):
        return int(result.numel())
    return sum(map(_size, result)) if isinstance(result, (list, tuple)) else 0
