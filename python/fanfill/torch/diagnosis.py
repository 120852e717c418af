"""Knows which layers of a model vanish, explode or saturate under one batch, and which rule helps.

It must not know how a pass is watched, nor how a report is drawn.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ..fan import fans
from ..number import as_real
from ..signal.gains import gains
from ..stream import Seed
from .layer_trace import LayerTrace, is_conv1d, traced_layers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Diagnosis", "LayerDiagnosis", "diagnose"]

# torch's activations as `gains` knows them, and the attribute that is its parameter.
_NAMES: dict[type[Any], tuple[str, str | None]] = {
    torch.nn.ReLU: ("relu", None),
    torch.nn.LeakyReLU: ("leaky_relu", "negative_slope"),
    torch.nn.ELU: ("elu", "alpha"),
    torch.nn.SELU: ("selu", None),
    torch.nn.GELU: ("gelu", None),
    torch.nn.SiLU: ("silu", None),
    torch.nn.Mish: ("mish", None),
    torch.nn.Softplus: ("softplus", None),
    torch.nn.Tanh: ("tanh", None),
    torch.nn.Sigmoid: ("sigmoid", None),
}
_SATURATED, _DEAD = 0.5, 0.9


@dataclass(frozen=True)
class LayerDiagnosis:
    """What one layer does with the batch, and what is wrong with that.

    Attributes
    ----------
    name, kind : str
        The module's name and class.
    shape : tuple of int
        Of its output.
    mean, rms : float
        Of its output.
    gradient_rms, weight_gradient_rms : float
        Of the gradients of its output and of its weight; nan where there is none.
    gain : float
        What its weight's standard deviation is times sqrt(fan_in); nan where there is no weight matrix.
    correlation : float
        Of two examples' outputs: 1 where all are alike.
    saturated : float
        The fraction of an activation's values where it is nearly flat, or of dead units of a ReLU.
    faults : tuple of str
        Any of "vanishes", "explodes", "gradient vanishes", "gradient explodes", "saturates", "is dead".
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    mean: float
    rms: float
    gradient_rms: float
    weight_gradient_rms: float
    gain: float
    correlation: float
    saturated: float
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Diagnosis:
    """What a batch does in a model, layer by layer.

    Attributes
    ----------
    model : str
        The module's class.
    layers : tuple of LayerDiagnosis
        In the order in which they ran.
    factor : float
        How far from the first layer's output, and the last layer's gradient, is too far.
    suggestion : str
        The rule that fits; says so where nothing stands out.
    """

    model: str
    layers: tuple[LayerDiagnosis, ...]
    factor: float
    suggestion: str

    @property
    def faults(self) -> dict[str, tuple[str, ...]]:
        """The layers that something is wrong with, by name."""
        return {layer.name: layer.faults for layer in self.layers if layer.faults}

    def __bool__(self) -> bool:
        """Whether no layer stands out."""
        return not self.faults

    def table(self) -> str:
        """Return a table with a line for each layer, then the suggestion."""
        names = [layer.name or "(the module)" for layer in self.layers]
        wide, kinds = max(map(len, names)), max(len(layer.kind) for layer in self.layers)
        head = "".join(f"{title:>12}" for title in _COLUMNS.values())
        lines = [f"{'layer':<{wide}}  {'kind':<{kinds}}{head}"]
        for name, layer in zip(names, self.layers, strict=True):
            cells = "".join(f"{_text(getattr(layer, each)):>12}" for each in _COLUMNS)
            lines.append(f"{name:<{wide}}  {layer.kind:<{kinds}}{cells}  {', '.join(layer.faults)}".rstrip())
        return "\n".join([*lines, "", self.suggestion])

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON types; what isn't there is None."""
        listed = []
        for layer in self.layers:
            entry = {name: getattr(layer, name) for name in LayerDiagnosis.__dataclass_fields__}
            plain = {
                k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in entry.items()
            }
            listed.append(plain | {"shape": list(layer.shape), "faults": list(layer.faults)})
        return {
            "model": self.model,
            "factor": self.factor,
            "suggestion": self.suggestion,
            "layers": listed,
        }

    def plot(self) -> Figure:
        """Return a matplotlib figure: size of outputs and gradients over the layers.

        Raises
        ------
        ImportError
            If matplotlib isn't installed.
        """
        from .diagnosis_report import diagnosis_figure

        return diagnosis_figure(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a report: one HTML file with table and plot, or the plot as PNG or SVG, by the path's ending.

        Raises
        ------
        ImportError
            If matplotlib isn't installed.
        ValueError
            If the path ends otherwise.
        """
        from .diagnosis_report import save_report

        save_report(self, Path(path))

    def __repr__(self) -> str:
        count = len(self.faults)
        said = "nothing stands out" if not count else f"{count} of {len(self.layers)} layers stand out"
        return f"Diagnosis({self.model}, {len(self.layers)} layers: {said})"


_COLUMNS = {
    "mean": "mean",
    "rms": "rms",
    "correlation": "alike",
    "saturated": "saturated",
    "gradient_rms": "gradient",
    "weight_gradient_rms": "weight grad",
    "gain": "gain",
}


def _text(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.3g}"


def diagnose(
    module: Any,
    batch: Any,
    *,
    loss: Callable[[Any], Any] | None = None,
    factor: float = 1000.0,
    seed: Seed = 0,
) -> Diagnosis:
    r"""Run one batch forward and back through a model and say which layers vanish, explode or saturate.

    A layer vanishes (explodes) if the root mean square of its output is `factor` times below (above) that of
    the first layer, and its gradient if the norm of its whole output's gradient is so beside the last
    layer's: norms, since pooling spreads one gradient over many positions. An activation
    saturates if more than half of its values lie where it is nearly flat; a ReLU is dead if more than nine
    tenths of its units are 0 for every example. What is exactly 0 behind a weight of zero, or before one
    going back, is no fault, for residual branches and heads may be meant to begin so; a ReLU there is dead.
    Layers are modules with parameters of their own, and torch's activation modules; what is called as a
    function, such as ``torch.relu``, isn't seen by itself.

    Parameters, buffers, gradients and random states are left as they were; what is frozen is measured like
    the rest. A layer that runs several times is measured the first time.

    Parameters
    ----------
    module : torch.nn.Module
        On any device that has memory; in training or evaluation, as it is.
    batch : tensor, array, or tuple or dict of them
        The arguments of one call: a tuple of positional ones, a dict of named ones.
    loss : callable, optional
        From the module's output to a scalar. By default the gradient of the first floating-point tensor of
        the output is drawn from N(0, 1).
    factor : float, optional
        Greater than 1.
    seed : int or numpy.random.SeedSequence, optional
        Of dropout and of that gradient.

    Returns
    -------
    Diagnosis

    Raises
    ------
    TypeError
        If `module` is no module, or there is nothing to take a gradient of.
    ValueError
        If a layer refuses what it gets, or it or its gradient is NaN or infinite (the message names it), no
        layer runs, a parameter is on the meta device or lazy, or the batch is empty or not finite.

    Examples
    --------
    >>> import torch
    >>> from fanfill.torch import diagnose, initialize_
    >>> layers = [part for _ in range(30) for part in (torch.nn.Linear(64, 64), torch.nn.ReLU())]
    >>> deep = initialize_(torch.nn.Sequential(*layers), "torch-default", seed=0)
    >>> diagnose(deep, torch.ones(8, 64)).faults["0"]
    ('gradient vanishes',)
    """
    limit = as_real(factor, "factor")
    if not 1.0 < limit < math.inf:
        raise ValueError(f"factor must be greater than 1 and finite, not {limit}")
    traces = traced_layers(module, batch, loss, seed)
    weighing = [each for each in traces if _matrix(each) is not None] or traces
    output = next((each.rms for each in weighing if each.rms > 0.0), math.nan)
    gradient = next((_norm(each) for each in reversed(weighing) if each.gradient_rms > 0.0), math.nan)
    zeros = [at for at, each in enumerate(traces) if _is_zero(each)]
    first, last = (zeros[0], zeros[-1]) if zeros else (len(traces), -1)
    layers = tuple(
        _diagnosed(each, output, gradient, limit, follows_zero=at >= first, precedes_zero=at < last)
        for at, each in enumerate(traces)
    )
    return Diagnosis(type(module).__name__, layers, limit, _suggestion(traces, layers, len(zeros)))


def _is_zero(trace: LayerTrace) -> bool:
    """Return whether the weight is zero, as a residual branch's last one may be meant to be."""
    weight = trace.module._parameters.get("weight")
    return weight is not None and weight.numel() > 0 and not bool(weight.detach().any())


def _diagnosed(
    trace: LayerTrace,
    output: float,
    gradient: float,
    factor: float,
    *,
    follows_zero: bool,
    precedes_zero: bool,
) -> LayerDiagnosis:
    weight = _matrix(trace)
    gain = math.nan
    if weight is not None:
        gain = float(weight.detach().double().std(correction=0)) * math.sqrt(_fan_in(trace, weight))
    faults = []
    for size, reference, what, is_meant in (
        (trace.rms, output, "", follows_zero),
        (_norm(trace), gradient, "gradient ", precedes_zero),
    ):
        if size * factor < reference and not (size == 0.0 and is_meant):
            faults.append(f"{what}vanishes")
        elif size > reference * factor:
            faults.append(f"{what}explodes")
    is_relu = isinstance(trace.module, (torch.nn.ReLU, torch.nn.ReLU6))
    if trace.saturated > (_DEAD if is_relu else _SATURATED):
        faults.append("is dead" if is_relu else "saturates")
    return LayerDiagnosis(
        trace.name,
        type(trace.module).__name__,
        trace.shape,
        trace.mean,
        trace.rms,
        trace.gradient_rms,
        trace.weight_gradient_rms,
        gain,
        trace.correlation,
        trace.saturated,
        tuple(faults),
    )


def _norm(trace: LayerTrace) -> float:
    return trace.gradient_rms * math.sqrt(math.prod(trace.shape))


def _matrix(trace: LayerTrace) -> Any:
    """Return the weight of a layer that mixes its inputs, or None: norms and embeddings don't."""
    weight = trace.module._parameters.get("weight")
    if weight is None or weight.ndim < 2 or not weight.numel():
        return None
    return None if isinstance(trace.module, (torch.nn.Embedding, torch.nn.EmbeddingBag)) else weight


def _fan_in(trace: LayerTrace, weight: Any) -> float:
    convolution = isinstance(trace.module, torch.nn.modules.conv._ConvNd)
    return fans(
        tuple(weight.shape),
        layout="io" if is_conv1d(trace.module) else "oi",
        transposed=bool(convolution and trace.module.transposed),
        groups=int(trace.module.groups) if convolution else 1,
    ).fan_in


def _suggestion(traces: Sequence[LayerTrace], layers: Sequence[LayerDiagnosis], zeros: int) -> str:
    """Return one line: which rule fits the activations that there are."""
    faulty = [layer for layer in layers if layer.faults]
    if not faulty and zeros:
        return (
            f"Nothing stands out. The weights of {zeros} layers are zero: what is 0 because of them is no "
            "fault, and shows what it is after the first steps."
        )
    if not faulty:
        return "Nothing stands out."
    found: list[tuple[str, float | None]] = []
    for trace in traces:
        if type(trace.module) in _NAMES:
            name, attribute = _NAMES[type(trace.module)]
            found.append((name, getattr(trace.module, attribute) if attribute else None))
    told = f"{len(faulty)} of {len(layers)} layers stand out, first {faulty[0].name!r}"
    if not found:
        return (
            f"{told}. No activation modules were seen: fanfill.torch.lsuv_(module, batch) finds each layer's "
            "scale by measuring it."
        )
    name, param = max(set(found), key=found.count)
    gain = gains(name, param).forward
    rule = (
        "fanfill.he_normal_(weight, ...), fan_in and gain √2"
        if name == "relu"
        else f'fanfill.lecun_normal_(weight, gain=fanfill.gains("{name}").forward, ...), {gain:.4g}'
    )
    return (
        f"{told}. The activation is mostly {name}, whose gain is {gain:.4g}: {rule}, with biases zero; or "
        "fanfill.torch.lsuv_(module, batch)."
    )
