"""Layer-sequential unit variance: every layer at variance 1, whatever its activation, and no other moved."""

from __future__ import annotations

import math
import warnings
from typing import Any

import pytest

import fanfill as ff

pytestmark = pytest.mark.framework

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import torch
    from torch import nn

    from fanfill.torch import lsuv_


def variances(net: Any, batch: Any) -> dict[str, float]:
    found: dict[str, float] = {}

    def record(name: str) -> Any:
        def hook(_: Any, __: Any, output: Any) -> None:
            found[name] = float(output.var())

        return hook

    handles = [
        each.register_forward_hook(record(name))
        for name, each in net.named_modules()
        if isinstance(each, (nn.Linear, nn.Conv2d))
    ]
    with torch.no_grad():
        net(batch)
    for handle in handles:
        handle.remove()
    return found


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, padding=1)
        self.inner = nn.ModuleList(
            nn.Conv2d(16, 16, 3, padding=1, groups=1 + at) for at in range(4) if at != 2
        )
        self.norm = nn.BatchNorm2d(16)
        self.head = nn.Linear(16, 5)

    def forward(self, x: Any) -> Any:
        x = self.norm(self.stem(x))
        for layer in self.inner:
            x = x + torch.tanh(layer(x))
        return self.head(x.mean(dim=(2, 3)))


@pytest.mark.parametrize("activation", [nn.ReLU, nn.GELU, nn.Sigmoid, nn.Tanh, nn.Softplus])
def test_unit_variance_behind_any_activation(activation: Any) -> None:
    net = nn.Sequential(*[part for _ in range(20) for part in (nn.Linear(96, 96), activation())])
    batch = torch.from_numpy(ff.normal((256, 96), seed=0, key="batch"))
    assert lsuv_(net, batch, seed=7) is net
    assert all(abs(each - 1.0) < 0.02 for each in variances(net, batch).values())
    weight = net[2].weight.detach()
    scaled = weight @ weight.T / weight.square().sum(dim=1).mean()
    assert torch.allclose(scaled, torch.eye(96), atol=1e-5)  # still orthogonal
    assert not net[2].bias.any()
    again = nn.Sequential(*[part for _ in range(20) for part in (nn.Linear(96, 96), activation())])
    lsuv_(again, batch, seed=7)
    assert torch.equal(again[4].weight, net[4].weight)


def test_a_convolutional_net_with_branches_norms_and_groups() -> None:
    net = Residual()
    before = {name: value.clone() for name, value in net.state_dict().items() if "norm" in name}
    state = torch.get_rng_state()
    batch = torch.from_numpy(ff.normal((64, 3, 8, 8), seed=0, key="batch"))
    lsuv_(net, batch)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items() if name in before)
    assert torch.equal(torch.get_rng_state(), state)
    found = variances(net, batch)
    assert len(found) == 5
    assert all(abs(each - 1.0) < 0.021 for each in found.values())


def test_only_layers_that_run_and_may_change_are_touched() -> None:
    net = nn.TransformerEncoderLayer(16, 2, dropout=0.0)  # whose attention reads out_proj and never calls it
    net.linear1.requires_grad_(False)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    batch = torch.from_numpy(ff.normal((6, 64, 16), seed=0, key="batch"))
    lsuv_(net, batch)
    changed = {name for name, value in net.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"linear2.weight", "linear2.bias"}
    assert variances(net, batch)["linear2"] == pytest.approx(1.0, abs=0.03)
    assert not net.linear1.weight.requires_grad


def test_a_weight_of_several_layers() -> None:
    batch = torch.from_numpy(ff.normal((256, 16), seed=0, key="batch"))
    net = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 16))
    net[2].weight = net[0].weight
    lsuv_(net, batch)
    assert net[2].weight is net[0].weight
    assert variances(net, batch)["0"] == pytest.approx(1.0, abs=0.03)  # the first that runs
    assert variances(net, batch)["4"] == pytest.approx(1.0, abs=0.03)


