"""fanfill.torch.init beside torch.nn.init: the same signatures and laws, and where the values come from."""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fanfill as ff
from fanfill.dtype import DTYPES

pytestmark = pytest.mark.framework

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import torch

    from fanfill.torch import init

NAMES = [dtype.name for dtype in DTYPES]
OF_TORCH = [name for name in torch.nn.init.__all__ if name.endswith("_") or name == "calculate_gain"]
WITHOUT_VALUES = {"calculate_gain", "constant_", "dirac_", "eye_", "ones_", "zeros_"}
RANDOM = [name for name in OF_TORCH if name not in WITHOUT_VALUES]
SHAPE = (120, 10, 5, 5)  # fans 250 and 3000

# Function, its arguments, and the law that they stand for with the fans of SHAPE.
CALLS: list[tuple[str, dict[str, Any], ff.Law]] = [
    ("uniform_", {}, ff.Uniform(0, 1)),
    ("uniform_", {"a": -2.0, "b": 0.5}, ff.Uniform(-2, 0.5)),
    ("normal_", {}, ff.Normal()),
    ("normal_", {"mean": 1.0, "std": 0.02}, ff.Normal(1, 0.02)),
    ("trunc_normal_", {}, ff.TruncatedNormal(unit="absolute")),
    ("trunc_normal_", {"std": 0.02}, ff.TruncatedNormal(std=0.02, unit="absolute")),
    ("trunc_normal_", {"a": 0.5, "b": 4.0}, ff.TruncatedNormal(bounds=(0.5, 4), unit="absolute")),
    ("xavier_uniform_", {}, ff.Uniform(-math.sqrt(6 / 3250), math.sqrt(6 / 3250))),
    ("xavier_uniform_", {"gain": 2.0}, ff.Uniform(-2 * math.sqrt(6 / 3250), 2 * math.sqrt(6 / 3250))),
    ("xavier_normal_", {"gain": 0.5}, ff.Normal(std=0.5 * math.sqrt(2 / 3250))),
    ("kaiming_uniform_", {"a": math.sqrt(5)}, ff.Uniform(-math.sqrt(1 / 250), math.sqrt(1 / 250))),
    ("kaiming_uniform_", {"mode": "fan_out"}, ff.Uniform(-math.sqrt(6 / 3000), math.sqrt(6 / 3000))),
    ("kaiming_normal_", {}, ff.Normal(std=math.sqrt(2 / 250))),
    ("kaiming_normal_", {"nonlinearity": "tanh"}, ff.Normal(std=5 / 3 / math.sqrt(250))),
    ("kaiming_normal_", {"nonlinearity": "selu", "mode": "FAN_OUT"}, ff.Normal(std=0.75 / math.sqrt(3000))),
]


