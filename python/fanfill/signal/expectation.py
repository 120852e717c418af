"""Knows how to average a function over a law: adaptive quadrature with a bound on what it leaves out.

It must not know what the function is.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from .. import _core
from ..law import Law, Normal, TruncatedNormal, Uniform

__all__ = ["expectation"]

Floats: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"


def _clenshaw_curtis(n: int) -> tuple[Floats, Floats]:
    """Return points and weights on [-1, 1] that integrate polynomials of degree n exactly."""
    points = np.cos(np.pi * np.arange(n + 1) / n)
    degree = np.arange(0, n + 1, 2)
    integrals = np.zeros(n + 1)
    integrals[::2] = 2.0 / (1.0 - degree * degree)
    return points, np.linalg.solve(np.polynomial.chebyshev.chebvander(points, n).T, integrals)


# The finer rule gives the value, their difference bounds its error from above. Both have the ends of a panel
# among their points: two Gauss rules agree, and are wrong, where a function jumps between last point and end.
_COARSE, _FINE = _clenshaw_curtis(8), _clenshaw_curtis(16)

_MAX_PANELS = 1 << 15
_DEPTH = 50  # a jump is cornered to 2**-50 of a panel
# Shells of a normal, in sigmas. Beyond the last the density is below the smallest float64.
_SHELLS = (0.0, 9.0, 19.0, 38.0)
_TAIL = 1e-9  # of the whole: more than this in the last shell is a function that outgrows the density


def expectation(
    function: Callable[[Floats], Floats], law: Law, name: str = "function", *, tolerance: float = 1e-13
) -> float:
    """Return E[function(z)] for z of a law.

    The integral of function times density by adaptive Clenshaw-Curtis quadrature, to about 11 digits for a
    function that is smooth but for a finite number of corners and jumps.

    Parameters
    ----------
    function : callable
        From a float64 array to one of the same shape.
    law : Normal, Uniform or TruncatedNormal
        Whose density weighs it.
    name : str, optional
        What errors call the function.
    tolerance : float, optional
        Error of the integral beside the integral; not below the function's own rounding errors.

    Raises
    ------
    TypeError
        If the law has no density here, or the function does not take and return arrays of one shape.
    ValueError
        If the function gives NaN, or the integral is infinite or does not converge.

    References
    ----------
    C. W. Clenshaw, A. R. Curtis, "A method for numerical integration on an automatic computer", 1960.

    Examples
    --------
    >>> import numpy as np, fanfill as ff
    >>> from fanfill.signal.expectation import expectation
    >>> round(expectation(np.square, ff.Normal(1.0, 2.0)), 12)
    5.0
    """
    if isinstance(law, Normal) and law.std == 0.0:
        return float(_values(function, np.array([law.mean]), name)[0])
    edges, density = _support(law)
    parts: list[float] = []
    for a, b in edges:  # from the middle out, so that what is small beside the sum so far needs no care
        parts.append(_integral(function, density, a, b, math.fsum(map(abs, parts)), tolerance, name))
    whole = math.fsum(parts)
    if isinstance(law, Normal) and abs(parts[-1]) > _TAIL * abs(whole):
        raise ValueError(f"{name}: its mean over {law!r} diverges: it outgrows the density")
    return whole


def _support(law: Law) -> tuple[list[tuple[Any, Any]], Callable[[Floats], Floats]]:
    """Return the panels to begin with, in groups from the middle out, and the density."""
    if isinstance(law, Uniform):
        width = law.high - law.low
        return [(np.linspace(law.low, law.high, 33)[:-1], np.linspace(law.low, law.high, 33)[1:])], (
            lambda z: np.full_like(z, 1.0 / width)
        )
    if isinstance(law, TruncatedNormal):
        _, mean, std, low, high = _core.law_facts(law._core_tuple())
        mass = _normal_mass((low - mean) / std, (high - mean) / std)
        low, high = max(low, mean - 38.0 * std), min(high, mean + 38.0 * std)
        grid = np.linspace(low, high, 65)
        return [(grid[:-1], grid[1:])], lambda z: _normal_density((z - mean) / std) / (std * mass)
    if isinstance(law, Normal):
        mean, std = law.mean, law.std
        groups = []
        for inner, outer in itertools.pairwise(_SHELLS):
            grid = np.linspace(inner, outer, 17)
            left, right = mean - std * grid, mean + std * grid
            groups.append((np.concatenate([left[1:], right[:-1]]), np.concatenate([left[:-1], right[1:]])))
        return groups, lambda z: _normal_density((z - mean) / std) / std
    raise TypeError(f"law must be a Normal, Uniform or TruncatedNormal, not {law!r}")


def _normal_density(z: Floats) -> Floats:
    density: Floats = np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    return density


def _normal_mass(low: float, high: float) -> float:
    return 0.5 * (math.erfc(low / math.sqrt(2.0)) - math.erfc(high / math.sqrt(2.0)))


def _integral(
    function: Any, density: Any, a: Floats, b: Floats, so_far: float, tolerance: float, name: str
) -> float:
    """Return the sum over the panels a .. b, halving those that are not yet exact beside the sizes so far."""
    done: list[float] = []
    total = so_far
    for _ in range(_DEPTH):
        coarse, fine = (_panels(function, density, a, b, rule, name) for rule in (_COARSE, _FINE))
        total = max(total, so_far + math.fsum(np.abs([*fine, *done])))
        is_exact = np.abs(fine - coarse) <= tolerance * total / a.size
        done += fine[is_exact].tolist()
        a, b, fine = a[~is_exact], b[~is_exact], fine[~is_exact]
        if a.size == 0:
            break
        if a.size > _MAX_PANELS:
            raise ValueError(f"{name}: its mean does not converge: it is too rough near z = {a[0]:g}")
        middle = 0.5 * (a + b)
        a, b = np.concatenate([a, middle]), np.concatenate([middle, b])
    else:
        done += fine.tolist()  # panels too narrow to matter, around jumps
    return math.fsum(done)


def _panels(function: Any, density: Any, a: Floats, b: Floats, rule: Any, name: str) -> Floats:
    """Return the integral over each panel by one rule."""
    points, weights = rule
    half = 0.5 * (b - a)
    z = 0.5 * (a + b)[:, None] + half[:, None] * points
    with np.errstate(all="ignore"):
        weighed = _values(function, z, name) * density(z)
        sums: Floats = half * (weighed @ weights)
    if not np.isfinite(sums).all():
        raise ValueError(f"{name}: its mean diverges: it overflows near z = {z[~np.isfinite(weighed)][0]:g}")
    return sums


def _values(function: Any, z: Floats, name: str) -> Floats:
    with np.errstate(all="ignore"):
        try:
            values = function(z)
        except (TypeError, ValueError, AttributeError) as error:
            raise TypeError(
                f"{name} must take a NumPy array and return one of its shape; of a function of one number "
                f"np.vectorize makes such a one ({error})"
            ) from error
    if not isinstance(values, np.ndarray) or values.shape != z.shape:
        raise TypeError(
            f"{name} must return an array of the shape it is given, {z.shape}, not "
            f"{getattr(values, 'shape', type(values).__name__)}; np.vectorize makes it so"
        )
    if values.dtype.kind not in "fiubO":
        raise TypeError(f"{name} must return real numbers, not {values.dtype}")
    if values.dtype.kind == "f" and values.dtype.itemsize < 8:
        raise TypeError(f"{name} rounds to {values.dtype}; compute in float64, as its argument is")
    values = values.astype(np.float64, copy=False)
    if np.isnan(values).any():
        raise ValueError(f"{name} is NaN at z = {z[np.isnan(values)][0]:g}")
    return values
