"""Knows layer-sequential unit variance: orthogonal weights, each scaled by what a batch does in it.

It must not know how a pass is watched, nor activations: what it needs of them the batch shows.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import torch

from ..number import as_int, as_real
from ..stream import Seed, normalize_seed
from .init import orthogonal_
from .layer_trace import OutputError, as_arguments, is_conv1d, run_named, told, unchanged

__all__ = ["lsuv_"]

ModuleT = TypeVar("ModuleT", bound=torch.nn.Module)

_KINDS = (torch.nn.Linear, torch.nn.modules.conv._ConvNd)


def lsuv_(
    module: ModuleT,
    batch: Any,
    *,
    tolerance: float = 0.02,
    passes: int = 5,
    seed: Seed = 0,
) -> ModuleT:
    r"""Give the linear and convolutional layers of a module unit variance, one after the other, on a batch.

    Each weight starts orthogonal, each of their biases zero. Then the batch runs through, and each layer's
    weight is divided by the standard deviation of the layer's output before the next layer sees it; such
    passes repeat until every output has variance 1 within `tolerance`. No formula of the activation is
    needed, and norms, branches and sums between layers are taken as they are.

    Layers that don't run stay as they are, and so do frozen ones, a head that shares an embedding's table,
    and the projections of torch's attention, which reads their weights without running them. Of several
    layers with one weight the first to run is scaled.

    Parameters
    ----------
    module : torch.nn.Module
        Its ``Linear`` and ``Conv`` layers and GPT-2's ``Conv1D`` change. Other parameters stay as they are,
        and buffers too.
    batch : tensor, array, or tuple or dict of them
        The arguments of one call; a few hundred examples that look like the data.
    tolerance : float, optional
        Of a variance's distance from 1.
    passes : int, optional
        At most so many.
    seed : int or numpy.random.SeedSequence, optional
        Of the orthogonal matrices, which are keyed by the weights' names.

    Returns
    -------
    torch.nn.Module
        `module` itself.

    Raises
    ------
    TypeError
        If `module` is no module, or has a weight of a dtype that fanfill doesn't write.
    ValueError
        If no layer that may change runs, a layer refuses what it gets, its weight is computed from others,
        its output is constant, NaN or infinite, or variances aren't 1 after the last pass. The message names
        the layer, and the module is as it was before.

    References
    ----------
    D. Mishkin, J. Matas, "All you need is a good init", 2016.

    Examples
    --------
    >>> import torch
    >>> from fanfill.torch import lsuv_
    >>> layers = [part for _ in range(10) for part in (torch.nn.Linear(64, 64), torch.nn.GELU())]
    >>> batch = torch.randn(128, 64, generator=torch.Generator().manual_seed(0))
    >>> net = lsuv_(torch.nn.Sequential(*layers), batch, seed=7)
    >>> bool(abs(net[:-1](batch).var() - 1) < 0.02)
    True
    """
    near, most, seed = as_real(tolerance, "tolerance"), as_int(passes, "passes"), normalize_seed(seed)
    if not 0.0 < near < math.inf:
        raise ValueError(f"tolerance must be positive and finite, not {near}")
    if most < 1:
        raise ValueError(f"passes must be at least 1, not {most}")
    layers = _layers(module)
    with torch.inference_mode(False), torch.no_grad():
        arguments = as_arguments(module, batch)
        scaling = _Scaling(layers, seed, near)
        try:
            _pass_until(module, arguments, scaling, most)
        except BaseException:  # an interrupt too shall leave the module as it was
            scaling.undo()
            raise
    return module


def _layers(module: Any) -> dict[Any, str]:
    """Return the layers that may change, by what they are called in messages.

    Raises
    ------
    ValueError
        If the weight of one isn't a parameter, but computed from others.
    """
    if not isinstance(module, torch.nn.Module):
        return {}  # which as_arguments says
    others = {
        id(parameter)
        for each in module.modules()
        if not (isinstance(each, _KINDS) or is_conv1d(each))
        for parameter in each.parameters(recurse=False)
    }
    found = {}
    for name, layer in module.named_modules():
        if not (isinstance(layer, _KINDS) or is_conv1d(layer)):
            continue
        weight = layer._parameters.get("weight")
        if weight is None:
            raise ValueError(
                f"{told(name, layer)}: its weight is made of other parameters, as weight_norm does; call "
                "lsuv_ before, or after torch.nn.utils.parametrize.remove_parametrizations"
            )
        if weight.requires_grad and id(weight) not in others:
            found[layer] = name
    return found


class _Scaling:
    """The hooks that make layers orthogonal when they first run, and scale them while they do."""

    def __init__(self, layers: dict[Any, str], seed: int, near: float) -> None:
        self.layers, self.seed, self.near = layers, seed, near
        self.variances: dict[Any, float] = {}  # of this pass, by weight: of several layers the first counts
        self.shown: dict[Any, Any] = {}  # by weight: the first layer that ran with it
        self.before: list[tuple[Any, Any]] = []

    def start(self, layer: Any, _: Any) -> None:
        """Make the weight orthogonal, that of each group of a convolution by itself, and the bias zero."""
        if layer.weight in self.shown:
            return
        self.shown[layer.weight] = layer
        self.before += [(p, p.detach().clone()) for p in layer.parameters(recurse=False)]
        name = self.layers[layer]
        prefix, groups = f"{name}." if name else "", getattr(layer, "groups", 1)
        for at, part in enumerate(layer.weight.chunk(groups)):
            key = f"{prefix}weight" if groups == 1 else f"{prefix}weight.{at}"
            orthogonal_(part, seed=self.seed, key=key)
        if layer.bias is not None:
            layer.bias.zero_()

    def scale(self, layer: Any, _: Any, output: Any) -> Any:
        """Divide weight and output by the output's standard deviation."""
        if self.shown[layer.weight] is not layer or layer.weight in self.variances:
            return None  # which another layer, or an earlier run of this one, has scaled
        variance = float(output.detach().double().var(correction=0))
        if not 0.0 < variance < math.inf:
            what = "is constant" if variance == 0.0 else "is NaN or infinite"
            raise OutputError(f"{told(self.layers[layer], layer)}: its output {what}")
        self.variances[layer.weight] = variance
        if abs(variance - 1.0) <= self.near:
            return None
        # The bias is zero, so output and weight scale alike, and what follows sees the new layer at once.
        layer.weight.div_(math.sqrt(variance))
        return output / math.sqrt(variance)

    def worst(self) -> tuple[str, float]:
        """Return the layer whose variance is furthest from 1, and that variance."""
        weight = max(self.variances, key=lambda each: abs(self.variances[each] - 1.0))
        layer = self.shown[weight]
        return told(self.layers[layer], layer), self.variances[weight]

    def undo(self) -> None:
        """Give every parameter its old values."""
        for parameter, old in self.before:
            parameter.copy_(old)


def _pass_until(module: Any, batch: tuple[list[Any], dict[str, Any]], scaling: _Scaling, most: int) -> None:
    """Run until every layer's output has unit variance."""
    handles = []
    for each in scaling.layers:
        handles += [
            each.register_forward_pre_hook(scaling.start),
            each.register_forward_hook(scaling.scale),
        ]
    try:
        for _ in range(most + 1):  # the last one only looks
            scaling.variances.clear()
            with unchanged(module, 0):
                run_named(module, *batch)
            if not scaling.variances:
                raise ValueError(
                    f"module: no linear or convolutional layer of {type(module).__name__} ran that isn't "
                    "frozen and shares its weight with no embedding"
                )
            layer, variance = scaling.worst()
            if abs(variance - 1.0) <= scaling.near:
                return
    finally:
        for handle in handles:
            handle.remove()
    raise ValueError(
        f"{layer} still has variance {variance:.4g} after {most} passes; give more passes, or a larger "
        "tolerance"
    )
