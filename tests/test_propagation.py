"""Signals through random networks: what He, Glorot and mean field theory say, against real draws.

It must not know how either is computed.
"""

from __future__ import annotations

import json
import math
import pickle
from typing import Any

import numpy as np
import pytest

import fanfill as ff
from fanfill.signal.activation import activation
from fanfill.signal.layer_stack import LayerStack

RNG_SEED = 0


def harmonic(both: ff.Fans) -> float:
    return 2.0 / (1.0 / both.fan_in + 1.0 / both.fan_out)


def holds(found: ff.Propagation, quantity: str, within: float) -> bool:
    """Whether every layer's median lies within a factor of what was predicted."""
    ratio = found.band(quantity)[1] / getattr(found.predicted, quantity)
    return bool((np.abs(np.log(ratio)) < math.log(within)).all())


@pytest.mark.parametrize("depth", [30, 100])
def test_he_holds_a_relu_net(depth: int) -> None:
    found = ff.propagation([(128, 128)] * depth, "relu", "he_normal", batch=32)
    np.testing.assert_allclose(found.predicted.pre_activation, 2.0, rtol=1e-9)
    np.testing.assert_allclose(found.predicted.gradient, 1.0, rtol=1e-6)
    np.testing.assert_allclose(found.chi, 1.0, rtol=1e-8)
    # A finite width lets log q wander: its variance grows by about 5 / width a layer (Hanin and Rolnick,
    # 2018), so at depth 100 by a factor of e^2 either way at one sigma.
    wander = math.exp(3.0 * math.sqrt(5.0 * depth / 128))
    for quantity in ("pre_activation", "activation", "gradient", "weight_gradient"):
        assert holds(found, quantity, wander), quantity
    assert np.log(found.measured.pre_activation).std(axis=0)[-1] > 0.05  # three draws, not one thrice


def test_glorot_loses_half_a_layer_in_a_relu_net() -> None:
    found = ff.propagation([(256, 256)] * 30, "relu", "glorot_uniform", batch=32)
    np.testing.assert_allclose(found.predicted.pre_activation, 2.0 ** -np.arange(30), rtol=1e-8)
    np.testing.assert_allclose(found.predicted.gradient, 2.0 ** -np.arange(29, -1, -1.0), rtol=1e-6)
    assert holds(found, "pre_activation", 6.0)
    assert holds(found, "gradient", 6.0)
    assert found.fixed_point == pytest.approx((0.0, 1.0, 0.5), rel=1e-6)


def test_glorot_holds_a_linear_and_a_tanh_net() -> None:
    linear = ff.propagation([(256, 256)] * 30, "linear", "glorot_normal", batch=32)
    np.testing.assert_allclose(linear.predicted.pre_activation, 1.0, rtol=1e-9)
    np.testing.assert_allclose(linear.predicted.gradient, 1.0, rtol=1e-9)
    assert holds(linear, "pre_activation", 3.0)
    # tanh eats a little at each layer, less and less: q falls as 1 / 2l and not by a factor.
    tanh = ff.propagation([(256, 256)] * 30, "tanh", "glorot_normal", batch=32)
    q = tanh.predicted.pre_activation
    assert 1.0 / 60.0 < q[-1] < 1.2 / 60.0
    assert q[-1] / q[-2] > 0.96
    assert holds(tanh, "pre_activation", 1.6)
    assert holds(tanh, "gradient", 1.6)
    # At its gain it stays.
    gained = ff.propagation(
        [(256, 256)] * 30, "tanh", "lecun_normal", gain=ff.gains("tanh").forward, batch=32
    )
    np.testing.assert_allclose(gained.predicted.pre_activation[1:], 1.0, atol=0.5)
    assert gained.fixed_point.pre_activation == pytest.approx(1.0, rel=1e-6)
    assert gained.fixed_point.chi == pytest.approx(
        (ff.gains("tanh").forward / ff.gains("tanh").backward) ** 2
    )


WIDTHS = (64, 128, 256, 128, 512, 64)
TAPERED = list(zip(WIDTHS[1:], WIDTHS, strict=False))


