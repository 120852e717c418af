"""The fans of each kind of layer: against torch, Keras and JAX where they are right, else the right value.

Right in all three: dense and plain convolutions, fan_in of grouped ones, and with ``batch_axis`` stacked
experts in JAX. Wrong: fan_out of grouped convolutions (all three), fan_in of Keras' depthwise kernel (its
fan_out is right), both fans of transposed convolutions (torch, Keras), fan_out of fused weights (all three),
stacked experts (torch, Keras). An embedding has no fans in this sense: all three give the axes of its table,
and so do we; its scale is a policy, which a recipe or ``fan_in=`` states.

What is right is not taken from a formula: a layer with weights of variance 1 / fan_in keeps the variance of
its input, and one with 1 / fan_out that of its gradient. torch computes both here.

Keras' and JAX's numbers were read off Keras 3.15.1 (``compute_fans``) and JAX 0.10.2
(``jax.nn.initializers``), and are compared with those where they are installed.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

import fanfill as ff

pytestmark = pytest.mark.framework

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import torch
    from torch import nn

Pair = tuple[float, float]


class Row(NamedTuple):
    """A layer in torch, the options that say what it is, the right fans, and what torch takes."""

    layer: Callable[[], torch.Tensor]
    options: dict[str, Any]
    right: Pair
    torchs: Pair


def weight(make: Callable[[], nn.Module]) -> Callable[[], torch.Tensor]:
    return lambda: make().weight  # type: ignore[return-value]


TORCH = {
    "dense": Row(weight(lambda: nn.Linear(512, 128)), {}, (512, 128), (512, 128)),
    "conv": Row(weight(lambda: nn.Conv2d(32, 64, 3)), {}, (288, 576), (288, 576)),
    "conv 1d": Row(weight(lambda: nn.Conv1d(32, 64, 5)), {}, (160, 320), (160, 320)),
    "grouped conv": Row(weight(lambda: nn.Conv2d(32, 64, 3, groups=4)), {"groups": 4}, (72, 144), (72, 576)),
    "depthwise": Row(weight(lambda: nn.Conv2d(32, 64, 3, groups=32)), {"groups": 32}, (9, 18), (9, 576)),
    "transposed conv": Row(
        weight(lambda: nn.ConvTranspose2d(32, 64, 3)), {"transposed": True}, (288, 576), (576, 288)
    ),
    "grouped transposed conv": Row(
        weight(lambda: nn.ConvTranspose2d(32, 64, 3, groups=4)),
        {"transposed": True, "groups": 4},
        (72, 144),
        (144, 288),
    ),
    "embedding": Row(weight(lambda: nn.Embedding(1000, 64)), {}, (64, 1000), (64, 1000)),
    "fused qkv": Row(
        lambda: nn.MultiheadAttention(128, 8).in_proj_weight, {"parts": 3}, (128, 128), (128, 384)
    ),
    "fused gate-up": Row(weight(lambda: nn.Linear(128, 704)), {"parts": 2}, (128, 352), (128, 704)),
    "stacked experts": Row(
        lambda: nn.Parameter(torch.empty(8, 128, 64)), {"batch_axes": (0,)}, (64, 128), (8192, 512)
    ),
}
TORCH_IS_RIGHT = {"dense", "conv", "conv 1d", "embedding"}


def only(found: ff.Fans | tuple[ff.Fans, ...]) -> ff.Fans:
    """The fans, or those of all parts where they are the same."""
    if isinstance(found, ff.Fans):
        return found
    assert len(set(found)) == 1
    return found[0]


@pytest.mark.parametrize("name", TORCH)
def test_against_torch(name: str) -> None:
    row = TORCH[name]
    tensor = row.layer()
    assert only(ff.fans(tuple(tensor.shape), **row.options)) == row.right
    assert nn.init._calculate_fan_in_and_fan_out(tensor) == row.torchs
    assert (row.right == row.torchs) == (name in TORCH_IS_RIGHT)


@pytest.mark.parametrize("name", sorted(TORCH_IS_RIGHT))
@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (nn.init.xavier_uniform_, ff.glorot_uniform_),
        (nn.init.xavier_normal_, ff.glorot_normal_),
        (lambda t: nn.init.kaiming_normal_(t, nonlinearity="relu"), ff.he_normal_),
        (lambda t: nn.init.kaiming_uniform_(t, mode="fan_out", nonlinearity="relu"), None),
    ],
    ids=["xavier_uniform_", "xavier_normal_", "kaiming_normal_", "kaiming_uniform_ fan_out"],
)
def test_the_scale_is_torchs_where_torch_is_right(name: str, theirs: Any, ours: Any) -> None:
    torch.manual_seed(0)
    one, other = TORCH[name].layer().detach(), TORCH[name].layer().detach()
    theirs(one)
    if ours is None:
        ff.he_uniform_(other, mode="fan_out", seed=7, key="w")
    else:
        ours(other, seed=7, key="w")
    # The standard deviation of 10,000 values is known to 0.7 %: two that differ by 5 % differ by 5 sigma.
    assert other.std().item() == pytest.approx(one.std().item(), rel=0.05)
    assert other.abs().max().item() == pytest.approx(one.abs().max().item(), rel=0.3)


@pytest.mark.parametrize(
    ("rows", "parts"), [(384, 3), (192, (128, 32, 32)), (704, 2)], ids=["qkv", "gqa", "gate-up"]
)
def test_parts_have_the_scale_that_torch_gives_them_apart(rows: int, parts: Any) -> None:
    torch.manual_seed(0)
    fused = nn.Parameter(torch.empty(rows, 128))
    ff.glorot_uniform_(fused, parts=parts, seed=7, key="w")
    sizes = [rows // parts] * parts if isinstance(parts, int) else list(parts)
    for part in fused.detach().split(sizes):
        apart = nn.init.xavier_uniform_(torch.empty_like(part))
        assert part.std().item() == pytest.approx(apart.std().item(), rel=0.03)
        assert part.abs().max().item() == pytest.approx(apart.abs().max().item(), rel=0.005)


class Passage(NamedTuple):
    """How a weight acts, the shape of what goes in, and what of an image the borders leave alone."""

    act: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    into: tuple[int, ...]
    has_borders: bool = False


functional = nn.functional
PASSAGES = {
    "dense": Passage(lambda x, w: functional.linear(x, w), (512, 512)),
    "conv": Passage(lambda x, w: functional.conv2d(x, w, padding=1), (8, 32, 16, 16), True),
    "grouped conv": Passage(lambda x, w: functional.conv2d(x, w, padding=1, groups=4), (8, 32, 16, 16), True),
    "depthwise": Passage(lambda x, w: functional.conv2d(x, w, padding=1, groups=32), (8, 32, 16, 16), True),
    "transposed conv": Passage(
        lambda x, w: functional.conv_transpose2d(x, w, padding=1), (8, 32, 16, 16), True
    ),
    "grouped transposed conv": Passage(
        lambda x, w: functional.conv_transpose2d(x, w, padding=1, groups=4), (8, 32, 16, 16), True
    ),
    "fused qkv": Passage(lambda x, w: functional.linear(x, w[128:256]), (512, 128)),
    "fused gate-up": Passage(lambda x, w: functional.linear(x, w[352:]), (512, 128)),
    "stacked experts": Passage(lambda x, w: torch.einsum("ebi,eoi->ebo", x, w), (8, 256, 64)),
}


@pytest.mark.parametrize("name", PASSAGES)
def test_a_layer_keeps_the_variance_of_its_input_and_of_its_gradient(name: str) -> None:
    row, passage = TORCH[name], PASSAGES[name]
    torch.manual_seed(0)

    def inner(image: torch.Tensor) -> torch.Tensor:
        return image[..., 2:-2, 2:-2] if passage.has_borders else image

    drawn = row.layer().detach()
    for mode in ("fan_in", "fan_out"):
        ff.lecun_normal_(drawn, mode=mode, seed=7, key="w", **row.options)  # type: ignore[arg-type]
        signal = torch.randn(passage.into, requires_grad=True)
        result = passage.act(signal, drawn)
        result.backward(torch.randn_like(result))
        assert signal.grad is not None
        kept = result if mode == "fan_in" else signal.grad
        assert inner(kept).var().item() == pytest.approx(1.0, abs=0.12), mode


# Name: the stored shape, the options that say what it is, the right fans, and what the framework takes.
# (kernel, in, out) as Keras stores it; a depthwise kernel, (kernel, in, multiplier), reshaped as `fans` says.
KERAS: dict[str, tuple[tuple[int, ...], tuple[int, ...], dict[str, Any], Pair, Pair]] = {
    "dense": ((512, 128), (512, 128), {}, (512, 128), (512, 128)),
    "conv": ((3, 3, 32, 64), (3, 3, 32, 64), {}, (288, 576), (288, 576)),
    "grouped conv": ((3, 3, 8, 64), (3, 3, 8, 64), {"groups": 4}, (72, 144), (72, 576)),
    "depthwise": ((3, 3, 32, 2), (3, 3, 1, 64), {"groups": 32}, (9, 18), (288, 18)),
    "transposed conv": ((3, 3, 64, 32), (3, 3, 64, 32), {"transposed": True}, (288, 576), (576, 288)),
    "embedding": ((1000, 64), (1000, 64), {}, (1000, 64), (1000, 64)),
    "fused qkv": ((128, 384), (128, 384), {"parts": 3}, (128, 128), (128, 384)),
    "fused gate-up": ((128, 704), (128, 704), {"parts": 2}, (128, 352), (128, 704)),
    "stacked experts": ((8, 64, 128), (8, 64, 128), {"batch_axes": (0,)}, (64, 128), (512, 1024)),
    "vector": ((7,), (7,), {}, (7, 7), (7, 7)),
    "scalar": ((), (), {}, (1, 1), (1, 1)),
}
KERAS_IS_RIGHT = {"dense", "conv", "embedding", "vector", "scalar"}

# As Flax stores it; in_axis -2, out_axis -1, and batch_axis where there are stacked weights.
JAX: dict[str, tuple[tuple[int, ...], tuple[int, ...], dict[str, Any], Pair, Pair]] = {
    "dense": ((512, 128), (), {}, (512, 128), (512, 128)),
    "conv": ((3, 3, 32, 64), (), {}, (288, 576), (288, 576)),
    "grouped conv": ((3, 3, 8, 64), (), {"groups": 4}, (72, 144), (72, 576)),
    "depthwise": ((3, 3, 1, 64), (), {"groups": 32}, (9, 18), (9, 576)),
    # Flax's ConvTranspose stores (kernel, in, out), but with transpose_kernel=True (kernel, out, in).
    "transposed conv": ((3, 3, 32, 64), (), {}, (288, 576), (288, 576)),
    "transposed conv, transpose_kernel": ((3, 3, 64, 32), (), {"transposed": True}, (288, 576), (576, 288)),
    "embedding": ((1000, 64), (), {}, (1000, 64), (1000, 64)),
    "fused qkv": ((128, 384), (), {"parts": 3}, (128, 128), (128, 384)),
    "fused gate-up": ((128, 704), (), {"parts": 2}, (128, 352), (128, 704)),
    "stacked experts": ((8, 64, 128), (0,), {"batch_axes": (0,)}, (64, 128), (64, 128)),
    "scanned experts": ((2, 8, 64, 128), (0, 1), {"batch_axes": (0, 1)}, (64, 128), (64, 128)),
}
JAX_IS_RIGHT = {"dense", "conv", "transposed conv", "embedding", "stacked experts", "scanned experts"}


@pytest.mark.parametrize("name", KERAS)
def test_against_keras_numbers(name: str) -> None:
    _, shape, options, right, theirs = KERAS[name]
    assert only(ff.fans(shape, layout="io", **options)) == right
    assert (right == theirs) == (name in KERAS_IS_RIGHT)


@pytest.mark.parametrize("name", JAX)
def test_against_jax_numbers(name: str) -> None:
    shape, _, options, right, theirs = JAX[name]
    assert only(ff.fans(shape, layout="io", **options)) == right
    assert (right == theirs) == (name in JAX_IS_RIGHT)


@pytest.mark.parametrize("name", KERAS)
def test_the_numbers_are_those_of_the_installed_keras(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from keras.src.initializers.random_initializers import compute_fans
    stored, _, _, _, theirs = KERAS[name]
    assert compute_fans(stored) == theirs


@pytest.mark.parametrize("name", JAX)
def test_the_numbers_are_those_of_the_installed_jax(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import jax
    shape, batch_axes, _, _, theirs = JAX[name]
    for mode, fan in zip(("fan_in", "fan_out"), theirs, strict=True):
        make = jax.nn.initializers.variance_scaling(1.0, mode, "uniform", batch_axis=batch_axes)
        limit = abs(make(jax.random.key(0), shape, "float32")).max()
        assert float(limit) == pytest.approx((3.0 / fan) ** 0.5, rel=0.02)
