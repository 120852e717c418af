"""Layers of real modules under a batch: what is measured, what is named, and that nothing changes."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fanfill as ff
from fanfill import cli

pytestmark = pytest.mark.framework

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import torch
    from torch import nn

    from fanfill.torch import diagnose


def stack(depth: int, initialize: Any, activation: Any = nn.ReLU, width: int = 128) -> Any:
    """Return a deep net whose weights are drawn by a function of fanfill, its biases zero."""
    net = nn.Sequential(*[part for _ in range(depth) for part in (nn.Linear(width, width), activation())])
    for name, parameter in net.named_parameters():
        if parameter.ndim == 2:
            initialize(parameter.data, seed=0, key=name)
        else:
            parameter.data.zero_()
    return net


@pytest.fixture
def batch() -> Any:
    return torch.from_numpy(ff.normal((64, 128), seed=0, key="batch"))


def test_he_is_well_and_glorot_vanishes(batch: Any) -> None:
    assert diagnose(stack(30, ff.he_normal_), batch)
    found = diagnose(stack(30, ff.glorot_normal_), batch)
    assert not found
    weights = [layer for layer in found.layers if layer.kind == "Linear"]
    assert weights[0].faults == ("gradient vanishes",)
    assert weights[-1].faults == ("vanishes",)
    # Amplitudes fall by sqrt(2) a layer: a thousandth is reached after 19.9 of them.
    first = next(at for at, layer in enumerate(weights) if "vanishes" in layer.faults)
    assert 17 <= first <= 24
    assert "he_normal_" in found.suggestion
    assert repr(found).startswith("Diagnosis(Sequential, 60 layers: ")


def test_pooling_over_positions_is_no_fault() -> None:
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4))
    images = torch.from_numpy(ff.normal((4, 3, 66, 66), seed=0, key="images"))
    found = diagnose(net, images)
    assert found, found.table()
    assert found.layers[0].gradient_rms < 0.001 * found.layers[-1].gradient_rms


def test_what_explodes_and_what_saturates(batch: Any) -> None:
    def loud(out: Any, **which: Any) -> None:
        ff.lecun_normal_(out, gain=4.0, **which)

    found = diagnose(stack(8, loud, nn.Identity), batch)
    assert found.faults["14"] == ("explodes",)
    assert found.faults["0"] == ("gradient explodes",)
    saturated = diagnose(stack(3, loud, nn.Tanh), batch)
    assert "saturates" in saturated.faults["5"]
    assert 'gains("tanh")' in saturated.suggestion
    dead = stack(1, ff.he_normal_)
    dead[0].bias.data.fill_(-20.0)
    assert "is dead" in diagnose(dead, batch).faults["1"]


def test_each_number_against_torch(batch: Any) -> None:
    net = stack(2, ff.he_normal_)
    out = net[0](batch).detach().requires_grad_(True)
    result = net[3](net[2](net[1](out))).square().sum()
    result.backward()
    layer = diagnose(net, batch, loss=lambda y: y.square().sum()).layers[0]
    assert (layer.name, layer.kind, layer.shape) == ("0", "Linear", (64, 128))
    assert layer.rms == pytest.approx(float(out.detach().square().mean().sqrt()), rel=1e-5)
    assert layer.mean == pytest.approx(float(out.detach().mean()), abs=1e-5)
    assert layer.gradient_rms == pytest.approx(float(out.grad.square().mean().sqrt()), rel=1e-5)
    weight = out.grad.T @ batch
    assert layer.weight_gradient_rms == pytest.approx(float(weight.square().mean().sqrt()), rel=1e-5)
    assert layer.gain == pytest.approx(math.sqrt(2.0), rel=0.02)
    y = out.detach().double().numpy()
    gram = y @ y.T
    pairs = gram[~np.eye(64, dtype=bool)].mean() / gram.diagonal().mean()
    assert layer.correlation == pytest.approx(pairs, abs=1e-6)


class Branching(nn.Module):
    """Runs in place, twice through one layer, drops, norms, and takes names and integers."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(10, 16)
        self.norm = nn.BatchNorm1d(16)
        self.mix = nn.Linear(16, 16)
        self.relu = nn.ReLU(inplace=True)
        self.drop = nn.Dropout(0.5)
        self.out = nn.Conv1d(16, 4, 3)

    def forward(self, tokens: Any, scale: Any) -> Any:
        x = self.norm(self.table(tokens).transpose(1, 2)).transpose(1, 2) * scale
        for _ in range(2):
            x = self.drop(self.relu(self.mix(x)))
        return {"kept": tokens, "logits": self.out(x.transpose(1, 2))}