@pytest.mark.parametrize(
    ("name", "fan"),
    [
        ("fan_in", lambda both: both.fan_in),
        ("fan_out", lambda both: both.fan_out),
        ("arithmetic", lambda both: (both.fan_in + both.fan_out) / 2),
        ("geometric", lambda both: math.sqrt(both.fan_in * both.fan_out)),
        ("harmonic", harmonic),
    ],
)
def test_forward_against_backward_when_widths_change(name: str, fan: Any) -> None:
    found = ff.propagation(TAPERED, "linear", lambda both: ff.Normal(0.0, fan(both) ** -0.5), batch=64)
    pairs = [ff.fans(shape) for shape in TAPERED]
    forward = np.cumprod([both.fan_in / fan(both) for both in pairs])
    backward = np.cumprod([both.fan_out / fan(both) for both in pairs[:0:-1]])[::-1]
    np.testing.assert_allclose(found.predicted.pre_activation, forward, rtol=1e-8)
    np.testing.assert_allclose(found.predicted.gradient[:-1], backward, rtol=1e-8)
    assert holds(found, "pre_activation", 1.6)
    assert holds(found, "gradient", 1.6)
    end = found.predicted.pre_activation[-1], found.predicted.gradient[0]
    if name == "fan_in":
        assert end[0] == pytest.approx(1.0)
        # What fan in costs the gradients depends on the first and the last width alone.
        assert end[1] == pytest.approx(WIDTHS[-1] / WIDTHS[1])
    if name == "fan_out":
        assert end == pytest.approx((WIDTHS[0] / WIDTHS[-1], 1.0))
    if name == "geometric":
        assert end[0] == pytest.approx(math.sqrt(WIDTHS[0] / WIDTHS[-1]))
        assert end[1] == pytest.approx(math.sqrt(WIDTHS[-1] / WIDTHS[1]))


def test_relu_activations_have_a_mean_and_gradients_none_the_less_hold() -> None:
    found = ff.propagation([(256, 256)] * 10, "relu", batch=64)
    # E[max(0, y)] = sqrt(q / 2 pi), of the second moment q / 2.
    np.testing.assert_allclose(found.predicted.activation_mean, math.sqrt(1.0 / math.pi), rtol=1e-8)
    np.testing.assert_allclose(found.predicted.activation_variance, 1.0 - 1.0 / math.pi, rtol=1e-7)
    assert holds(found, "activation_mean", 1.25)
    assert holds(found, "activation_variance", 1.8)  # across inputs it shrinks as their correlation grows
    assert holds(found, "weight_gradient", 1.7)


def test_a_shifted_relu_needs_a_gain_of_its_own() -> None:
    def shifted(z: Any) -> Any:
        return np.maximum(z, 0.0) - 0.5

    found = ff.propagation([(256, 256)] * 10, shifted, "he_normal", batch=64)
    # E[(max(0, y) - 1/2)^2] = q / 2 - sqrt(q / 2 pi) + 1/4: less than q / 2 for q > pi / 8.
    q = [2.0]
    for _ in range(9):
        q.append(2.0 * (q[-1] / 2.0 - math.sqrt(q[-1] / (2.0 * math.pi)) + 0.25))
    np.testing.assert_allclose(found.predicted.pre_activation, q, rtol=1e-7)
    assert holds(found, "pre_activation", 1.35)
    assert found.fixed_point.pre_activation == pytest.approx(math.pi / 8.0, rel=1e-4)
    gained = ff.Normal(0.0, ff.gains(shifted).forward / 16.0)
    # Behind the first layer, that is: inputs of variance 1 haven't been shifted, and where the gain
    # multiplies them too they begin above the map's second fixed point, at 2.8, and explode.
    held = ff.propagation([(256, 256)] * 10, shifted, ["lecun_normal"] + [gained] * 9, batch=64)
    np.testing.assert_allclose(held.predicted.pre_activation, 1.0, rtol=1e-6)
    assert holds(held, "pre_activation", 1.35)
    exploding = ff.propagation([(256, 256)] * 10, shifted, gained, batch=64)
    assert exploding.fixed_point.pre_activation == math.inf


