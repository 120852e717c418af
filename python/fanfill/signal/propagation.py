"""Knows how a signal and its gradient fare through a random network: predicted, and measured on real draws.

It must not know how layers compute, how theory predicts or how a plot is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..fan import Fans
from ..fill import Job, fill_many_
from ..law import Law, Normal
from ..number import as_finite, as_int
from .activation import Floats
from .gains import as_activation
from .layer_stack import LayerStack, Padding
from .mean_field import FixedPoint, MeanField
from .weight_rule import WeightRule, laws_of, variance_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Propagation", "SignalMoments", "propagation"]


@dataclass(frozen=True, eq=False)
class SignalMoments:
    """What is known of the signal at each layer; predicted, of shape (depth,), or measured, (draws, depth).

    Attributes
    ----------
    pre_activation : ndarray
        Second moment of y = W x + b, which is its variance where it has mean 0.
    activation : ndarray
        Second moment of f(y), which is what the next layer sees.
    activation_mean, activation_variance : ndarray
        Mean of f(y), and what it leaves of the second moment.
    gradient : ndarray
        Second moment of the gradient of y, that at the last layer being 1.
    weight_gradient : ndarray
        Second moment of the gradient of W, of one example.
    correlation : ndarray
        Of the pre-activations of two examples: the mean of y y' beside that of y^2.
    """

    pre_activation: Floats
    activation: Floats
    activation_mean: Floats
    activation_variance: Floats
    gradient: Floats
    weight_gradient: Floats
    correlation: Floats


QUANTITIES = tuple(SignalMoments.__dataclass_fields__)


@dataclass(frozen=True, eq=False)
class Propagation:
    """How a signal fares through a random network, layer by layer.

    Attributes
    ----------
    layers : tuple of tuple of int
        The weights' shapes.
    activation : str
        Its name.
    laws : tuple of Law
        Of each layer's weight.
    seeds : tuple of int
        Of the draws, one each.
    predicted : SignalMoments
        Of mean field theory, of shape (depth,).
    measured : SignalMoments
        Of shape (draws, depth).
    chi : ndarray
        Predicted: by what a layer multiplies the distance of two inputs that are nearly alike.
    fixed_point : FixedPoint
        Where the last layer, repeated, would take the network.
    """

    layers: tuple[tuple[int, ...], ...]
    activation: str
    laws: tuple[Law, ...]
    seeds: tuple[int, ...]
    predicted: SignalMoments
    measured: SignalMoments
    chi: Floats
    fixed_point: FixedPoint

    @property
    def depth(self) -> int:
        """Number of layers."""
        return len(self.layers)

    @property
    def confidence(self) -> float:
        """The probability that the band of all draws, lowest to highest, holds the median of such draws."""
        return 1.0 - 2.0 ** (1 - len(self.seeds))

    def band(self, quantity: str) -> tuple[Floats, Floats, Floats]:
        """Return the lowest, the median and the highest draw of a quantity, each of shape (depth,).

        Of n draws the lowest and the highest enclose the law's median with probability 1 - 2^(1 - n),
        whatever the law: 75 % of 3, and more than 99.8 % of 10.

        Parameters
        ----------
        quantity : str
            An attribute of `SignalMoments`.

        Raises
        ------
        ValueError
            If there is no such quantity.
        """
        if quantity not in QUANTITIES:
            raise ValueError(f"quantity: there is no {quantity!r} among {', '.join(QUANTITIES)}")
        draws = getattr(self.measured, quantity)
        return draws.min(axis=0), np.median(draws, axis=0), draws.max(axis=0)

    def table(self) -> str:
        """Return a table with a line for each layer: measured medians, and what was predicted."""
        columns = ("pre_activation", "activation", "activation_mean", "gradient", "correlation")
        head = f"{'layer':>5}  {'weight':<18}" + "".join(f"{name:>24}" for name in columns) + f"{'chi':>9}"
        lines = [head, f"{'':>25}" + f"{'measured':>13}{'theory':>11}" * len(columns)]
        for at, shape in enumerate(self.layers):
            cells = []
            for name in columns:
                measured, theory = self.band(name)[1][at], getattr(self.predicted, name)[at]
                cells.append(f"{measured:>13.4g}{theory:>11.4g}")
            text = "x".join(map(str, shape))
            lines.append(f"{at:>5}  {text:<18}{''.join(cells)}{self.chi[at]:>9.4g}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON types; a number that isn't finite as None."""
        return {
            "layers": [list(shape) for shape in self.layers],
            "activation": self.activation,
            "laws": [law.to_dict() for law in self.laws],
            "seeds": list(self.seeds),
            "predicted": {name: _listed(getattr(self.predicted, name)) for name in QUANTITIES},
            "measured": {name: _listed(getattr(self.measured, name)) for name in QUANTITIES},
            "chi": _listed(self.chi),
            "fixed_point": dict(zip(FixedPoint._fields, _listed(np.array(self.fixed_point)), strict=True)),
        }

    def plot(self, quantities: Sequence[str] = ("pre_activation", "activation", "gradient")) -> Figure:
        """Return a matplotlib figure: each quantity over depth, the median and band of draws, and theory.

        Parameters
        ----------
        quantities : sequence of str, optional
            Attributes of `SignalMoments`.

        Raises
        ------
        ImportError
            If matplotlib isn't installed.
        ValueError
            If there is no such quantity.
        """
        from .plot import propagation_figure

        return propagation_figure(self, quantities)

    def __repr__(self) -> str:
        _, middle, _ = self.band("pre_activation")
        _, back, _ = self.band("gradient")
        return (
            f"Propagation({self.depth} layers, {self.activation}, {len(self.seeds)} draws: pre-activations "
            f"{middle[0]:.3g} -> {middle[-1]:.3g}, gradients {back[-1]:.3g} -> {back[0]:.3g})"
        )


