"""Knows the mass of a standard normal within and beyond a bound, to some hundred digits.

It must not know words, dtypes or what the masses are for.
"""

from __future__ import annotations

from decimal import Context, Decimal, localcontext
from functools import cache

# What lies beyond 38 sigma is 3e-316: this leaves it 130 digits.
_CONTEXT = Context(prec=450)
FARTHEST = 38.0  # beyond, the contract takes the mass for zero


@cache
def _pi() -> Decimal:
    """By the arithmetic-geometric mean (Brent, Salamin 1976); each step doubles the digits."""
    a, b, t = Decimal(1), 1 / Decimal(2).sqrt(), Decimal("0.25")
    for step in range(10):
        mean = (a + b) / 2
        b, t, a = (a * b).sqrt(), t - 2**step * (a - mean) ** 2, mean
    return (a + b) ** 2 / (4 * t)


def _density(z: Decimal) -> Decimal:
    """Twice the density."""
    return (2 / _pi()).sqrt() * (-z * z / 2).exp()


@cache
def _series(z: Decimal) -> Decimal:
    """1/3 + z^2/(3 5) + z^4/(3 5 7) + ...: every term positive."""
    term = total = 1 / Decimal(3)
    n = 3
    while term > total * Decimal(10) ** -_CONTEXT.prec:
        n += 2
        term = term * z * z / n
        total += term
    return total


@cache
def _inside(z: float) -> Decimal:
    if z > FARTHEST:
        return Decimal(1)
    exact = Decimal(z)
    return _density(exact) * exact * (1 + exact**2 * _series(exact))


def inside(z: float) -> Decimal:
    """P(|Z| <= z)."""
    with localcontext(_CONTEXT):
        return _inside(z)


def outside(z: float) -> Decimal:
    """P(|Z| > z)."""
    with localcontext(_CONTEXT):
        return 1 - _inside(z)


def between(near: float, far: float) -> Decimal:
    """P(near < |Z| <= far)."""
    with localcontext(_CONTEXT):
        return _inside(far) - _inside(near)


def ratio(numerator: Decimal, denominator: Decimal) -> float:
    """The quotient rounded once."""
    with localcontext(_CONTEXT):
        return float(numerator / denominator)


def share(mine: Decimal, other: Decimal) -> float:
    """The quotient mine / (mine + other) rounded once."""
    with localcontext(_CONTEXT):
        return float(mine / (mine + other))


def truncated_std(c: float) -> float:
    """The standard deviation of a standard normal within +-c, rounded once."""
    if c > FARTHEST:
        return 1.0
    with localcontext(_CONTEXT):
        # The variance 1 - 2 c phi(c) / X(c) without the subtraction, whose digits small c would lose.
        part = Decimal(c) ** 2 * _series(Decimal(c))
        return float((part / (1 + part)).sqrt())