def test_correlated_pixels_and_channels_move_the_noise_and_not_the_mean() -> None:
    rng = np.random.default_rng(RNG_SEED)
    independent = rng.standard_normal((16, 8, 6, 6))
    alike = np.broadcast_to(rng.standard_normal((16, 1, 1, 1)), (16, 8, 6, 6))
    layers = [(32, 8, 3, 3)] + [(32, 32, 3, 3)] * 2
    runs = [ff.propagation(layers, "relu", batch=batch, draws=8) for batch in (independent, alike)]
    for found, batch in zip(runs, (independent, alike), strict=True):
        assert found.predicted.pre_activation[0] == pytest.approx(2.0 * (batch**2).mean())
        assert holds(found, "pre_activation", 1.35)
    first = [np.std(np.log(found.measured.pre_activation[:, 0])) for found in runs]
    assert first[1] > 1.5 * first[0]  # 72 equal inputs are one


def test_a_convolution_counts_its_kernel_and_a_border_of_zeros_costs() -> None:
    layers = [(32, 16, 3, 3)] + [(32, 32, 3, 3)] * 5
    wrapped = ff.propagation(layers, "relu", batch=16, positions=6)
    np.testing.assert_allclose(wrapped.predicted.pre_activation, 2.0, rtol=1e-8)
    assert holds(wrapped, "pre_activation", 1.5)
    assert holds(wrapped, "weight_gradient", 1.6)
    bordered = ff.propagation(layers, "relu", batch=16, positions=6, padding="zeros")
    # One position of a 6 by 6 image sees (16 / 18)^2 of the taps on average, and less each layer.
    assert bordered.band("pre_activation")[1][-1] < 0.4 * wrapped.band("pre_activation")[1][-1]


def test_any_law_of_the_variance_does() -> None:
    deep, std = [(256, 256)] * 12, math.sqrt(2.0 / 256)
    for law in (
        ff.Normal(0.0, std),
        ff.Uniform(-std * math.sqrt(3.0), std * math.sqrt(3.0)),
        ff.TruncatedNormal(0.0, std, correct_variance=True),
        "kaiming_uniform",
        "he_truncated_normal",
    ):
        found = ff.propagation(deep, "relu", law, batch=32)
        np.testing.assert_allclose(found.predicted.pre_activation, 2.0, rtol=1e-6)
        assert holds(found, "pre_activation", 2.0)


def test_the_correlation_map_and_its_fixed_point() -> None:
    found = ff.propagation([(512, 512)] * 12, "relu", batch=32)
    # Cho and Saul, 2009: sqrt(1 - c^2) + c (pi - arccos c), over pi.
    c, expected = 0.0, []
    for _ in range(12):
        expected.append(c)
        c = (math.sqrt(1.0 - c * c) + c * (math.pi - math.acos(c))) / math.pi
    np.testing.assert_allclose(found.predicted.correlation, expected, atol=2e-4)
    np.testing.assert_allclose(found.band("correlation")[1], expected, atol=0.04)
    chaotic = ff.propagation([(256, 256)] * 25, "tanh", "lecun_normal", gain=1.5, bias_std=0.2, batch=64)
    end = chaotic.fixed_point
    assert end.chi > 1.05
    assert 0.45 < end.correlation < 0.55
    assert chaotic.predicted.correlation[-1] == pytest.approx(chaotic.band("correlation")[1][-1], abs=0.05)
    ordered = ff.propagation([(64, 64)], "tanh", "lecun_normal", gain=0.9, bias_std=0.3, batch=8)
    assert ordered.fixed_point.chi < 1.0
    assert ordered.fixed_point.correlation == 1.0
    assert ff.propagation([(8, 8)], "linear", "he_normal").fixed_point.pre_activation == math.inf


def test_how_it_moves_in_the_first_steps_of_training() -> None:
    # SGD on the distance from a random teacher: at step 0 all is as predicted, then the statistics leave what
    # theory says of independent weights, while gradients stay of one size over the layers.
    stack = LayerStack([(128, 128)] * 6 + [(4, 128)], activation("relu"))
    weights = [
        ff.he_normal(shape, dtype="float64", seed=0, key=str(at)) for at, shape in enumerate(stack.shapes)
    ]
    batch = ff.normal((64, 128), dtype="float64", seed=0, key="input")
    target = np.tanh(batch @ ff.normal((128, 4), dtype="float64", std=0.2, seed=0, key="teacher"))
    losses, variances, spreads = [], [], []
    for _ in range(60):
        trace = stack.forward(batch, weights)
        error = (trace.pre_activations[-1] - target) / len(batch)
        losses.append(float((error**2).sum()) * len(batch))
        variances.append([float((y**2).mean()) for y in trace.pre_activations])
        slopes = stack.weight_gradients(trace, stack.backward(trace, weights, error))
        sizes = [float((slope**2).mean()) for slope in slopes[:-1]]
        spreads.append(max(sizes) / min(sizes))
        for weight, slope in zip(weights, slopes, strict=True):
            weight -= 0.01 * slope
    assert losses[-1] < 0.3 * losses[0]
    assert max(np.abs(np.log(np.array(variances[0][:-1]) / 2.0))) < math.log(3.0)
    assert max(np.abs(np.log(np.array(variances[-1]) / np.array(variances[0])))) > math.log(1.5)
    assert max(spreads) < 100.0