def propagation(
    layers: Sequence[Sequence[int]],
    activation: str | Callable[[Any], Any],
    law: WeightRule = "he_normal",
    *,
    gain: float | None = None,
    param: float | None = None,
    derivative: Callable[[Any], Any] | None = None,
    bias_std: float = 0.0,
    batch: int | Any = 128,
    positions: int | Sequence[int] = (8, 8),
    padding: Padding = "circular",
    draws: int = 3,
) -> Propagation:
    r"""Follow a signal through a random network and its gradient back: predicted, and measured on draws.

    The prediction is mean field theory's, :math:`q_{l+1} = \sigma^2 n E[f(\sqrt{q_l} z)^2] + \sigma_b^2` for
    pre-activations and :math:`g_l = g_{l+1} \sigma^2 m E[f'(\sqrt{q_l} z)^2]` for gradients, with n the fan
    in and m the fan out: exact in the limit of wide layers. The measurement draws weights by fanfill, one set
    for each seed, and sends a batch forward and a random gradient of unit variance back, in float64.

    Parameters
    ----------
    layers : sequence of shapes
        Of the weights: (out, in) of a dense layer, (out, in, \*kernel) of a convolution of stride 1, such as
        ``[(256, 256)] * 30``. Behind convolutions a dense layer takes channels times positions.
    activation : str or callable
        A name that `gains` knows, or a function of a float64 array, behind every layer. Behind a gated one,
        such as ``"swiglu"``, the first half of a layer's rows is the gate and the second what it multiplies:
        layers of 256 outputs are ``[(512, 256)] * 30``.
    law : str, Law, callable or sequence of these, optional
        ``"he_normal"``, ``"glorot_uniform"`` and the like; a law for every layer; a function from the layer's
        `Fans` to its law; or as many of these as there are layers.
    gain : float, optional
        Instead of that of the name.
    param, derivative : optional
        See `gains`.
    bias_std : float, optional
        Biases are drawn from N(0, bias_std^2).
    batch : int or array, optional
        How many inputs to draw from N(0, 1), or the inputs: (n, in) or (n, channels, \*positions).
    positions : int or sequence of int, optional
        The extents of drawn images, where the first layer is a convolution.
    padding : {"circular", "zeros"}, optional
        What a convolution sees beyond the border. The prediction knows no border.
    draws : int, optional
        How many draws, from seeds 0, 1, 2 ...

    Returns
    -------
    Propagation

    Raises
    ------
    TypeError
        If an argument is of the wrong type, or the activation doesn't take and return arrays.
    ValueError
        If there is no layer, a layer doesn't fit behind the one before, the batch doesn't fit the first, the
        activation gives NaN or its moments diverge, or a law has another mean than 0. The message names the
        layer.

    References
    ----------
    K. He, X. Zhang, S. Ren, J. Sun, "Delving Deep into Rectifiers", 2015. B. Poole, S. Lahiri, M. Raghu,
    J. Sohl-Dickstein, S. Ganguli, "Exponential expressivity in deep neural networks through transient chaos",
    2016. S. S. Schoenholz, J. Gilmer, S. Ganguli, J. Sohl-Dickstein, "Deep Information Propagation", 2017.

    Examples
    --------
    >>> import fanfill as ff
    >>> deep = [(128, 128)] * 20
    >>> ff.propagation(deep, "relu", "he_normal").predicted.pre_activation[[0, -1]].round(6).tolist()
    [2.0, 2.0]
    >>> lost = ff.propagation(deep, "relu", "glorot_uniform").predicted.pre_activation
    >>> float(round(lost[-1] * 2**19, 6))
    1.0
    """
    found = as_activation(activation, param, derivative)
    stack = LayerStack(layers, found, padding)
    laws = laws_of(law, stack.shapes, gain)
    bias = as_finite(bias_std, "bias_std")
    if bias < 0.0:
        raise ValueError(f"bias_std must not be negative, not {bias}")
    count = as_int(draws, "draws")
    if count < 1:
        raise ValueError(f"draws must be at least 1, not {count}")
    inputs = _inputs(stack, batch, positions, count)
    theory, chi, end = _predicted(stack, laws, bias**2, inputs[0], is_drawn=_is_count(batch))
    runs = [_measured(stack, laws, bias, each, seed) for seed, each in enumerate(inputs)]
    measured = SignalMoments(*(np.array([getattr(run, name) for run in runs]) for name in QUANTITIES))
    return Propagation(stack.shapes, found.name, laws, tuple(range(count)), theory, measured, chi, end)


