"""Knows the gain of each nonlinearity: torch's table.

It must not know fans, laws or memory.
"""

from __future__ import annotations

import math
from typing import Any

from .catalog import closest_name
from .number import as_real

__all__ = ["gain"]

_LEAKY_SLOPE = 0.01
_GAINS: dict[str, float] = {
    "linear": 1.0,
    "identity": 1.0,
    "conv1d": 1.0,
    "conv2d": 1.0,
    "conv3d": 1.0,
    "conv_transpose1d": 1.0,
    "conv_transpose2d": 1.0,
    "conv_transpose3d": 1.0,
    "sigmoid": 1.0,
    "tanh": 5.0 / 3.0,
    "relu": math.sqrt(2.0),
    "selu": 0.75,
}
# Near in spelling to some of the table, and without a gain that the field agrees on.
_WITHOUT = ("celu", "elu", "gelu", "glu", "hardswish", "mish", "silu", "softplus", "swiglu", "swish")


def gain(nonlinearity: str, param: float | None = None) -> float:
    r"""Return the gain of a nonlinearity, as ``torch.nn.init.calculate_gain`` has it.

    Parameters
    ----------
    nonlinearity : str
        ``linear``, ``identity``, ``conv1d`` .. ``conv_transpose3d`` and ``sigmoid`` have gain 1, ``tanh``
        5/3, ``relu`` :math:`\sqrt 2`, ``leaky_relu`` :math:`\sqrt{2 / (1 + s^2)}`, ``selu`` 3/4 (found by
        experiment, and not the 1 of a self-normalising network: give ``"linear"`` for that).
    param : float, optional
        The negative slope s of ``leaky_relu``, 0.01 by default.

    Returns
    -------
    float

    Raises
    ------
    TypeError
        If `nonlinearity` is no string or `param` no number.
    ValueError
        If the table has no such name (GELU, SiLU and their like have no gain that the field agrees on), or
        `param` is given for a nonlinearity without one.

    References
    ----------
    K. He, X. Zhang, S. Ren, J. Sun, "Delving Deep into Rectifiers", 2015.

    Examples
    --------
    >>> import fanfill as ff
    >>> ff.gain("tanh")
    1.6666666666666667
    """
    if not isinstance(nonlinearity, str):
        raise TypeError(f"nonlinearity must be a str, not {type(nonlinearity).__name__}")
    if nonlinearity == "leaky_relu":
        slope = _LEAKY_SLOPE if param is None else as_real(param, "param")
        if math.isinf(slope):
            raise ValueError("param, the slope of leaky_relu, must be finite")
        return math.sqrt(2.0 / (1.0 + slope * slope))
    value = _GAINS.get(nonlinearity)
    if value is None:
        names = [*_GAINS, "leaky_relu"]
        closest = None if nonlinearity.lower() in _WITHOUT else closest_name(nonlinearity, names)
        hint = "such as 2**0.5, that of relu" if closest is None else f"or did you mean {closest!r}?"
        raise ValueError(
            f"nonlinearity: {nonlinearity!r} has no gain in the table ({', '.join(names)}); "
            f"give gain= itself, {hint}"
        )
    if param is not None:
        raise ValueError(f"param is the slope of leaky_relu; {nonlinearity!r} has no parameter")
    return value


def chosen_gain(value: Any, nonlinearity: str | None, param: float | None, default: str) -> float:
    """Return the gain that a fan-scaled function shall use.

    An explicit `value` wins over the `default` nonlinearity; together with an explicit `nonlinearity` it is
    an error.
    """
    if value is None:
        return gain(default if nonlinearity is None else nonlinearity, param)
    if nonlinearity is not None or param is not None:
        raise ValueError("gain: give either gain= or nonlinearity= (and param=), not both")
    chosen = as_real(value, "gain")
    if not 0.0 < chosen < math.inf:
        raise ValueError(
            f"gain must be positive and finite, not {chosen}; fill_ with Constant(0.0) gives zeros"
        )
    return chosen
