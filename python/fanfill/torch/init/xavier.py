"""The initializers of Glorot and Bengio as torch means them: scaled by the sum of both fans.

It must not know how a law is drawn.
"""

from __future__ import annotations

import math

import torch
from torch.nn.init import _calculate_fan_in_and_fan_out

from ...stream import Key, Seed
from ..tensor_fill import normal_law, uniform_law
from .draw import draw_, overridable
from .source import Source

__all__ = ["xavier_normal_", "xavier_uniform_"]


@overridable
def xavier_uniform_(
    tensor: torch.Tensor,
    gain: float = 1.0,
    generator: torch.Generator | None = None,
    *,
    seed: Seed | None = None,
    key: Key | None = None,
) -> torch.Tensor:
    r"""Fill a tensor with Glorot's uniform law, as ``torch.nn.init.xavier_uniform_`` does.

    The law is uniform on :math:`(-a, a)` with :math:`a = \mathrm{gain} \sqrt{6 / (\mathrm{fan_{in}} +
    \mathrm{fan_{out}})}`. The fans are torch's: extents 1 and 0, times all further ones.

    Parameters
    ----------
    tensor : torch.Tensor
        Of at least two dimensions; else as for `uniform_`.
    gain : float, optional
        See `calculate_gain`.
    generator, seed, key : optional
        As for `uniform_`.

    Returns
    -------
    torch.Tensor
        `tensor` itself.

    Raises
    ------
    ValueError
        If the tensor has fewer than two dimensions.
    ZeroDivisionError
        If both fans are 0.
    TypeError, ValueError, RuntimeError, NotImplementedError
        As for `uniform_`.

    References
    ----------
    X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.

    Examples
    --------
    >>> import torch, fanfill.torch
    >>> weight = fanfill.torch.init.xavier_uniform_(torch.empty(3, 5), seed=7, key="weight")
    """
    source = Source(generator, seed, key)
    bound = math.sqrt(3.0) * _std(tensor, gain)
    return draw_(
        "uniform_",
        tensor,
        lambda: uniform_law(-bound, bound),
        lambda out, own: out.uniform_(-bound, bound, generator=own),
        source,
    )


@overridable
def xavier_normal_(
    tensor: torch.Tensor,
    gain: float = 1.0,
    generator: torch.Generator | None = None,
    *,
    seed: Seed | None = None,
    key: Key | None = None,
) -> torch.Tensor:
    r"""Fill a tensor with Glorot's normal law, as ``torch.nn.init.xavier_normal_`` does.

    The law is normal with :math:`\mathrm{std} = \mathrm{gain} \sqrt{2 / (\mathrm{fan_{in}} +
    \mathrm{fan_{out}})}`.

    Parameters
    ----------
    tensor, gain, generator, seed, key
        As for `xavier_uniform_`.

    Returns
    -------
    torch.Tensor
        `tensor` itself.

    Raises
    ------
    ValueError, ZeroDivisionError, TypeError, RuntimeError, NotImplementedError
        As for `xavier_uniform_`.

    References
    ----------
    X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.

    Examples
    --------
    >>> import torch, fanfill.torch
    >>> weight = fanfill.torch.init.xavier_normal_(torch.empty(3, 5), seed=7, key="weight")
    """
    source = Source(generator, seed, key)
    std = _std(tensor, gain)
    return draw_(
        "normal_",
        tensor,
        lambda: normal_law(0.0, std),
        lambda out, own: out.normal_(0.0, std, generator=own),
        source,
    )


def _std(tensor: torch.Tensor, gain: float) -> float:
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return gain * math.sqrt(2.0 / float(fan_in + fan_out))
