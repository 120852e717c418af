"""What a transformers model draws for its tensors, recorded on the meta device instead of drawn.

It must not know checkpoints' names, recipes or files.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any
from unittest import mock

from ..law import Constant, Law, Normal, TruncatedNormal, Uniform

__all__ = ["LawRecorder", "RecordedLaw"]


class RecordedLaw:
    """The law of one tensor in memory: the last that covered it, and what was drawn anew over parts of it.

    Attributes
    ----------
    law : Law or None
        None where the values follow no law of fanfill, such as an orthogonal matrix.
    padding_row : int or None
        The row of an embedding that was set to zero.
    """

    def __init__(self) -> None:
        self.law: Law | None = None
        self.padding_row: int | None = None

    def cover(self, law: Law | None) -> None:
        """Note that the whole tensor got new values."""
        self.law, self.padding_row = law, None

    def cover_part(self, part: Any, whole: Any, law: Law | None) -> None:
        """Note that a view of the tensor got new values."""
        row, rest = divmod(part.storage_offset(), max(math.prod(whole.shape[1:]), 1))
        is_row = tuple(part.shape) == tuple(whole.shape[1:]) and whole.dim() == 2 and not rest
        if is_row and law == Constant(0.0):
            self.padding_row = row
        elif law != self.law:
            self.law = None


class LawRecorder:
    """Notes, inside its block, what is drawn for each tensor; nothing is drawn then.

    Build the model and call its `initialize_weights` in the block: what the model's class doesn't draw keeps
    what its modules drew when they were built.

    Raises
    ------
    ImportError
        If transformers is older than 5, whose models all draw through `transformers.initialization`.
    """

    def __init__(self) -> None:
        self._laws: dict[int, tuple[Any, RecordedLaw]] = {}  # with the tensor, or its id could be another's
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> LawRecorder:
        torch: Any = import_module("torch")
        try:
            initialization: Any = import_module("transformers.initialization")
        except ImportError as error:
            raise ImportError(
                'config: reading one needs transformers 5, pip install "fanfill[hf]"'
            ) from error
        recorders = _recorders(self._note, torch)
        self._stack.enter_context(mock.patch.dict(initialization.TORCH_INIT_FUNCTIONS, recorders))
        self._stack.enter_context(
            mock.patch.object(initialization, "copy_", lambda tensor, other: self._note(tensor, None))
        )
        self._stack.enter_context(initialization.guard_torch_init_functions())
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def _note(self, tensor: Any, law: Law | None) -> Any:
        whole = tensor if tensor._base is None else tensor._base
        _, record = self._laws.setdefault(id(whole), (whole, RecordedLaw()))
        if whole is tensor:
            record.cover(law)
        else:
            record.cover_part(tensor, whole, law)
        return tensor

    def laws(self, model: Any) -> Mapping[str, RecordedLaw]:
        """Return what was noted for each name of the model's state dict."""
        tensors = {name: model.get_parameter_or_buffer(name) for name in model.state_dict()}
        nothing = (None, RecordedLaw())
        return {name: self._laws.get(id(tensor), nothing)[1] for name, tensor in tensors.items()}


def _recorders(note: Callable[[Any, Law | None], Any], torch: Any) -> dict[str, Callable[..., Any]]:
    """Return stand-ins for torch's initializers, under their names."""

    def normal_(tensor: Any, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Any:
        return note(tensor, _law(lambda: Normal(float(mean), float(std))))

    def uniform_(tensor: Any, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Any:
        return note(tensor, _law(lambda: Uniform(float(a), float(b))))

    def trunc_normal_(
        tensor: Any,
        mean: float = 0.0,
        std: float = 1.0,
        a: float = -2.0,
        b: float = 2.0,
        generator: Any = None,
    ) -> Any:
        bounds = (float(a), float(b))
        law = _law(lambda: TruncatedNormal(float(mean), float(std), bounds=bounds, unit="absolute"))
        return note(tensor, law)

    def constant_(tensor: Any, val: float) -> Any:
        return note(tensor, _law(lambda: Constant(float(val))))

    def no_law_(tensor: Any, *_: Any, **__: Any) -> Any:
        return note(tensor, None)

    return {
        "normal_": normal_,
        "uniform_": uniform_,
        "trunc_normal_": trunc_normal_,
        "constant_": constant_,
        "zeros_": lambda tensor: constant_(tensor, 0.0),
        "ones_": lambda tensor: constant_(tensor, 1.0),
        **_scaled_recorders(normal_, uniform_, torch.nn.init),
        **dict.fromkeys(("eye_", "dirac_", "orthogonal_", "sparse_"), no_law_),
    }


def _scaled_recorders(
    normal_: Callable[..., Any], uniform_: Callable[..., Any], init: Any
) -> dict[str, Callable[..., Any]]:
    """Return stand-ins for the initializers whose spread comes from the fans, as `torch.nn.init` has them."""

    def glorot_std(tensor: Any, gain: float) -> float:
        return gain * math.sqrt(2.0 / float(sum(init._calculate_fan_in_and_fan_out(tensor))))

    def he_std(tensor: Any, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu") -> float:
        fan_in, fan_out = init._calculate_fan_in_and_fan_out(tensor)
        gain: float = init.calculate_gain(nonlinearity, a)
        return gain / math.sqrt(fan_in if mode == "fan_in" else fan_out)

    def uniform_of_std_(tensor: Any, std: float) -> Any:
        return uniform_(tensor, -math.sqrt(3.0) * std, math.sqrt(3.0) * std)

    def xavier_uniform_(tensor: Any, gain: float = 1.0, generator: Any = None) -> Any:
        return uniform_of_std_(tensor, glorot_std(tensor, gain))

    def xavier_normal_(tensor: Any, gain: float = 1.0, generator: Any = None) -> Any:
        return normal_(tensor, 0.0, glorot_std(tensor, gain))

    def kaiming_uniform_(tensor: Any, *scale: Any, generator: Any = None, **named: Any) -> Any:
        return uniform_of_std_(tensor, he_std(tensor, *scale, **named))

    def kaiming_normal_(tensor: Any, *scale: Any, generator: Any = None, **named: Any) -> Any:
        return normal_(tensor, 0.0, he_std(tensor, *scale, **named))

    return {
        each.__name__: each for each in (xavier_uniform_, xavier_normal_, kaiming_uniform_, kaiming_normal_)
    }


def _law(make: Callable[[], Law]) -> Law | None:
    """Return the law, or None where a configuration asks for one that can't be, such as std -1."""
    try:
        return make()
    except (TypeError, ValueError, OverflowError):
        return None
