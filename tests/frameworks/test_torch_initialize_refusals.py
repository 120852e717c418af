"""Which recipe a module gets, and what is refused before anything is written."""

from __future__ import annotations

import copy
import math
import warnings
from typing import Any

import numpy as np
import pytest

import fanfill as ff
from fanfill import recipes

pytestmark = pytest.mark.framework

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import torch
    from torch import nn

    from fanfill.torch import initialize_, model_of, plan
    from torch_net import Net, assert_as_planned, bits, everything, on_meta, on_meta_but_buffers, refused


# Recipes


def test_without_a_recipe_the_choice_is_the_callers() -> None:
    refused(
        ValueError, "recipe: the module is no model of transformers.*'torch-default'.*'hf-default'", Net()
    )
    refused(
        ValueError, "unknown recipe 'torch-defualt', did you mean 'torch-default'", Net(), "torch-defualt"
    )
    refused(TypeError, "recipe must be a Recipe, the name of one, or a Plan, not int", Net(), 3)
    with pytest.raises(TypeError, match=r"module must be a torch\.nn\.Module, not builtins\.dict"):
        initialize_({}, "torch-default")  # type: ignore[type-var]


def test_depth_and_width_are_found_or_given() -> None:
    model = model_of(Net())
    assert (model.depth, model.width) == (3, 6)
    assert (model_of(Net(), depth=48, width=9).depth, model_of(Net(), width=9).width) == (48, 9)
    deep = ff.Recipe("deep", [(".*", lambda match: ff.Constant(float(match.depth)))])
    assert initialize_(Net(), deep, depth=48).head.bias.eq(48).all()


def test_classes_decide_where_names_tell_nothing() -> None:
    def make() -> nn.Module:
        return nn.Sequential(
            nn.Embedding(10, 4, padding_idx=0),
            nn.RMSNorm(4),
            nn.Conv2d(8, 4, 3, groups=2),
            nn.ConvTranspose1d(6, 4, 5, groups=2),
            nn.BatchNorm2d(4, affine=True),
            nn.MultiheadAttention(8, 2, add_bias_kv=True),
            nn.MultiheadAttention(8, 2, kdim=4, vdim=6),
            nn.LSTM(4, 6, bidirectional=True, proj_size=3),
            nn.GRUCell(4, 6),
            nn.Bilinear(3, 4, 5),
            nn.PReLU(),
            nn.Transformer(8, 2, 1, 1, 16, batch_first=True),
        )

    torch.manual_seed(0)
    drawn = plan(make(), "torch-default")
    sums: dict[str, list[float]] = {}
    for _ in range(
        100
    ):  # what torch itself draws has the same standard deviation and never leaves the bounds
        for name, parameter in make().named_parameters():
            sums.setdefault(name, []).append(parameter.detach().double().square().sum().item())
            law = drawn[name].law
            if isinstance(law, ff.Uniform):
                assert parameter.abs().max() <= law.high * (1 + 2**-22), name
    for spec in drawn:
        mean_square = np.mean(sums[spec.name]) / spec.numel
        drawn_rows = 1 - (spec.padding_row is not None) / spec.shape[0]
        expected = drawn_rows * {
            ff.Uniform: lambda law: law.high**2 / 3,
            ff.Normal: lambda law: law.std**2,
            ff.Constant: lambda law: law.value**2,
        }[type(spec.law)](spec.law)
        tolerance = 6 * np.sqrt(2 / (100 * spec.numel))
        assert mean_square == pytest.approx(expected, rel=tolerance), spec.name


class Own(nn.Linear):
    """A linear module with a rule of its own."""

    def reset_parameters(self) -> None:
        nn.init.trunc_normal_(self.weight, std=0.02)
        nn.init.zeros_(self.bias)
        torch.randn(3)


