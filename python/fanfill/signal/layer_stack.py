"""Knows layers as arrays: dense and convolutional ones after each other, forward and backward, in float64.

It must not know how weights are drawn, nor what theory says of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from ..fan import Fans, fans
from ..region import as_shape
from .activation import Activation, Floats
from .differences import Differences

__all__ = ["LayerStack", "Padding", "Trace"]

Padding: TypeAlias = Literal["circular", "zeros"]


class Trace(NamedTuple):
    """What one pass through a stack leaves behind, a list entry for each layer.

    Attributes
    ----------
    inputs : list of ndarray
        What each layer takes: the batch, then activations.
    pre_activations, activations : list of ndarray
        Of shape (n, out) or (n, out, *positions); activations of a gated one have out / 2.
    """

    inputs: list[Floats]
    pre_activations: list[Floats]
    activations: list[Floats]


class LayerStack:
    """Layers y = W x + b, x' = f(y), one after the other.

    Parameters
    ----------
    shapes : sequence of shapes
        Of the weights: (out, in) for a dense layer, (out, in, k) or (out, in, k, k) for a convolution of
        stride 1 whose output has the extent of its input. Behind convolutions, a dense layer takes channels
        times positions.
    activation : Activation
        Behind each layer. Behind a gated one, f(a) * b, the first half of a layer's rows makes a and the
        second b, so that it gives half as many outputs as it has rows.
    padding : {"circular", "zeros"}, optional
        What convolutions see beyond the border.

    Raises
    ------
    TypeError, ValueError
        If there is no layer, or one doesn't fit behind the one before; the message names it.

    Examples
    --------
    >>> import numpy as np
    >>> from fanfill.signal.activation import activation
    >>> from fanfill.signal.layer_stack import LayerStack
    >>> stack = LayerStack([(3, 2), (1, 3)], activation("relu"))
    >>> trace = stack.forward(np.ones((4, 2)), [np.ones((3, 2)), np.ones((1, 3))])
    >>> trace.activations[-1].ravel().tolist()
    [6.0, 6.0, 6.0, 6.0]
    """

    def __init__(
        self, shapes: Sequence[Sequence[int]], activation: Activation, padding: Padding = "circular"
    ) -> None:
        if padding not in ("circular", "zeros"):
            raise ValueError(f"padding must be 'circular' or 'zeros', not {padding!r}")
        self.activation = activation
        self.shapes = _checked_shapes(shapes, halves=self.halves)
        self.padding = padding

    @property
    def depth(self) -> int:
        """Number of layers."""
        return len(self.shapes)

    @property
    def halves(self) -> int:
        """How many pre-activations make one activation: 2 of a gated one."""
        return 2 if self.activation.is_gated else 1

    @property
    def fans(self) -> tuple[Fans, ...]:
        """The fans of each layer."""
        return tuple(fans(shape) for shape in self.shapes)

    def check_batch(self, batch: Any) -> Floats:
        """Return a batch as float64, if the first layer takes it.

        Raises
        ------
        TypeError, ValueError
            If it isn't numbers of shape (n, in) or (n, in, *positions), finite and not all zero.
        """
        shape = self.shapes[0]
        array = np.asarray(batch)
        if array.dtype.kind not in "fiu":
            raise TypeError(f"batch must hold real numbers, not {array.dtype}")
        wanted = ", ".join(["n", str(shape[1]), *("h", "w", "d")[: len(shape) - 2]])
        if array.ndim != len(shape) or array.shape[1] != shape[1] or 0 in array.shape:
            raise ValueError(
                f"batch: layers[0], of shape {shape}, takes ({wanted}), and the batch has {array.shape}"
            )
        array = array.astype(np.float64)
        if not np.isfinite(array).all():
            raise ValueError("batch holds NaN or infinity")
        if not array.any():
            raise ValueError("batch is zero everywhere, and zero has no scale to keep")
        with np.errstate(all="ignore"):
            square = float((array**2).mean())
        if not 0.0 < square < math.inf:
            raise ValueError(f"batch: its squares {'under' if square == 0.0 else 'over'}flow; scale it")
        self._check_positions(array.shape[2:])
        return array

    def _check_positions(self, positions: tuple[int, ...]) -> None:
        """Raise if a kernel is wider than the image, or a dense layer doesn't take all of it."""
        for at, shape in enumerate(self.shapes):
            kernel = shape[2:]
            if any(k > extent for k, extent in zip(kernel, positions, strict=bool(kernel))):
                raise ValueError(f"layers[{at}]: its kernel {kernel} is wider than the positions {positions}")
            if at and not kernel and len(self.shapes[at - 1]) > 2:
                channels = self.shapes[at - 1][0] // self.halves
                given = channels * math.prod(positions)
                if given != shape[1]:
                    raise ValueError(
                        f"layers[{at}] takes {shape[1]} inputs, and layers[{at - 1}] gives "
                        f"{channels} channels at {math.prod(positions)} positions, {given}"
                    )

    def forward(
        self, batch: Floats, weights: Sequence[Floats], biases: Sequence[Floats] | None = None
    ) -> Trace:
        """Return what a batch becomes.

        Parameters
        ----------
        batch : ndarray
            (n, in) or (n, in, *positions).
        weights : sequence of ndarray
            Of the stack's shapes.
        biases : sequence of ndarray, optional
            Each (out,).

        Raises
        ------
        ValueError
            If numbers overflow or the activation gives NaN; the message names the layer.
        """
        signal, trace = batch, Trace([], [], [])
        for at, weight in enumerate(weights):
            if weight.ndim == 2 and signal.ndim > 2:
                signal = signal.reshape(len(signal), -1)
            trace.inputs.append(signal)
            with np.errstate(all="ignore"):
                y = self._apply(signal, weight)
                if biases is not None:
                    y = y + biases[at].reshape(1, -1, *(1,) * (y.ndim - 2))
                signal = self._activated(y, at)
            trace.pre_activations.append(_finite(y, at, "pre-activations"))
            trace.activations.append(_finite(signal, at, "activations"))
        return trace

    def backward(self, trace: Trace, weights: Sequence[Floats], gradient: Floats) -> list[Floats]:
        """Return the gradients of all pre-activations, given that of the last layer's.

        Parameters
        ----------
        trace : Trace
            Of the forward pass.
        weights : sequence of ndarray
            Those of the forward pass.
        gradient : ndarray
            Of the shape of the last pre-activations.
        """
        found = [gradient]
        for at in range(self.depth - 1, 0, -1):
            with np.errstate(all="ignore"):
                back = self._apply_transposed(found[-1], weights[at])
                back = back.reshape(trace.activations[at - 1].shape)
                gradient = self._activated_backward(back, trace.pre_activations[at - 1], at - 1)
                found.append(_finite(gradient, at - 1, "gradients"))
        return found[::-1]

    def weight_gradient_squares(self, trace: Trace, gradients: Sequence[Floats]) -> list[Floats]:
        """Return the mean square of each weight's gradient of one example, an array of n for each layer."""
        return [
            self._weight_gradient_square(x, gradient, shape)
            for x, gradient, shape in zip(trace.inputs, gradients, self.shapes, strict=True)
        ]

    def weight_gradients(self, trace: Trace, gradients: Sequence[Floats]) -> list[Floats]:
        """Return the gradient of each weight, summed over the batch and its positions."""
        found = []
        for x, gradient, shape in zip(trace.inputs, gradients, self.shapes, strict=True):
            windows = self._windows(x, shape[2:])
            axes = (0, *range(2, gradient.ndim))
            found.append(np.tensordot(gradient, windows, axes=(axes, axes)))
        return found

    def _weight_gradient_square(self, x: Floats, gradient: Floats, shape: tuple[int, ...]) -> Floats:
        if len(shape) == 2:  # an outer product
            squares: Floats = (x**2).mean(axis=1) * (gradient**2).mean(axis=1)
            return squares
        windows, axes = self._windows(x, shape[2:]), tuple(range(1, gradient.ndim - 1))
        each = [np.tensordot(g, w, axes=(axes, axes)) for g, w in zip(gradient, windows, strict=True)]
        return np.array([(one**2).mean() for one in each])

    def _apply(self, x: Floats, weight: Floats) -> Floats:
        windows = self._windows(x, weight.shape[2:])
        kernel = tuple(range(x.ndim, windows.ndim))
        product = np.tensordot(windows, weight, axes=((1, *kernel), tuple(range(1, weight.ndim))))
        return np.ascontiguousarray(np.moveaxis(product, -1, 1))

    def _apply_transposed(self, gradient: Floats, weight: Floats) -> Floats:
        """Return the gradient of a layer's input: the layer with in and out swapped and its kernel turned."""
        turned = np.flip(weight, axis=tuple(range(2, weight.ndim))).swapaxes(0, 1)
        windows = self._windows(gradient, weight.shape[2:], is_backward=True)
        kernel = tuple(range(gradient.ndim, windows.ndim))
        product = np.tensordot(windows, turned, axes=((1, *kernel), tuple(range(1, weight.ndim))))
        return np.ascontiguousarray(np.moveaxis(product, -1, 1))

    def _windows(self, x: Floats, kernel: tuple[int, ...], *, is_backward: bool = False) -> Floats:
        """Return what the kernel sees at each position, on as many further axes as it has."""
        if not kernel:
            return x
        widths = [((k - 1) // 2, k // 2) for k in kernel]
        if is_backward:
            widths = [(after, before) for before, after in widths]
        mode: Any = "wrap" if self.padding == "circular" else "constant"
        padded = np.pad(x, [(0, 0), (0, 0), *widths], mode=mode)
        return np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=tuple(range(2, x.ndim)))

    def _activated(self, y: Floats, at: int) -> Floats:
        if not self.activation.is_gated:
            return self._values(self.activation.function, y, at)
        a, b = np.split(y, 2, axis=1)
        return self._values(self.activation.function, a, at) * b

    def _activated_backward(self, gradient: Floats, y: Floats, at: int) -> Floats:
        """Return the gradient of the pre-activations y, given that of their activations."""
        f, derivative = self.activation, self.activation.derivative
        if isinstance(derivative, Differences):
            derivative = derivative.at_scale(float(np.sqrt((y**2).mean())))
        if not f.is_gated:
            return gradient * self._values(derivative, y, at)
        a, b = np.split(y, 2, axis=1)
        value, slope = self._values(f.function, a, at), self._values(derivative, a, at)
        return np.concatenate([gradient * slope * b, gradient * value], axis=1)

    def _values(self, function: Any, y: Floats, at: int) -> Floats:
        try:
            values = function(y)
        except (TypeError, ValueError, AttributeError) as error:
            raise TypeError(
                f"layers[{at}]: {self.activation.name} must take a NumPy array and return one of its shape; "
                f"of a function of one number np.vectorize makes such a one ({error})"
            ) from error
        if getattr(values, "shape", None) != y.shape:
            raise TypeError(
                f"layers[{at}]: {self.activation.name} must return an array of the shape it is given, "
                f"{y.shape}, not {getattr(values, 'shape', type(values).__name__)}"
            )
        return np.asarray(values, np.float64)


def _checked_shapes(shapes: Any, halves: int) -> tuple[tuple[int, ...], ...]:
    if isinstance(shapes, (str, bytes)) or not isinstance(shapes, Sequence):
        raise TypeError(
            f"layers must be a sequence of weight shapes, such as [(256, 256)] * 30, not {shapes!r}"
        )
    if not shapes:
        raise ValueError("layers is empty: at depth 0 nothing propagates")
    found: list[tuple[int, ...]] = []
    for at, entry in enumerate(shapes):
        try:
            shape = as_shape(entry)
        except (TypeError, ValueError) as error:
            raise type(error)(f"layers[{at}]: {error}") from error
        if not 2 <= len(shape) <= 5 or 0 in shape:
            raise ValueError(
                f"layers[{at}] must be the shape of a weight, (out, in) or (out, in, *kernel), without a 0, "
                f"not {shape}"
            )
        if shape[0] % halves:
            raise ValueError(f"layers[{at}]: a gated activation takes an even number of rows, not {shape[0]}")
        if found:
            _check_follows(found[-1], shape, at, halves)
        found.append(shape)
    return tuple(found)


def _check_follows(before: tuple[int, ...], shape: tuple[int, ...], at: int, halves: int) -> None:
    if len(shape) != len(before) and len(shape) > 2:
        raise ValueError(
            f"layers[{at}], of shape {shape}, can't follow layers[{at - 1}], of shape {before}: a "
            "convolution follows convolutions of as many axes"
        )
    given = before[0] // halves
    if len(shape) == len(before) and shape[1] != given:
        hint = f": its {before[0]} rows are a gate and what it multiplies" if halves > 1 else ""
        raise ValueError(f"layers[{at}] takes {shape[1]} inputs, and layers[{at - 1}] gives {given}{hint}")


def _finite(values: Floats, at: int, what: str) -> Floats:
    if np.isnan(values).any():
        raise ValueError(f"layers[{at}]: its {what} are NaN")
    if not np.isfinite(values).all():
        raise ValueError(f"layers[{at}]: its {what} overflow; take fewer layers or a smaller scale")
    return values
