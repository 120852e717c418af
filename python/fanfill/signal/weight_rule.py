"""Knows which law each layer's weight gets from a rule: a name, a law, or a function of the fans.

It must not know activations, data or what the weights do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from ..catalog import closest_name
from ..dtype import as_dtype
from ..fan import Fans, fans
from ..gain import chosen_gain
from ..law import Law
from ..law_moments import law_moments
from ..scaled_initializer import SCALES
from ..variance_scaling import FanChoice

__all__ = ["WeightRule", "laws_of", "variance_of"]

OneRule: TypeAlias = "str | Law | Callable[[Fans], Law]"
WeightRule: TypeAlias = "OneRule | Sequence[OneRule]"


def laws_of(rule: Any, shapes: Sequence[tuple[int, ...]], gain: float | None = None) -> tuple[Law, ...]:
    """Return the law of each layer's weight.

    Parameters
    ----------
    rule : str, Law, callable or sequence of these
        One of `SCALES` such as ``"he_normal"``, a law for all layers, or a function from `Fans` to a law; or
        as many of these as there are layers.
    shapes : sequence of tuple of int
        Of the weights, (out, in, *kernel).
    gain : float, optional
        Instead of the name's own; only with a name.

    Raises
    ------
    TypeError, ValueError
        If the rule is none of these, or gives what isn't a law with mean 0 and a finite variance.
    """
    if gain is not None and not isinstance(rule, str):
        raise ValueError("gain goes with the name of a rule; a law has its scale inside")
    is_listed = isinstance(rule, Sequence) and not isinstance(rule, str)
    rules = list(rule) if is_listed else [rule] * len(shapes)
    if len(rules) != len(shapes):
        raise ValueError(f"law: {len(rules)} of them for {len(shapes)} layers")
    found = []
    for at, (each, shape) in enumerate(zip(rules, shapes, strict=True)):
        law = _law(each, shape, gain, at)
        _check(law, at)
        found.append(law)
    return tuple(found)


def variance_of(law: Law) -> float:
    """Return the variance of a law that has passed `laws_of`."""
    moments = law_moments((law,), (1.0,), as_dtype("float64"))
    assert moments is not None
    return moments.std**2


def _law(rule: Any, shape: tuple[int, ...], gain: float | None, at: int) -> Law:
    if isinstance(rule, Law):
        return rule
    if callable(rule):
        law = rule(fans(shape))
        if not isinstance(law, Law):
            raise TypeError(f"layers[{at}]: the rule must return a Law, not {law!r}")
        return law
    if not isinstance(rule, str):
        raise TypeError(
            "law must be a name, a Law, a function from Fans to a Law, or one of these for each layer, not "
            f"{rule!r}"
        )
    scale = SCALES.get(rule)
    if scale is None:
        closest = closest_name(rule, list(SCALES))
        hint = f"; did you mean {closest!r}?" if closest else ""
        raise ValueError(f"law: there is no {rule!r} among {', '.join(SCALES)}{hint}")
    distribution, mode, nonlinearity = scale
    choice = FanChoice(mode, "oi", 1, False, (), None, None, None)
    law = choice.law(distribution, chosen_gain(gain, None, None, nonlinearity), shape)
    assert isinstance(law, Law)  # without parts
    return law


def _check(law: Law, at: int) -> None:
    moments = law_moments((law,), (1.0,), as_dtype("float64"))
    if moments is None or not math.isfinite(moments.std):
        raise ValueError(f"layers[{at}]: {law!r} has no variance here")
    if moments.std == 0.0:
        raise ValueError(f"layers[{at}]: {law!r} has variance 0, and nothing propagates")
    if abs(moments.mean) > 1e-9 * moments.std:
        raise ValueError(f"layers[{at}]: {law!r} has mean {moments.mean:g}; the theory is for mean 0")