class Outer(nn.Module):
    """Draws anew what is inside of it, and a parameter that no pattern knows."""

    def __init__(self) -> None:
        super().__init__()
        self.plain, self.own = nn.Linear(4, 4), Own(4, 3)
        self.table = nn.Parameter(torch.empty(5, 4))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.normal_(self.table, 1.0, 2.0)
        nn.init.constant_(self.own.bias, 0.5)


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_a_rule_of_the_modules_own_is_watched(device: str) -> None:
    with torch.device(device):
        net = Outer()
    before, state = everything(net), torch.get_rng_state()
    laws = {spec.name: spec.law for spec in plan(net, "torch-default")}
    assert everything(net) == before
    assert torch.get_rng_state().equal(state)
    assert laws == {
        "table": ff.Normal(1.0, 2.0),
        "plain.weight": ff.Uniform(-0.5, 0.5),
        "plain.bias": ff.Uniform(-0.5, 0.5),
        "own.weight": ff.TruncatedNormal(0.0, 0.02, (-2.0, 2.0), "absolute"),
        "own.bias": ff.Constant(0.5),
    }


@pytest.mark.parametrize(
    "reset",
    [
        lambda own: nn.init.orthogonal_(own.weight),
        lambda own: nn.init.eye_(own.weight),
        lambda own: nn.init.sparse_(own.weight, 0.5),
        lambda own: own.weight.data.copy_(torch.eye(4)),
        lambda own: own.weight.data[0].zero_(),
        lambda own: own.weight.data.div_(float(own.weight.norm())),
        lambda own, std: own.weight.data.normal_(std=std),
    ],
    ids=["orthogonal_", "eye_", "sparse_", "copy_", "a part", "of values", "of an argument"],
)
def test_what_a_rule_of_the_modules_own_computes_is_refused(
    reset: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = nn.ModuleDict({"own": Own(4, 4)})
    monkeypatch.setattr(Own, "reset_parameters", reset)
    match = r"a reset_parameters of the module's computes the values of .*: own.weight"
    refused(ValueError, match, net, "torch-default")


def test_unknown_vectors_are_not_guessed_at() -> None:
    class Gate(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(3))

    refused(
        ValueError,
        r"doesn't know the classes .*: gate.weight$",
        nn.ModuleDict({"gate": Gate()}),
        "torch-default",
    )


# What is refused.


def test_integers_bools_and_sparse_parameters_are_refused_by_name() -> None:
    def with_parameter(tensor: torch.Tensor) -> nn.Module:
        net = Net()
        net.extra = nn.Parameter(tensor, requires_grad=False)
        return net

    recipe = ff.Recipe("r", [(".*", ff.Constant(1.0))])
    for dtype in (torch.int8, torch.bool, torch.complex64):
        for device in ("cpu", "meta"):
            net = with_parameter(torch.zeros(3, dtype=dtype, device=device))
            refused(TypeError, rf"leave them out by only=: extra \({dtype}\)$", net, recipe)
    initialize_(with_parameter(torch.zeros(3, dtype=torch.int8)), recipe, only=["head"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sparse = with_parameter(torch.eye(3).to_sparse())
    refused(TypeError, r"parameter 'extra' is not dense but has layout torch\.sparse_coo", sparse, recipe)


def test_lazy_expanded_and_freed_parameters_are_refused_by_name() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lazy = nn.Sequential(nn.LazyLinear(4))
    with pytest.raises(ValueError, match=r"'0.weight' is lazy and has no shape yet; run the module once"):
        initialize_(lazy, "torch-default")
    net = Net()
    net.head.bias = nn.Parameter(torch.zeros(1).expand(7))
    refused(ValueError, r"parameter 'head.bias' has stride 0", net, "torch-default")


def test_a_bias_finds_its_weight_where_that_is_tied() -> None:
    model = model_of(Net())
    bound = 1 / math.sqrt(6)
    assert recipes.find("torch-default").plan(model, seed=0)["head.bias"].law == ff.Uniform(-bound, bound)


def test_wrong_arguments_are_refused_before_anything_is_written() -> None:
    for make in (Net, on_meta_but_buffers, lambda: on_meta(lambda: nn.BatchNorm1d(3))):
        refused(ValueError, "threads", make(), "torch-default", threads=0)
        refused(ValueError, "seed", make(), "torch-default", seed=-1)
        refused(ValueError, "depth", make(), "torch-default", depth=0)


def test_an_interrupted_fill_leaves_the_meta_device_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    from fanfill.torch import initialize

    monkeypatch.setattr(initialize, "fill_jobs_", interrupt)
    net = on_meta(lambda: nn.BatchNorm1d(3))
    with pytest.raises(KeyboardInterrupt):
        initialize_(net, "torch-default")
    assert net.weight.is_meta
    assert net.running_mean.is_meta


def test_tensors_that_wrap_others_are_refused() -> None:
    class Quantized(torch.Tensor):
        @staticmethod
        def __new__(cls, data: torch.Tensor) -> torch.Tensor:
            return torch.Tensor._make_wrapper_subclass(cls, data.shape, dtype=data.dtype, device=data.device)

        def __init__(self, data: torch.Tensor) -> None:
            self.data_of = data

        def __tensor_flatten__(self) -> tuple[list[str], None]:
            return ["data_of"], None

        @classmethod
        def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if func is torch.ops.aten.detach.default:
                return cls(args[0].data_of)
            raise NotImplementedError(func)

    for device in ("cpu", "meta"):
        net = nn.ModuleDict({"fc": nn.Linear(2, 2)})
        net["fc"].weight = nn.Parameter(Quantized(torch.zeros(2, 2, device=device)))
        with pytest.raises(TypeError, match=r"parameter 'fc.weight' is a .*Quantized"):
            initialize_(net, "torch-default")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own quantized tensors are on their way out
        packed = torch.quantize_per_tensor(torch.zeros(2, 2), 1.0, 0, torch.qint8)
    net["fc"]._parameters["weight"] = nn.Parameter(packed, requires_grad=False)
    with pytest.raises(TypeError, match=r"leave them out by only=: fc.weight \(torch.qint8\)"):
        initialize_(net, "torch-default")


def test_inside_other_modes() -> None:
    from fanfill.torch import accelerate

    drawn = plan(Net(), "torch-default", seed=7)
    net, other = on_meta_but_buffers(), on_meta_but_buffers()
    with accelerate(seed=0) as report:
        assert_as_planned(initialize_(net, "torch-default", seed=7), drawn)
    assert (report.calls, report.passed_on) == (0, ())  # the two don't meet
    with torch.device("meta"):
        assert_as_planned(initialize_(other, "torch-default", seed=7), drawn)
    with torch.inference_mode():
        assert_as_planned(initialize_(Net(), "torch-default", seed=7), drawn)


def test_flat_engines_are_refused() -> None:
    net = Net()
    net.head.bias.ds_shape = (7,)
    refused(
        TypeError,
        r"module: DeepSpeed ZeRO-3 holds its parameters as flat pieces; .*Region.flat",
        net,
        "torch-default",
    )

    class FullyShardedDataParallel(nn.Module):  # as the class of that name is seen, without a process group
        def __init__(self) -> None:
            super().__init__()
            self._fsdp_wrapped_module = nn.Linear(2, 2)

    refused(
        TypeError, "module: FSDP1 holds its parameters as flat", FullyShardedDataParallel(), "torch-default"
    )


def test_the_meta_device_is_no_place_to_put_values() -> None:
    refused(ValueError, "device: the meta device has no memory", Net(), "torch-default", device="meta")
    refused(RuntimeError, "device: Expected one of cpu", Net(), "torch-default", device="nowhere")
    refused(TypeError, "device: ", Net(), "torch-default", device=1.5)


def test_threads_change_nothing() -> None:
    one, two = (initialize_(copy.deepcopy(Net()), "torch-default", threads=n) for n in (1, 2))
    assert [bits(p) for p in one.parameters()] == [bits(p) for p in two.parameters()]