def test_nothing_changes() -> None:
    torch.manual_seed(0)
    net = Branching()
    for parameter in net.parameters():
        parameter.grad = torch.ones_like(parameter)
    net.mix.weight.requires_grad_(False)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    state = torch.get_rng_state()
    given = {"tokens": torch.arange(10).reshape(2, 5), "scale": torch.ones(2, 5, 1)}
    found = diagnose(net, given, seed=3)
    assert [layer.name for layer in found.layers] == ["table", "norm", "mix", "relu", "out"]
    assert repr(diagnose(net, given, seed=3).layers) == repr(found.layers)
    assert math.isnan(found.layers[2].weight_gradient_rms)
    assert found.layers[2].gradient_rms > 0.0
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(torch.equal(p.grad, torch.ones_like(p)) for p in net.parameters())
    assert torch.equal(torch.get_rng_state(), state)
    assert net.training
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in net.modules())
    assert not given["scale"].requires_grad


class Frozen(nn.Module):
    """All frozen, behind an embedding: no gradient comes from anywhere but what is measured."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.mix = nn.Embedding(10, 16), nn.Linear(16, 4)
        self.register_buffer("calls", torch.zeros(()))
        self.requires_grad_(False)

    def forward(self, tokens: Any) -> Any:
        self.calls = self.calls + 1.0  # not in place
        return self.mix(torch.relu_(self.table(tokens)))


def test_gradients_reach_what_is_frozen() -> None:
    net = Frozen()
    table, mix = diagnose(net, torch.arange(10)).layers
    assert table.gradient_rms > 0.0
    assert mix.gradient_rms == pytest.approx(1.0, rel=0.5)
    assert math.isnan(mix.weight_gradient_rms)
    assert not any(p.requires_grad for p in net.parameters())
    assert float(net.calls) == 0.0


class Branch(nn.Module):
    """A residual branch that begins at zero, by its last weight or by its norm's."""

    def __init__(self, *, has_norm: bool) -> None:
        super().__init__()
        self.inner, self.outer = nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8) if has_norm else nn.Identity()
        for parameter in (self.norm.weight,) if has_norm else self.outer.parameters():
            parameter.data.zero_()

    def forward(self, x: Any) -> Any:
        return x + self.norm(self.outer(torch.relu(self.inner(x))))


@pytest.mark.parametrize("has_norm", [True, False])
def test_branches_and_heads_that_begin_at_zero_are_no_fault(has_norm: bool) -> None:
    torch.manual_seed(0)
    head = nn.Linear(8, 4)
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), *[Branch(has_norm=has_norm) for _ in range(4)],
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), head,
    )  # fmt: skip
    images = torch.from_numpy(ff.normal((4, 3, 8, 8), seed=0, key="images"))
    found = diagnose(net, images)
    assert found, found.table()
    assert "The weights of 4 layers are zero" in found.suggestion
    head.weight.data.zero_()
    found = diagnose(net, images)
    assert found, found.table()
    assert "The weights of 5 layers are zero" in found.suggestion
    # What is wrong for another reason is still named, and so is a ReLU that zeros stop for good.
    assert "is dead" in diagnose(nn.Sequential(net, nn.ReLU(), nn.Linear(4, 4)), images).faults["1"]
    net[0].weight.data.mul_(1e-6)
    net[0].bias.data.zero_()
    head.weight.data.fill_(1e6)
    assert "explodes" in diagnose(net, images).faults["7"]
    assert diagnose(stack(30, ff.glorot_normal_), ff.normal((64, 128), seed=0)).faults


def test_it_measures_where_gradients_are_off(batch: Any) -> None:
    net, head = nn.Sequential(nn.Embedding(10, 128), nn.Linear(128, 3)), nn.Linear(128, 3)
    expected = repr(diagnose(net, torch.arange(10)).layers)
    for off in (torch.no_grad, torch.inference_mode):
        with off():
            assert repr(diagnose(net, torch.arange(10)).layers) == expected
            assert diagnose(head, batch * 1.0)
    with torch.inference_mode():
        made = torch.arange(10), batch * 1.0
    assert repr(diagnose(net, made[0]).layers) == expected
    assert diagnose(head, made[1])