@pytest.mark.parametrize("name", ["swiglu", "geglu", "reglu"])
def test_gated_activations(name: str) -> None:
    forward, backward = ff.gains(name)
    unit, layers = ff.normal((32, 1024), dtype="float64", seed=0, key="unit"), [(2048, 1024)] * 3
    unit /= math.sqrt((unit**2).mean())
    laws = [ff.Normal(0.0, 1 / 32), *[ff.Normal(0.0, forward / 32)] * 2]
    held = ff.propagation(layers, name, laws, batch=unit)
    np.testing.assert_allclose(held.predicted.pre_activation, 1.0, rtol=1e-8)
    np.testing.assert_allclose(held.chi[1:], 2.0 * (forward / backward) ** 2, rtol=1e-6)
    # Products have heavy tails: a layer is off by an eighth, and the next squares that.
    for quantity in ("pre_activation", "activation", "gradient", "weight_gradient"):
        assert holds(held, quantity, 1.6), quantity
    assert (np.abs(held.measured.activation_mean) < 0.05).all()
    # The backward gain belongs to the fan out, twice the fan in.
    laws[1] = ff.Normal(0.0, backward / 2048**0.5)
    back = ff.propagation(layers[:2], name, laws[:2], batch=unit)
    np.testing.assert_allclose(back.predicted.gradient, 1.0, rtol=1e-8)
    assert holds(back, "gradient", 1.1)


def test_a_gate_squares_what_is_off() -> None:
    for square, end in ((1.1, math.inf), (0.9, 0.0)):
        laws = [ff.Normal(0.0, square**0.5 / 64**0.5)] + [
            ff.Normal(0.0, ff.gains("swiglu").forward / 8.0)
        ] * 2
        assert ff.propagation([(128, 64)] * 3, "swiglu", laws, batch=8).fixed_point.pre_activation == end


def test_the_correlation_behind_a_gate_falls_faster() -> None:
    laws = [ff.Normal(0.0, 512**-0.5)] + [ff.Normal(0.0, ff.gains("swiglu").forward / 512**0.5)] * 4
    shared, own = (ff.normal((n, 512), dtype="float64", seed=0, key=str(n)) for n in (1, 32))
    found = ff.propagation([(1024, 512)] * 5, "swiglu", laws, batch=0.8**0.5 * shared + 0.2**0.5 * own)
    low, _, high = found.band("correlation")
    np.testing.assert_allclose(found.band("correlation")[1], found.predicted.correlation, atol=0.06)
    assert (np.diff(found.predicted.correlation) < 0.0).all()
    assert (low <= high).all()


@pytest.mark.parametrize("name", ["tanh", "swiglu"])
def test_gradients_are_those_of_the_loss(name: str) -> None:
    rows = 2 if activation(name).is_gated else 1
    shapes = [(3 * rows, 2, 3, 2), (2 * rows, 3, 2, 2), (2 * rows, 24)]
    stack = LayerStack(shapes, activation(name), "zeros")
    weights = [ff.normal(shape, dtype="float64", std=0.4, seed=0, key=str(shape)) for shape in stack.shapes]
    batch = ff.normal((5, 2, 3, 4), dtype="float64", seed=0, key="batch")
    for padding in ("zeros", "circular"):
        stack = LayerStack(stack.shapes, activation(name), padding)  # type: ignore[arg-type]
        trace = stack.forward(batch, weights)
        gradients = stack.backward(trace, weights, trace.pre_activations[-1])
        found = stack.weight_gradients(trace, gradients)
        each = [stack.forward(one[None], weights) for one in batch]
        alone = [
            stack.weight_gradients(one, stack.backward(one, weights, one.pre_activations[-1])) for one in each
        ]
        for at, (weight, slope) in enumerate(zip(weights, found, strict=True)):
            place = tuple(extent - 1 for extent in weight.shape)
            losses = []
            for step in (1e-5, -1e-5):
                weight[place] += step
                losses.append(0.5 * (stack.forward(batch, weights).pre_activations[-1] ** 2).sum())
                weight[place] -= step
            assert slope[place] == pytest.approx((losses[0] - losses[1]) / 2e-5, rel=1e-6, abs=1e-9)
            squares = stack.weight_gradient_squares(trace, gradients)[at]
            np.testing.assert_allclose(squares, [(one[at] ** 2).mean() for one in alone], rtol=1e-10)