class Language(nn.Module):
    """A head that is an embedding's table, as language models have."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.mix, self.head = (
            nn.Embedding(32, 16),
            nn.Linear(16, 16),
            nn.Linear(16, 32, bias=False),
        )
        self.head.weight = self.table.weight

    def forward(self, tokens: Any) -> Any:
        return self.head(torch.tanh(self.mix(self.table(tokens))))


def test_an_embedding_stays_though_a_head_shares_it() -> None:
    net = Language()
    before = net.table.weight.detach().clone()
    lsuv_(net, torch.arange(32).reshape(4, 8))
    assert torch.equal(net.table.weight, before)
    assert variances(net, torch.arange(32).reshape(4, 8))["mix"] == pytest.approx(1.0, abs=0.03)


def test_gpt2s_conv1d_is_a_linear_layer() -> None:
    class Conv1D(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight, self.bias = nn.Parameter(torch.ones(16, 48)), nn.Parameter(torch.ones(48))

        def forward(self, x: Any) -> Any:
            return x @ self.weight + self.bias

    net, batch = Conv1D(), torch.from_numpy(ff.normal((256, 16), seed=0, key="batch"))
    out = lsuv_(net, batch)(batch)
    assert float(out.detach().var()) == pytest.approx(1.0, abs=0.03)
    assert not net.bias.any()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_other_element_types(dtype: Any) -> None:
    net = nn.Sequential(*[part for _ in range(5) for part in (nn.Linear(64, 64), nn.ReLU())]).to(dtype)
    net.eval()
    batch = torch.from_numpy(ff.normal((256, 64), seed=0, key="batch"))
    with torch.inference_mode():
        lsuv_(net, batch)
    assert all(each == pytest.approx(1.0, abs=0.03) for each in variances(net, batch.to(dtype)).values())
    assert net[0].weight.dtype == dtype
    assert net[0].weight.requires_grad
    assert not net.training


class Looks(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.never = nn.Linear(4, 4)

    def forward(self, x: Any) -> Any:
        return x


@pytest.mark.parametrize(
    ("make", "batch", "text"),
    [
        (
            lambda: nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4)),
            torch.zeros(8, 4),
            "layer '0' .* is constant",
        ),
        (lambda: nn.Sequential(nn.Linear(4, 4), nn.Linear(3, 4)), torch.rand(8, 4), "layer '1' .* refuses"),
        (lambda: nn.Sequential(nn.Linear(4, 4)), torch.full((8, 4), math.inf), "holds NaN or infinity"),
        (Looks, torch.rand(8, 4), "no linear or convolutional layer of Looks ran"),
        (lambda: nn.Linear(4, 4).requires_grad_(False), torch.rand(8, 4), "of Linear ran that isn't frozen"),
        (lambda: nn.Linear(4, 1), torch.rand(1, 4), r"the module \(Linear\): its output is constant"),
        (
            lambda: nn.utils.parametrizations.weight_norm(nn.Linear(4, 4)),
            torch.rand(8, 4),
            r"the module \(ParametrizedLinear\): its weight is made of other parameters",
        ),
    ],
)
def test_refused_and_left_as_it_was(make: Any, batch: Any, text: str) -> None:
    net = make()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with pytest.raises(ValueError, match=text):
        lsuv_(net, batch)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert not any(part._forward_hooks for part in net.modules())


def test_what_never_settles_is_named() -> None:
    class Noisy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 4)
            self.calls = 0

        def forward(self, x: Any) -> Any:
            self.calls += 1
            return self.layer(x * self.calls)

    with pytest.raises(ValueError, match=r"layer 'layer' .* after 3 passes; give more passes"):
        lsuv_(Noisy(), torch.rand(8, 4), passes=3)
    for keywords, text in (({"tolerance": 0.0}, "tolerance must be"), ({"passes": 0}, "passes must be")):
        with pytest.raises(ValueError, match=text):
            lsuv_(nn.Linear(4, 4), torch.rand(8, 4), **keywords)