def bits(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy()


def same(left: torch.Tensor, right: torch.Tensor) -> bool:
    return np.array_equal(bits(left), bits(right))


def kolmogorov_smirnov(left: torch.Tensor, right: torch.Tensor) -> float:
    """The statistic of two samples over its scale: 1.95 at most in 999 of 1000 pairs of one law."""
    a, b = (np.sort(each.detach().double().flatten().numpy()) for each in (left, right))
    both = np.concatenate([a, b])
    distance = np.abs(
        np.searchsorted(a, both, "right") / len(a) - np.searchsorted(b, both, "right") / len(b)
    ).max()
    return float(distance * math.sqrt(len(a) * len(b) / (len(a) + len(b))))


def test_every_function_of_torch_is_here_and_no_other() -> None:
    # torch's other names are old spellings that warn.
    assert sorted(init.__all__) == sorted(OF_TORCH)


@pytest.mark.parametrize("name", OF_TORCH)
def test_signature_is_torchs_with_seed_and_key_behind(name: str) -> None:
    own = list(inspect.signature(getattr(init, name)).parameters.values())
    theirs = list(inspect.signature(getattr(torch.nn.init, name)).parameters.values())
    shown = [(each.name, each.kind, each.default) for each in own]
    expected = [(each.name, each.kind, each.default) for each in theirs]
    if name in RANDOM:
        expected += [(extra, inspect.Parameter.KEYWORD_ONLY, None) for extra in ("seed", "key")]
    assert shown == expected
    assert getattr(init, name).__name__ == name
    assert (getattr(init, name) is getattr(torch.nn.init, name)) == (name in WITHOUT_VALUES)


def test_what_draws_nothing_is_torchs() -> None:
    assert init.calculate_gain("leaky_relu", 0.2) == torch.nn.init.calculate_gain("leaky_relu", 0.2)
    assert init.eye_(torch.empty(2, 2, dtype=torch.int64)).tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize(("name", "arguments", "law"), CALLS)
def test_named_values_are_those_of_the_law(name: str, arguments: dict[str, Any], law: ff.Law) -> None:
    for dtype in NAMES:
        out = torch.empty(SHAPE, dtype=getattr(torch, dtype))
        assert getattr(init, name)(out, **arguments, seed=7, key="w") is out
        if name in ("uniform_", "normal_", "trunc_normal_") or dtype == "float32":
            # Elsewhere the parameters may differ from those above in the last place.
            assert_close = same if name in ("uniform_", "normal_", "trunc_normal_") else torch.allclose
            assert assert_close(out, ff.fill_(torch.empty_like(out), law, seed=7, key="w"))


@pytest.mark.parametrize(("name", "arguments", "law"), CALLS)
def test_law_is_torchs_own(name: str, arguments: dict[str, Any], law: ff.Law) -> None:
    own = getattr(init, name)(torch.empty(SHAPE), **arguments, seed=11, key=name)
    theirs = torch.empty(SHAPE)
    getattr(torch.nn.init, name)(theirs, **arguments, generator=torch.Generator().manual_seed(11))
    assert kolmogorov_smirnov(own, theirs) < 1.95
    half = own.flatten()[::2]
    assert kolmogorov_smirnov(half, half * 1.1 + 0.05 * float(half.std())) > 1.95  # it could fail


@pytest.mark.parametrize("name", RANDOM)
def test_manual_seed_governs_what_is_not_named(name: str) -> None:
    arguments = {"sparsity": 0.5} if name == "sparse_" else {}

    def draw() -> torch.Tensor:
        out: torch.Tensor = getattr(init, name)(torch.empty(8, 6), **arguments)
        return out

    torch.manual_seed(3)
    first, second = draw(), draw()
    torch.manual_seed(3)
    again = draw()
    torch.manual_seed(4)
    other = draw()
    assert same(first, again)
    assert not same(first, second)
    assert not same(first, other)


@pytest.mark.parametrize("name", RANDOM)
def test_generator_gives_the_seed_and_no_other_advances(name: str) -> None:
    arguments = {"sparsity": 0.5} if name == "sparse_" else {}
    generator = torch.Generator().manual_seed(9)
    before = torch.get_rng_state()
    out = getattr(init, name)(torch.empty(8, 6), **arguments, generator=generator)
    assert torch.equal(before, torch.get_rng_state())
    # As documented: 64 bits of the generator are the seed, and the key is 0.
    word = torch.empty((), dtype=torch.int64).random_(
        -(2**63), None, generator=torch.Generator().manual_seed(9)
    )
    named = getattr(init, name)(torch.empty(8, 6), **arguments, seed=int(word) % 2**64, key=0)
    assert same(out, named)
    assert not torch.equal(generator.get_state(), torch.Generator().manual_seed(9).get_state())


def test_seeds_from_a_generator_have_all_64_bits() -> None:
    from fanfill.torch.generator import generator_seed

    generator = torch.Generator().manual_seed(0)
    seeds = [generator_seed(generator) for _ in range(64)]
    assert all(0 <= seed < 2**64 for seed in seeds)
    for bit in range(64):
        assert len({seed >> bit & 1 for seed in seeds}) == 2


def test_seed_may_be_a_seed_sequence_and_key_a_number() -> None:
    sequence = np.random.SeedSequence(5)
    seed = int(sequence.generate_state(1, "uint64")[0])
    assert same(
        init.normal_(torch.empty(9), seed=sequence, key=3), init.normal_(torch.empty(9), seed=seed, key=3)
    )


def test_values_do_not_depend_on_threads_or_strides() -> None:
    plain = init.trunc_normal_(torch.empty(300, 500), seed=1, key="w")
    before = ff.get_num_threads()
    try:
        for threads in (1, 3):
            ff.set_num_threads(threads)
            out = torch.zeros(500, 600).t()[::2]
            assert same(init.trunc_normal_(out, seed=1, key="w"), plain)
    finally:
        ff.set_num_threads(before)


@pytest.mark.parametrize("call", [init.uniform_, init.trunc_normal_])
def test_equal_bounds_fill_that_value(call: Callable[..., torch.Tensor]) -> None:
    # torch itself does so for both.
    assert call(torch.zeros(3), a=1.5, b=1.5, seed=0, key=0).tolist() == [1.5] * 3


def test_numbers_may_be_tensors_without_dimensions() -> None:
    out = init.normal_(torch.empty(5), torch.tensor(1.0), torch.tensor(2.0), seed=0, key=0)
    assert same(out, init.normal_(torch.empty(5), 1.0, 2.0, seed=0, key=0))


def test_bounds_of_the_truncated_law_hold_in_narrow_dtypes() -> None:
    # 0.3 and 0.7 are no bfloat16, and torch rounds the bounds themselves.
    out = init.trunc_normal_(
        torch.empty(4096, dtype=torch.bfloat16), 0.5, 1.0, 0.3, 0.7, seed=0, key=0
    ).double()
    assert out.min() >= 0.3
    assert out.max() <= 0.7