def test_numpys_seeds_are_seeds(batch: Any) -> None:
    net = nn.Sequential(nn.Dropout(0.5), nn.Linear(128, 3))
    one, same, other = (diagnose(net, batch, seed=np.random.SeedSequence(at)).layers for at in (1, 1, 2))
    assert one == same
    assert one != other
    assert diagnose(net, batch, seed=2**64 - 1)


def test_a_report(tmp_path: Path, batch: Any) -> None:
    net = nn.Sequential()
    net.add_module("a<b", nn.Linear(128, 128))
    net.add_module("then", stack(28, ff.glorot_uniform_))
    found = diagnose(net, batch)
    assert "vanishes" in found.table().splitlines()[-3]
    written = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert written["layers"][0]["name"] == "a<b"
    assert written["layers"][2]["gain"] is None
    for name in ("r.html", "r.png", "r.svg"):
        found.save(tmp_path / name)
    page = (tmp_path / "r.html").read_text()
    assert "a&lt;b" in page
    assert "a<b" not in page
    assert page.count('<tr class="fault">') == len(found.faults)
    assert (tmp_path / "r.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match=r"path must end in \.html, \.png, \.svg"):
        found.save(tmp_path / "r.pdf")


class Sour(nn.Module):
    def forward(self, x: Any) -> Any:
        return x / 0.0 * 0.0


class Asserting(nn.Module):
    def forward(self, x: Any) -> Any:
        assert x.shape[1] == 7, "wants seven"
        return x


class Idle(nn.Module):
    """Has a layer and doesn't run it."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x: Any) -> Any:
        return x * 2.0


class Steep(nn.Module):
    """Gives zeros by a root whose slope there is infinite."""

    def forward(self, x: Any) -> Any:
        return (x * 0.0).sqrt()


@pytest.mark.parametrize(
    ("make", "given", "error", "text"),
    [
        (lambda: nn.Sequential(nn.Linear(4, 3), nn.Linear(4, 2)), (2, 4), ValueError,
         r"batch: layer '1' \(Linear\) refuses an input of shape \(2, 3\)"),
        (lambda: nn.Sequential(nn.Linear(4, 3)), (2, 5), ValueError, r"layer '0' .* shape \(2, 5\)"),
        (lambda: nn.Sequential(nn.Linear(4, 3), Sour(), nn.Tanh()), (2, 4), ValueError,
         r"layer '2' \(Tanh\) gives NaN"),
        (lambda: nn.Flatten(), (2, 4), ValueError, "has no layers"),
        (lambda: nn.Linear(4, 3, device="meta"), (2, 4), ValueError, "'weight' is on the meta device"),
        (lambda: nn.Linear(4, 3), (0, 4), ValueError, "batch is empty"),
        (lambda: nn.Linear(4, 3), (2, 5), ValueError, r"batch: the module \(Linear\) refuses .* \(2, 5\)"),
        (lambda: nn.Sequential(nn.Linear(4, 3), Asserting()), (2, 4), ValueError,
         r"layer '1' \(Asserting\) refuses an input of shape \(2, 3\): wants seven"),
        (lambda: nn.Sequential(nn.LazyLinear(4)), (2, 4), ValueError, "'0.weight' has no shape yet; run"),
        (Idle, (2, 4), ValueError, "no layer of Idle ran"),
        (lambda: nn.Sequential(nn.Linear(4, 3), Steep()), (2, 4), ValueError,
         r"layer '0' \(Linear\): its gradient is NaN"),
        (lambda: 3, (2, 4), TypeError, "must be a torch.nn.Module, not int"),
    ],
)  # fmt: skip
def test_refused(make: Any, given: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        diagnose(make(), torch.ones(given))


def test_other_refusals(batch: Any) -> None:
    net = nn.Linear(128, 2)
    with pytest.raises(ValueError, match="holds NaN"):
        diagnose(net, torch.full((2, 128), math.nan))
    with pytest.raises(ValueError, match=r"holds NaN or infinity in torch\.float32"):
        diagnose(net, np.full((2, 128), 1e300))
    with pytest.raises(ValueError, match="factor must be greater than 1"):
        diagnose(net, batch, factor=1.0)
    with pytest.raises(ValueError, match=r"loss must return a scalar, not a tensor of shape \(64, 2\)"):
        diagnose(net, batch, loss=lambda y: y)
    with pytest.raises(TypeError, match="loss returns no tensor"):
        diagnose(net, batch, loss=lambda y: 1.0)
    with pytest.raises(ValueError, match="loss doesn't depend on any layer's output"):
        diagnose(net, batch, loss=lambda y: torch.zeros((), requires_grad=True))
    with pytest.raises(ValueError, match="loss doesn't depend on any layer's output"):
        diagnose(net, batch, loss=lambda y: y.detach().sum())
    with pytest.raises(ValueError, match="seed"):
        diagnose(net, batch, seed=-1)
    with pytest.raises(TypeError, match="seed"):
        diagnose(net, batch, seed="a")
    with pytest.raises(TypeError, match="must hold numbers"):
        diagnose(net, np.array([["x"]]))


def fanfill(*arguments: Any, folder: Path) -> Any:
    return subprocess.run(
        [sys.executable, "-m", "fanfill", "diagnose", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tiny_net.py").write_text(
        "from torch import nn\nnumber = 3\n"
        "def make():\n    return nn.Sequential(nn.Linear(8, 8), nn.ReLU())\n"
        "def wide(width):\n    return nn.Linear(width, width)\n"
        "def broken():\n    return {}['x']\n"
        "made = make()\n"
    )
    np.save(tmp_path / "b.npy", ff.normal((4, 8), seed=0))
    done = fanfill("tiny_net:make", "--batch", "b.npy", "--out", "r.html", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0].startswith("layer  kind")
    assert done.stdout.endswith("Nothing stands out.\nwrote r.html\n")
    assert (tmp_path / "r.html").exists()
    (tmp_path / "bad.npy").write_text("no array")
    (tmp_path / "bad_net.py").write_text("def (\n")
    (tmp_path / "lost_net.py").write_text("import no_such\n")
    np.save(tmp_path / "wide.npy", ff.normal((4, 9), seed=0))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert cli.main(["diagnose", "tiny_net:make", "--batch", "b.npy", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["layers"][1]["kind"] == "ReLU"
    for arguments, status, text in (
        (("tiny_net:make", "--batch", "b.npy", "--out", "r.html"), 1, "r.html exists already; pass --force"),
        (("tiny_net", "--batch", "b.npy"), 2, "isn't PACKAGE.MODULE:FACTORY"),
        (("tiny_nets:make", "--batch", "b.npy"), 2, "there is no module 'tiny_nets'"),
        (("tiny_net:other", "--batch", "b.npy"), 2, "tiny_net has no 'other'"),
        (("tiny_net:number", "--batch", "b.npy"), 2, "is no function that returns a module, but int"),
        (("tiny_net:made", "--batch", "b.npy"), 2, "is no function that returns a module, but Sequential"),
        (("tiny_net:wide", "--batch", "b.npy"), 1, "calling it raises TypeError: wide() missing 1 required"),
        (("tiny_net:broken", "--batch", "b.npy"), 1, "tiny_net.py, line 8)"),
        (("bad_net:make", "--batch", "b.npy"), 1, "'bad_net:make': importing it raises SyntaxError"),
        (("lost_net:make", "--batch", "b.npy"), 1, "raises ModuleNotFoundError: No module named 'no_such'"),
        (("tiny_net:make", "--batch", "none.npy"), 1, "--batch: none.npy: No such file"),
        (("tiny_net:make", "--batch", "bad.npy"), 1, "isn't an array that numpy.save wrote"),
        (("tiny_net:make", "--batch", "wide.npy"), 1, "layer '0' (Linear) refuses an input of shape (4, 9)"),
        (("tiny_net:make", "--batch", "b.npy", "--out", "r.pdf"), 2, "must end in .html, .png or .svg"),
        (("builtins:list", "--batch", "b.npy"), 1, "must be a torch.nn.Module, not list"),
    ):
        assert cli.main(["diagnose", *arguments]) == status
        said = capsys.readouterr()
        assert said.out == ""
        assert text in said.err
