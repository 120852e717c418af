"""Knows how one forward and one backward pass of a module are watched, layer by layer, changing nothing.

It must not know which numbers are good or bad, nor how they are shown.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from ..stream import Seed, normalize_seed

__all__ = [
    "OutputError",
    "LayerTrace",
    "as_arguments",
    "first_tensor",
    "is_conv1d",
    "run_named",
    "told",
    "traced_layers",
    "unchanged",
]

# Where the derivative is below a twentieth of its largest: these activations have both sides bounded.
_BOUNDS: dict[type[Any], tuple[float, float]] = {
    torch.nn.Tanh: (-0.975, 0.975),
    torch.nn.Sigmoid: (0.0127, 0.9873),
    torch.nn.Hardtanh: (-1.0, 1.0),
    torch.nn.Hardsigmoid: (0.0, 1.0),
    torch.nn.Softsign: (-0.776, 0.776),
}


class OutputError(ValueError):
    """What a layer gives is at fault, and not what it was given."""


@dataclass
class LayerTrace:
    """What one layer gave, and got back.

    Attributes
    ----------
    name : str
        As in ``module.named_modules()``.
    module : torch.nn.Module
        The layer.
    shape : tuple of int
        Of its output.
    mean, rms : float
        Of its output: mean and root of the mean square.
    correlation : float
        Of two examples' outputs; nan for one example.
    saturated : float
        The fraction of an activation's values where it is nearly flat, or of a ReLU's units that are 0 for
        all examples; nan for others.
    gradient_rms, weight_gradient_rms : float
        Of the gradients of its output and of its weight; nan where there is none.
    """

    name: str
    module: Any
    shape: tuple[int, ...] = ()
    mean: float = math.nan
    rms: float = math.nan
    correlation: float = math.nan
    saturated: float = math.nan
    gradient_rms: float = math.nan
    weight_gradient_rms: float = math.nan
    output: Any = field(default=None, repr=False)


def traced_layers(
    module: Any, batch: Any, loss: Callable[[Any], Any] | None = None, seed: Seed = 0
) -> list[LayerTrace]:
    """Return the layers of a module in the order in which they first ran, with what was measured.

    Layers are the modules with parameters of their own, and torch's activations. Parameters, buffers,
    gradients, hooks and random states are left as they were.

    Parameters
    ----------
    module : torch.nn.Module
        In training or evaluation, as it is.
    batch : tensor, array, or tuple or dict of them
        The arguments of one call.
    loss : callable, optional
        From the output to a scalar. By default the output's own gradient is drawn from N(0, 1).
    seed : int or numpy.random.SeedSequence, optional
        Of dropout and of that gradient.

    Raises
    ------
    TypeError, ValueError
        If the module isn't one or has no layers, a layer refuses what it gets, or it or its gradient is NaN
        or infinite; the message names the layer.
    """
    layers, number = _layers(module), normalize_seed(seed)
    traces: dict[Any, LayerTrace] = {}
    with torch.inference_mode(False), torch.enable_grad(), unchanged(module, number):
        arguments, keywords = as_arguments(module, batch)
        arguments, keywords = (
            _tracked(arguments),
            dict(zip(keywords, _tracked(keywords.values()), strict=True)),
        )

        def record(layer: Any, _: Any, output: Any) -> Any:
            tensor = first_tensor(output)
            if tensor is None or layer in traces:
                return None
            trace = traces[layer] = LayerTrace(layers[layer], layer)
            _measure(trace, tensor)
            if tensor is output and torch.is_grad_enabled() and not tensor.requires_grad:
                tensor = output = tensor.detach().requires_grad_(True)  # behind what is frozen
            trace.output = tensor
            # What runs in place next shall not turn the output that is kept into its own.
            return tensor.clone() if tensor is output else None

        with _hooks([each.register_forward_hook(record) for each in layers]):
            output = run_named(module, arguments, keywords)
        if not traces:
            raise ValueError(f"module: no layer of {type(module).__name__} ran")
        _measure_gradients(list(traces.values()), output, loss)
    for trace in traces.values():
        trace.output = None
    return list(traces.values())


def as_arguments(module: Any, batch: Any) -> tuple[list[Any], dict[str, Any]]:
    """Return a batch as arguments of one call: tensors on the module's device, floats in its dtype.

    Raises
    ------
    TypeError, ValueError
        If the module isn't one, has parameters on the meta device or without a shape, or the batch is empty
        or not finite.
    """
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"module must be a torch.nn.Module, not {type(module).__name__}")
    for name, parameter in module.named_parameters():
        if parameter.is_meta:
            raise ValueError(f"module: {name!r} is on the meta device; initialize_ gives it values")
        if torch.nn.parameter.is_lazy(parameter):
            raise ValueError(f"module: {name!r} has no shape yet; run the module once before")
    like = next((p for p in module.parameters() if p.is_floating_point()), None)
    if isinstance(batch, Mapping):
        return [], {str(name): _as_tensor(value, like, f"batch[{name!r}]") for name, value in batch.items()}
    if isinstance(batch, (tuple, list)):
        return [_as_tensor(value, like, f"batch[{at}]") for at, value in enumerate(batch)], {}
    return [_as_tensor(batch, like, "batch")], {}


def _as_tensor(value: Any, like: Any, name: str) -> Any:
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "fiub":
            raise TypeError(f"{name} must hold numbers, not {value.dtype}")
        value = torch.from_numpy(np.ascontiguousarray(value))
    if not isinstance(value, torch.Tensor):
        return value
    if value.numel() == 0:
        raise ValueError(f"{name} is empty, of shape {tuple(value.shape)}")
    if value.is_inference():
        value = value.clone()  # which gradients may flow through
    if value.is_floating_point():
        value = value.to(device=like.device, dtype=like.dtype) if like is not None else value
        if not bool(torch.isfinite(value).all()):
            raise ValueError(f"{name} holds NaN or infinity in {value.dtype}")
        return value
    return value.to(like.device) if like is not None else value


def _tracked(values: Any) -> list[Any]:
    """Return the same values, floats such that gradients flow to them whatever is frozen."""
    return [
        value.detach().requires_grad_(True).clone()
        if isinstance(value, torch.Tensor) and value.is_floating_point()
        else value
        for value in values
    ]


def first_tensor(output: Any) -> Any:
    """Return the first floating-point tensor of what a module returned, or None."""
    if isinstance(output, torch.Tensor):
        return output if output.is_floating_point() and output.numel() else None
    values = output.values() if isinstance(output, Mapping) else output
    if isinstance(output, (Mapping, tuple, list)):
        return next((found for found in map(first_tensor, values) if found is not None), None)
    return None


@contextlib.contextmanager
def unchanged(module: Any, seed: int) -> Iterator[None]:
    """Give buffers and random states back as they were, and seed the latter in between."""
    buffers = [(buffer, buffer.detach().clone()) for buffer in module.buffers()]
    places = [(each._buffers, dict(each._buffers)) for each in module.modules()]
    devices = {p.device.index for p in module.parameters() if p.device.type == "cuda"}
    with torch.random.fork_rng(devices=sorted(each for each in devices if each is not None)):
        torch.manual_seed(seed)
        try:
            yield
        finally:
            for place, held in places:  # some modules put a new tensor there instead of writing
                place.clear()
                place.update(held)
            with torch.no_grad():
                for buffer, before in buffers:
                    buffer.copy_(before)


@contextlib.contextmanager
def _hooks(handles: list[Any]) -> Iterator[None]:
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def run_named(module: Any, arguments: list[Any], keywords: dict[str, Any]) -> Any:
    """Run a module; an error of a layer names it and the shape that it got.

    Raises
    ------
    ValueError
        If the module raises.
    """
    running: list[tuple[str, tuple[int, ...] | None]] = []

    def enter(name: str) -> Any:
        def hook(layer: Any, given: Any) -> None:
            tensor = next((each for each in given if isinstance(each, torch.Tensor)), None)
            running.append((told(name, layer), None if tensor is None else tuple(tensor.shape)))

        return hook

    def leave(*_: Any) -> None:
        running.pop()

    handles = []
    for name, each in module.named_modules():
        handles += [each.register_forward_pre_hook(enter(name)), each.register_forward_hook(leave)]
    with _hooks(handles):
        try:
            return module(*arguments, **keywords)
        except OutputError:
            raise
        except Exception as error:  # a layer raises what it likes: many assert the shapes that they want
            said = repr(error) if isinstance(error, KeyError) or not str(error) else str(error)
            if not running:
                raise ValueError(f"batch: {type(module).__name__} doesn't take it: {said}") from error
            layer, shape = running[-1]
            got = "what it gets" if shape is None else f"an input of shape {shape}"
            raise ValueError(f"batch: {layer} refuses {got}: {said}") from error


def told(name: str, layer: Any) -> str:
    """Return how messages call a layer; the name of the module itself is empty."""
    return f"layer {name!r} ({type(layer).__name__})" if name else f"the module ({type(layer).__name__})"


def is_conv1d(layer: Any) -> bool:
    """Return whether this is what transformers calls Conv1D: GPT-2's linear layer, of weight (in, out)."""
    return type(layer).__name__ == "Conv1D" and not isinstance(layer, torch.nn.modules.conv._ConvNd)


