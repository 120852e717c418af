"""The initializers that take the parameters of their law as they are: uniform, normal, truncated normal.

It knows what torch means by the parameters, and must not know fans.
"""

from __future__ import annotations

import torch

from ...stream import Key, Seed
from ..tensor_fill import normal_law, truncated_normal_law, uniform_law
from ..trunc_normal import warn_if_far
from .draw import draw_, overridable
from .source import Source

__all__ = ["normal_", "trunc_normal_", "uniform_"]


@overridable
def uniform_(
    tensor: torch.Tensor,
    a: float = 0.0,
    b: float = 1.0,
    generator: torch.Generator | None = None,
    *,
    seed: Seed | None = None,
    key: Key | None = None,
) -> torch.Tensor:
    """Fill a tensor with the uniform law on [a, b), as ``torch.nn.init.uniform_`` does.

    Parameters
    ----------
    tensor : torch.Tensor
        A dense tensor or Parameter of any shape and strides and on any device (see `fanfill.torch.fill_`), of
        float64, float32, bfloat16, float16, float8_e4m3fn or float8_e5m2; written as under
        ``torch.no_grad()``. Of a DTensor every process writes its own part, with fans of the whole; it needs
        `seed` and `key`, and `orthogonal_` and `sparse_` don't take it. Meta tensors and those without
        elements are left as they are.
    a, b : float, optional
        The bounds; where they are equal every value is that.
    generator : torch.Generator, optional
        Of the tensor's device; its next 64 bits become the seed, with key 0. By default the device's own.
    seed : int or numpy.random.SeedSequence, optional
        See `fanfill.fill_`; together with `key` in the place of a generator.
    key : int or str, optional
        See `fanfill.fill_`.

    Returns
    -------
    torch.Tensor
        `tensor` itself.

    Raises
    ------
    TypeError, ValueError, RuntimeError, NotImplementedError
        What torch raises for a call that it refuses; else a TypeError or ValueError for what fanfill cannot
        write. The tensor is unchanged.

    Examples
    --------
    >>> import torch, fanfill.torch
    >>> weight = fanfill.torch.init.uniform_(torch.empty(3, 5), -0.1, 0.1, seed=7, key="weight")
    """
    return draw_(
        "uniform_",
        tensor,
        lambda: uniform_law(a, b),
        lambda out, own: out.uniform_(a, b, generator=own),
        Source(generator, seed, key),
    )


@overridable
def normal_(
    tensor: torch.Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    generator: torch.Generator | None = None,
    *,
    seed: Seed | None = None,
    key: Key | None = None,
) -> torch.Tensor:
    """Fill a tensor with the normal law N(mean, std²), as ``torch.nn.init.normal_`` does.

    Parameters
    ----------
    tensor : torch.Tensor
        As for `uniform_`.
    mean, std : float, optional
        Of the law.
    generator, seed, key : optional
        As for `uniform_`.

    Returns
    -------
    torch.Tensor
        `tensor` itself.

    Raises
    ------
    TypeError, ValueError, RuntimeError, NotImplementedError
        As for `uniform_`.

    Examples
    --------
    >>> import torch, fanfill.torch
    >>> weight = fanfill.torch.init.normal_(torch.empty(3, 5), std=0.02, seed=7, key="weight")
    """
    return draw_(
        "normal_",
        tensor,
        lambda: normal_law(mean, std),
        lambda out, own: out.normal_(mean, std, generator=own),
        Source(generator, seed, key),
    )


@overridable
def trunc_normal_(
    tensor: torch.Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: torch.Generator | None = None,
    *,
    seed: Seed | None = None,
    key: Key | None = None,
) -> torch.Tensor:
    """Fill a tensor with N(mean, std²) restricted to [a, b], as ``torch.nn.init.trunc_normal_`` does.

    The bounds are values and not multiples of std: with ``std=0.02`` the default ones lie a hundred std away.
    They hold in the tensor's dtype. Nothing is redrawn; the law is exact at any distance of the bounds.

    Parameters
    ----------
    tensor : torch.Tensor
        As for `uniform_`.
    mean, std : float, optional
        Of the law before it is restricted.
    a, b : float, optional
        The bounds; where they are equal every value is that.
    generator, seed, key : optional
        As for `uniform_`.

    Returns
    -------
    torch.Tensor
        `tensor` itself.

    Raises
    ------
    ZeroDivisionError
        If std is 0.
    TypeError, ValueError, RuntimeError, NotImplementedError
        As for `uniform_`; ValueError too if the bounds lie beyond 37 std, or no value of the dtype in them.

    Warns
    -----
    UserWarning
        As torch does, if the mean is more than 2 std outside of the bounds.

    Examples
    --------
    >>> import torch, fanfill.torch
    >>> weight = fanfill.torch.init.trunc_normal_(torch.empty(3, 5), 0, 1, -3, 3, seed=7, key="weight")
    >>> bool(weight.abs().max() <= 3)
    True
    """
    source = Source(generator, seed, key)
    if not getattr(tensor, "is_meta", True):  # what is no tensor is refused below
        warn_if_far(mean, std, a, b, stacklevel=4)
    return draw_(
        "trunc_normal_",
        tensor,
        lambda: truncated_normal_law(mean, std, a, b),
        lambda out, own: _first_draw(out, a, b, own),
        source,
    )


def _first_draw(out: torch.Tensor, a: float, b: float, generator: torch.Generator | None) -> torch.Tensor:
    """Do what torch does first for a truncated normal; its whole way may have no end where it is refused."""
    if out.is_meta:
        return out
    return out.uniform_(a, b, generator=generator) if a > b else out.normal_(0.0, 1.0, generator=generator)
