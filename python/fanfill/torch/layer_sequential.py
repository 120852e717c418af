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
from .layer_trace import OutputError, as_arguments, run_named, unchanged

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

    Parameters
    ----------
    module : torch.nn.Module
        Other parameters stay as they are, and buffers too.
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
        If no linear or convolutional layer runs, a layer refuses what it gets, its output is constant, NaN or
        infinite, or variances aren't 1 after the last pass. The message names the layer, and the module is as
        it was before.

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
    arguments, keywords = as_arguments(module, batch)
    layers = {each: name for name, each in module.named_modules() if isinstance(each, _KINDS)}
    before = [(p, p.detach().clone()) for each in layers for p in each.parameters(recurse=False)]
    try:
        with torch.no_grad():
            _start(layers, seed)
            _pass_until(module, (arguments, keywords), layers, near, most)
    except BaseException:  # an interrupt too shall leave the module as it was
        with torch.no_grad():
            for parameter, old in before:
                parameter.copy_(old)
        raise
    return module


def _start(layers: dict[Any, str], seed: int) -> None:
    """Make every weight orthogonal, that of each group of a convolution by itself, and every bias zero."""
    for layer, name in layers.items():
        prefix = f"{name}." if name else ""
        groups = getattr(layer, "groups", 1)
        for at, part in enumerate(layer.weight.chunk(groups)):
            key = f"{prefix}weight" if groups == 1 else f"{prefix}weight.{at}"
            orthogonal_(part, seed=seed, key=key)
        if layer.bias is not None:
            layer.bias.zero_()


def _pass_until(
    module: Any, batch: tuple[list[Any], dict[str, Any]], layers: dict[Any, str], near: float, most: int
) -> None:
    """Run until every layer's output has unit variance."""
    variances: dict[Any, float] = {}

    def scale(layer: Any, _: Any, output: Any) -> Any:
        if layer in variances:  # which runs twice, and was scaled already
            return None
        variance = float(output.detach().double().var(correction=0))
        if not 0.0 < variance < math.inf:
            what = "is constant" if variance == 0.0 else "is NaN or infinite"
            raise OutputError(f"layer {layers[layer]!r} ({type(layer).__name__}): its output {what}")
        variances[layer] = variance
        if abs(variance - 1.0) <= near:
            return None
        # The bias is zero, so output and weight scale alike, and what follows sees the new layer at once.
        layer.weight.div_(math.sqrt(variance))
        return output / math.sqrt(variance)

    handles = [each.register_forward_hook(scale) for each in layers]
    try:
        for _ in range(most + 1):  # the last one only looks
            variances.clear()
            with unchanged(module, 0):
                run_named(module, *batch)
            if not variances:
                raise ValueError(f"module: no linear or convolutional layer of {type(module).__name__} ran")
            worst = max(variances, key=lambda each: abs(variances[each] - 1.0))
            if abs(variances[worst] - 1.0) <= near:
                return
    finally:
        for handle in handles:
            handle.remove()
    raise ValueError(
        f"layer {layers[worst]!r} ({type(worst).__name__}) still has variance {variances[worst]:.4g} after "
        f"{most} passes; give more passes, or a larger tolerance"
    )