def _layers(module: Any) -> dict[Any, str]:
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"module must be a torch.nn.Module, not {type(module).__name__}")
    found = {
        each: name
        for name, each in module.named_modules()
        if next(each.parameters(recurse=False), None) is not None
        or type(each).__module__ == "torch.nn.modules.activation"
    }
    if not found:
        raise ValueError(f"module: {type(module).__name__} has no layers: no parameters and no activations")
    return found


def _measure(trace: LayerTrace, output: Any) -> None:
    values = output.detach().double()
    trace.shape = tuple(values.shape)
    if not bool(torch.isfinite(values).all()):
        what = "NaN" if bool(torch.isnan(values).any()) else "infinity"
        raise OutputError(f"{told(trace.name, trace.module)} gives {what}")
    trace.mean = float(values.mean())
    trace.rms = float(values.square().mean().sqrt())
    n = len(values) if values.ndim > 1 else 1
    squares = float(values.square().sum())
    if n > 1 and squares > 0.0:
        trace.correlation = (float(values.sum(dim=0).square().sum()) - squares) / (n - 1) / squares
    bounds = _BOUNDS.get(type(trace.module))
    if bounds is not None:
        low, high = bounds
        trace.saturated = float(((values <= low) | (values >= high)).double().mean())
    elif isinstance(trace.module, (torch.nn.ReLU, torch.nn.ReLU6)) and values.ndim > 1:
        units = values.transpose(0, 1) if values.ndim in (2, 4) else values.movedim(-1, 0)
        trace.saturated = float((units.flatten(1) == 0).all(dim=1).double().mean())