def test_a_function_is_followed_as_deep_as_a_name() -> None:
    layers = [(64, 64)] * 60
    named = ff.propagation(layers, "relu", "glorot_normal", batch=16)
    own = ff.propagation(layers, lambda z: np.maximum(z, 0.0, out=z), "glorot_normal", batch=16)
    np.testing.assert_allclose(own.predicted.gradient, named.predicted.gradient, rtol=1e-2)
    np.testing.assert_allclose(own.measured.pre_activation, named.measured.pre_activation, rtol=1e-12)
    np.testing.assert_allclose(own.measured.gradient, named.measured.gradient, rtol=1e-3)


def test_more_draws_narrow_the_doubt() -> None:
    few, many = (ff.propagation([(32, 32)] * 3, "relu", draws=n, batch=8) for n in (3, 10))
    assert (few.confidence, many.confidence) == (0.75, 1.0 - 2.0**-9)
    assert few.seeds == (0, 1, 2)
    np.testing.assert_array_equal(few.measured.gradient, many.measured.gradient[:3])
    low, middle, high = many.band("gradient")
    assert ((low <= middle) & (middle <= high)).all()


def test_what_a_result_says_of_itself() -> None:
    found = ff.propagation([(4, 3, 3), (4, 4, 3), (2, 32)], "gelu", "lecun_normal", batch=8, positions=8)
    assert repr(found).startswith("Propagation(3 layers, gelu, 3 draws: pre-activations ")
    lines = found.table().splitlines()
    assert len(lines) == 5
    assert "4x3x3" in lines[2]
    written = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert written["layers"] == [[4, 3, 3], [4, 4, 3], [2, 32]]
    assert len(written["measured"]["pre_activation"]) == 3
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(again.measured.gradient, found.measured.gradient)
    assert json.dumps(again.to_dict()) == json.dumps(found.to_dict())


def nan_below(z: Any) -> Any:
    return np.where(z < -1.0, np.nan, z)


def grows(z: Any) -> Any:
    return np.exp(np.minimum(z * z, 600.0))


SQUARE = [(8, 8)] * 3


