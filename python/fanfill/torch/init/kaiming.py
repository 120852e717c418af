"""The initializers of He et al. as torch means them: scaled by one fan and the gain of a leaky ReLU.

It must not know how a law is drawn.
"""

from __future__ import annotations

import math
import warnings
from typing import Literal, TypeAlias

import torch
from torch.nn.init import _calculate_correct_fan, calculate_gain

from ...stream import Key, Seed
from ..tensor_fill import normal_law, uniform_law
from .draw import draw_, overridable
from .source import Source

__all__ = ["kaiming_normal_", "kaiming_uniform_"]

FanMode: TypeAlias = Literal["fan_in", "fan_out"]
Nonlinearity: TypeAlias = Literal[
    "linear",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "selu",
]


@overridable
def kaiming_uniform_(
    tensor: torch.Tensor,
    a: float = 0,
    mode: FanMode = "fan_in",
    nonlinearity: Nonlinearity = "leaky_relu",
    generator: torch.Generator | None = None,
    *,
    seed: Seed | None = None,
    key: Key | None = None,
) -> torch.Tensor:
    r"""Fill a tensor with He's uniform law, as ``torch.nn.init.kaiming_uniform_`` does.

    The law is uniform on :math:`(-b, b)` with :math:`b = \mathrm{gain} \sqrt{3 / \mathrm{fan}}`. The fans are
    torch's: extents 1 and 0, times all further ones.

    Parameters
    ----------
    tensor : torch.Tensor
        Of at least two dimensions; else as for `uniform_`.
    a : float, optional
        The negative slope, of ``"leaky_relu"`` alone.
    mode : {"fan_in", "fan_out"}, optional
        Which fan: the forward pass keeps its variance with the one, the backward pass with the other.
    nonlinearity : str, optional
        Gives the gain; see `calculate_gain`.
    generator, seed, key : optional
        As for `uniform_`.

    Returns
    -------
    torch.Tensor
        `tensor` itself.

    Raises
    ------
    ValueError
        If the tensor has fewer than two dimensions, or mode or nonlinearity is unknown.
    TypeError, ValueError, RuntimeError, NotImplementedError
        As for `uniform_`.

    Warns
    -----
    UserWarning
        If the tensor has no elements.

    References
    ----------
    K. He, X. Zhang, S. Ren, J. Sun, "Delving Deep into Rectifiers", 2015.

    Examples
    --------
    >>> import torch, fanfill.torch
    >>> weight = torch.empty(3, 5)
    >>> fanfill.torch.init.kaiming_uniform_(weight, nonlinearity="relu", seed=7, key="weight") is weight
    True
    """
    source = Source(generator, seed, key)
    if _is_empty(tensor):
        return tensor
    bound = math.sqrt(3.0) * _std(tensor, a, mode, nonlinearity)
    return draw_(
        "uniform_",
        tensor,
        lambda: uniform_law(-bound, bound),
        lambda out, own: out.uniform_(-bound, bound, generator=own),
        source,
    )


@overridable
def kaiming_normal_(
    tensor: torch.Tensor,
    a: float = 0,
    mode: FanMode = "fan_in",
    nonlinearity: Nonlinearity = "leaky_relu",
    generator: torch.Generator | None = None,
    *,
    seed: Seed | None = None,
    key: Key | None = None,
) -> torch.Tensor:
    r"""Fill a tensor with He's normal law, as ``torch.nn.init.kaiming_normal_`` does.

    The law is the plain normal, not truncated, with :math:`\mathrm{std} = \mathrm{gain} /
    \sqrt{\mathrm{fan}}`.

    Parameters
    ----------
    tensor, a, mode, nonlinearity, generator, seed, key
        As for `kaiming_uniform_`.

    Returns
    -------
    torch.Tensor
        `tensor` itself.

    Raises
    ------
    TypeError, ValueError, RuntimeError, NotImplementedError
        As for `kaiming_uniform_`.

    Warns
    -----
    UserWarning
        If the tensor has no elements.

    References
    ----------
    K. He, X. Zhang, S. Ren, J. Sun, "Delving Deep into Rectifiers", 2015.

    Examples
    --------
    >>> import torch, fanfill.torch
    >>> weight = torch.empty(3, 5)
    >>> fanfill.torch.init.kaiming_normal_(weight, mode="fan_out", seed=7, key="weight") is weight
    True
    """
    source = Source(generator, seed, key)
    if _is_empty(tensor):
        return tensor
    std = _std(tensor, a, mode, nonlinearity)
    return draw_(
        "normal_",
        tensor,
        lambda: normal_law(0.0, std),
        lambda out, own: out.normal_(0.0, std, generator=own),
        source,
    )


def _is_empty(tensor: torch.Tensor) -> bool:
    if 0 not in tensor.shape:
        return False
    warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=4)
    return True


def _std(tensor: torch.Tensor, a: float, mode: FanMode, nonlinearity: Nonlinearity) -> float:
    fan = _calculate_correct_fan(tensor, mode)
    std: float = calculate_gain(nonlinearity, a) / math.sqrt(fan)
    return std