def _is_count(batch: Any) -> bool:
    try:
        return np.ndim(batch) == 0
    except ValueError as error:
        raise ValueError(f"batch is no array: {error}") from error


def _inputs(stack: LayerStack, batch: Any, positions: Any, draws: int) -> list[Floats]:
    """Return the inputs of each draw: those given, or new ones for each seed."""
    if not _is_count(batch):
        return [stack.check_batch(batch)] * draws
    n = as_int(batch, "batch")
    if n < 2:
        raise ValueError(f"batch must be at least 2 examples, not {n}")
    kernel = stack.shapes[0][2:]
    extents = (positions,) * len(kernel) if np.ndim(positions) == 0 else tuple(positions)
    extents = tuple(as_int(each, "positions") for each in extents[: len(kernel)])
    if any(each < 1 for each in extents):
        raise ValueError(f"positions must be at least 1, not {positions}")
    if len(extents) < len(kernel):
        raise ValueError(f"positions: layers[0] has a kernel of {len(kernel)} axes, not {len(extents)}")
    shape = (n, stack.shapes[0][1], *extents)
    return [stack.check_batch(_drawn(shape, Normal(), seed, "input")) for seed in range(draws)]


def _drawn(shape: tuple[int, ...], law: Law, seed: int, key: str) -> Floats:
    out = np.empty(shape)
    fill_many_([Job(out, law, key)], seed=seed)
    return out


def _predicted(
    stack: LayerStack, laws: Sequence[Law], bias_variance: float, batch: Floats, *, is_drawn: bool
) -> tuple[SignalMoments, Floats, FixedPoint]:
    fans: Sequence[Fans] = stack.fans
    field = MeanField(stack.activation, [variance_of(law) for law in laws], fans, bias_variance)
    square = 1.0 if is_drawn else float((batch**2).mean())
    start = 0.0 if is_drawn else _correlation(batch)
    q = field.pre_activations(square)
    moments = np.array([field.moments(float(f"{each:.12g}")) for each in q])
    mean, second = moments[:, 0], moments[:, 1]
    gradient = field.gradients(q)
    incoming = np.concatenate([[square], second[:-1]])
    places = [math.prod(batch.shape[2:]) if len(shape) > 2 else 1 for shape in stack.shapes]
    theory = SignalMoments(
        pre_activation=q,
        activation=second,
        activation_mean=mean,
        activation_variance=second - mean**2,
        gradient=gradient,
        weight_gradient=incoming * gradient * np.array(places),
        correlation=field.correlations(q, square, start),
    )
    return theory, field.chi(q), field.fixed_point(float(q[-1]))


def _measured(
    stack: LayerStack, laws: Sequence[Law], bias_std: float, batch: Floats, seed: int
) -> SignalMoments:
    weights = [np.empty(shape) for shape in stack.shapes]
    biases = [np.empty(shape[0]) for shape in stack.shapes]
    jobs = [
        Job(weight, law, f"layers.{at}.weight")
        for at, (weight, law) in enumerate(zip(weights, laws, strict=True))
    ]
    jobs += [Job(bias, Normal(0.0, bias_std), f"layers.{at}.bias") for at, bias in enumerate(biases)]
    fill_many_(jobs, seed=seed)
    trace = stack.forward(batch, weights, biases)
    gradient = _drawn(trace.pre_activations[-1].shape, Normal(), seed, "gradient")
    gradients = stack.backward(trace, weights, gradient)
    squares = stack.weight_gradient_squares(trace, gradients)
    x = trace.activations
    return SignalMoments(
        pre_activation=np.array([(y**2).mean() for y in trace.pre_activations]),
        activation=np.array([(each**2).mean() for each in x]),
        activation_mean=np.array([each.mean() for each in x]),
        activation_variance=np.array([each.var() for each in x]),
        gradient=np.array([(each**2).mean() for each in gradients]),
        weight_gradient=np.array([each.mean() for each in squares]),
        correlation=np.array([_correlation(y) for y in trace.pre_activations]),
    )


def _correlation(values: Floats) -> float:
    """Return the mean product of two different examples beside the mean square, at the same places."""
    flat = values.reshape(len(values), -1)
    squares, n = float((flat**2).sum()), len(flat)
    if n < 2 or squares == 0.0:
        return 1.0
    whole = float((flat.sum(axis=0) ** 2).sum())
    return (whole - squares) / (n - 1) / squares


def _listed(values: Floats) -> list[Any]:
    if values.ndim > 1:
        return [_listed(row) for row in values]
    return [float(value) if math.isfinite(value) else None for value in values]