@pytest.mark.parametrize(
    ("layers", "activation", "law", "keywords", "error", "text"),
    [
        ([], "relu", "he_normal", {}, ValueError, "at depth 0 nothing propagates"),
        ("relu", "relu", "he_normal", {}, TypeError, "sequence of weight shapes"),
        ([(8, 8), (8, 4)], "relu", "he_normal", {}, ValueError, r"layers\[1\] takes 4 inputs, .* gives 8"),
        ([(8, 8), (8, 8, 3)], "relu", "he_normal", {}, ValueError, r"layers\[1\], .* can't follow"),
        ([(8, 0)], "relu", "he_normal", {}, ValueError, r"layers\[0\] must be the shape"),
        ([(8, 8), 3], "relu", "he_normal", {}, ValueError, r"layers\[1\] must be the shape"),
        ([(8, 8), "x"], "relu", "he_normal", {}, TypeError, r"layers\[1\]"),
        ([(8, 3, 3, 3), (5, 8)], "relu", "he_normal", {}, ValueError, r"layers\[1\] takes 8 .* 64 positions"),
        ([(8, 3, 9, 9)], "relu", "he_normal", {}, ValueError, r"layers\[0\]: its kernel"),
        (SQUARE, "relo", "he_normal", {}, ValueError, "did you mean 'relu'"),
        (
            SQUARE,
            "swiglu",
            "he_normal",
            {},
            ValueError,
            r"layers\[1\] takes 8 .* gives 4: its 8 rows are a gate",
        ),
        ([(9, 8)], "swiglu", "he_normal", {}, ValueError, r"layers\[0\]: .* an even number of rows, not 9"),
        (SQUARE, nan_below, "he_normal", {}, ValueError, r"layers\[0\]: nan_below is NaN at z = -"),
        (SQUARE, grows, "he_normal", {}, ValueError, r"layers\[0\]: grows: its mean diverges"),
        (SQUARE, math.tanh, "he_normal", {}, TypeError, r"layers\[0\]: tanh must take a NumPy array"),
        (SQUARE, lambda z: 1.0, "he_normal", {}, TypeError, r"layers\[0\]: <lambda> must return an array"),
        (SQUARE, "relu", "he_norml", {}, ValueError, "did you mean 'he_normal'"),
        (SQUARE, "relu", 3, {}, TypeError, "law must be a name, a Law, a function"),
        (SQUARE, "relu", lambda fans: 1.0, {}, TypeError, r"layers\[0\]: the rule must return a Law"),
        (SQUARE, "relu", ff.Normal(1.0, 1.0), {}, ValueError, r"layers\[0\]: .* has mean 1"),
        (SQUARE, "relu", ff.Constant(0.0), {}, ValueError, "variance 0, and nothing propagates"),
        (SQUARE, "relu", ["he_normal"] * 2, {}, ValueError, "law: 2 of them for 3 layers"),
        (SQUARE, "relu", ["he_normal", "he", "he_normal"], {}, ValueError, "there is no 'he' among"),
        (SQUARE, "relu", ff.Normal(), {"gain": 1.0}, ValueError, "gain goes with the name"),
        (SQUARE, "relu", "he_normal", {"batch": np.ones((4, 9))}, ValueError, r"takes \(n, 8\)"),
        (SQUARE, "relu", "he_normal", {"batch": np.ones(8)}, ValueError, r"takes \(n, 8\)"),
        (SQUARE, "relu", "he_normal", {"batch": np.zeros((2, 8))}, ValueError, "zero everywhere"),
        (SQUARE, "relu", "he_normal", {"batch": np.full((2, 8), np.nan)}, ValueError, "holds NaN"),
        (SQUARE, "relu", "he_normal", {"batch": np.ones((2, 8), complex)}, TypeError, "real numbers"),
        (SQUARE, "relu", "he_normal", {"batch": [[1.0], [1.0, 2.0]]}, ValueError, "batch is no array"),
        (SQUARE, "relu", "he_normal", {"batch": np.full((2, 8), 1e200)}, ValueError, "batch: .* overflow"),
        (SQUARE, "relu", "he_normal", {"batch": np.full((2, 8), 1e-200)}, ValueError, "batch: .* underflow"),
        (SQUARE, np.sign, "he_normal", {}, ValueError, r"layers\[0\]: the derivative of sign .* jumps"),
        ([(8, 3, 3, 3)], "relu", "he_normal", {"positions": 0}, ValueError, "positions must be at least 1"),
        ([(8, 3, 3, 3)], "relu", "he_normal", {"positions": (8, -1)}, ValueError, "positions must be at"),
        (SQUARE, "relu", "he_normal", {"batch": 1}, ValueError, "at least 2 examples"),
        (SQUARE, "relu", "he_normal", {"draws": 0}, ValueError, "draws must be at least 1"),
        (SQUARE, "relu", "he_normal", {"bias_std": -1.0}, ValueError, "bias_std must not be negative"),
        (SQUARE, "relu", "he_normal", {"padding": "same"}, ValueError, "padding must be"),
        ([(8, 8)] * 60, "relu", ff.Normal(0.0, 1e6), {}, ValueError, r"layers\[\d+\]: .* overflow"),
    ],
)
def test_refused(layers: Any, activation: Any, law: Any, keywords: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        ff.propagation(layers, activation, law, **keywords)


def test_an_unknown_quantity() -> None:
    found = ff.propagation([(4, 4)], "relu", batch=4)
    with pytest.raises(ValueError, match="there is no 'variance' among pre_activation"):
        found.band("variance")