def _measure_gradients(traces: list[LayerTrace], output: Any, loss: Callable[[Any], Any] | None) -> None:
    result = first_tensor(output) if loss is None else loss(output)
    if not isinstance(result, torch.Tensor):
        what = "the module returns no floating-point tensor" if loss is None else "loss returns no tensor"
        raise TypeError(f"{what}, so there is nothing to take a gradient of")
    if loss is not None and result.numel() != 1:
        raise ValueError(f"loss must return a scalar, not a tensor of shape {tuple(result.shape)}")
    depends = ("the output" if loss is None else "loss") + " doesn't depend on any layer's output"
    if not result.requires_grad:
        raise ValueError(depends)
    given = torch.randn_like(result) if loss is None else torch.ones_like(result)
    outputs = [(each, each.output) for each in traces if each.output.requires_grad]
    weights = [(each, each.module._parameters.get("weight")) for each in traces]
    weights = [(each, weight) for each, weight in weights if weight is not None and weight.requires_grad]
    wanted = [tensor for _, tensor in [*outputs, *weights]]
    found = torch.autograd.grad(result, wanted, given, allow_unused=True) if wanted else ()
    if all(gradient is None for gradient in found):
        raise ValueError(depends)
    for (trace, _), gradient in zip(outputs, found[: len(outputs)], strict=True):
        trace.gradient_rms = _rms(gradient)
    for (trace, _), gradient in zip(weights, found[len(outputs) :], strict=True):
        trace.weight_gradient_rms = _rms(gradient)
    for trace, gradient in [*zip((each for each, _ in outputs), found, strict=False)][::-1]:  # as they went
        if gradient is not None and not bool(torch.isfinite(gradient).all()):
            what = "NaN" if bool(torch.isnan(gradient).any()) else "infinite"
            raise OutputError(f"{told(trace.name, trace.module)}: its gradient is {what}")


def _rms(gradient: Any) -> float:
    if gradient is None:
        return math.nan
    if gradient.is_sparse:
        gradient = gradient.to_dense()
    return float(gradient.double().square().mean().sqrt())
