"""Whole modules: every parameter equals its plan, ties and buffers survive, the rest is refused by name."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest

import fanfill as ff
from fanfill import recipes

pytestmark = pytest.mark.framework

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import torch
    from torch import nn
    from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper

    from fanfill.torch import initialize_, model_of, plan
    from torch_net import Net, assert_as_planned, bits, on_meta, on_meta_but_buffers, refused


# What is filled.


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize("make", [Net, lambda: on_meta(Net)], ids=["host", "meta"])
def test_every_parameter_is_as_planned(make: Any, dtype: torch.dtype) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = on_meta(lambda: Net().to(dtype)) if make is not Net else Net().to(dtype)
    if make is not Net:
        net.steps = torch.zeros((), dtype=torch.int64)
    assert initialize_(net, "torch-default", seed=7) is net
    drawn = plan(net, "torch-default", seed=7)
    assert {spec.dtype for spec in drawn} == {str(dtype).removeprefix("torch.")}
    assert_as_planned(net, drawn)
    assert net.head.weight is net.embed.weight
    assert net.embed.weight[2].eq(0).all()
    assert net.embed.weight[1].ne(0).all()
    assert net.steps.item() == 0


def test_torch_default_agrees_with_the_recipe_by_names() -> None:
    assert plan(Net(), "torch-default") == recipes.find("torch-default").plan(model_of(Net()), seed=0)


def test_mixed_dtypes_and_frozen_parameters() -> None:
    net = on_meta(lambda: nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4)))
    net[0].to(torch.bfloat16)
    net[0].weight.requires_grad_(False)
    initialize_(net, "hf-default", seed=7)
    assert [p.dtype for p in net.parameters()] == [torch.bfloat16] * 2 + [torch.float32] * 2
    assert [p.requires_grad for p in net.parameters()] == [False, True, True, True]
    assert_as_planned(net, plan(net, "hf-default", seed=7))
    assert net[1].weight.eq(1).all()


class Marked(nn.Parameter):
    """A parameter of an engine's own."""


def test_parameters_from_the_meta_device_keep_class_marks_and_hooks() -> None:
    layer = on_meta(lambda: nn.Linear(3, 2))
    layer.weight = Marked(layer.weight.detach())
    layer.weight.engine = "tensor parallel"
    initialize_(layer, "torch-default")
    assert type(layer.weight) is Marked
    assert layer.weight.engine == "tensor parallel"
    assert type(layer.bias) is nn.Parameter


def test_parameters_on_the_host_stay_the_objects_that_they_are() -> None:
    net = Net()
    before = dict(net.named_parameters())
    versions = {name: p._version for name, p in before.items()}
    initialize_(net, "torch-default")
    for name, parameter in net.named_parameters():
        assert parameter is before[name]
        assert parameter._version == versions[name] + 1
        assert parameter.grad_fn is None


def test_fans_are_those_of_the_module_and_not_of_the_shape_alone() -> None:
    net = nn.ModuleDict(
        {
            "grouped": nn.Conv2d(8, 6, 3, groups=2),
            "transposed": nn.ConvTranspose2d(8, 6, 3),
            "both": nn.ConvTranspose1d(8, 6, 5, groups=2),
        }
    )
    found = {name: p.fans[0] for name, p in model_of(net).by_name.items() if name.endswith("weight")}
    assert found == {
        "grouped.weight": ff.Fans(4 * 9, 3 * 9),
        "transposed.weight": ff.Fans(8 * 9, 6 * 9),
        "both.weight": ff.Fans(4 * 5, 3 * 5),
    }
    he = ff.Recipe(
        "he", [(r".*weight", lambda match: ff.Normal(0.0, match.fans.fan_in**-0.5)), (".*", ff.Constant(0.0))]
    )
    assert plan(net, he)["transposed.weight"].law == ff.Normal(0.0, 72**-0.5)
    # torch itself takes the fans of a transposed weight from the wrong axes, and so do the rules of its name.
    by_name = recipes.find("torch-default").plan(model_of(net), seed=0)
    assert by_name == plan(net, "torch-default")
    assert by_name["transposed.bias"].law == ff.Uniform(-(54**-0.5), 54**-0.5)


def test_values_do_not_depend_on_what_else_the_module_holds() -> None:
    small, large = (
        nn.ModuleDict({"fc": nn.Linear(4, 4)}),
        nn.ModuleDict({"a": nn.Linear(9, 9), "fc": nn.Linear(4, 4)}),
    )
    for module in (small, large):
        initialize_(module, "torch-default", seed=3)
    assert small["fc"].weight.equal(large["fc"].weight)


class Engine(nn.Module):
    """As a sharding engine wraps that isn't FSDP1, whose flat pieces are refused."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self._fsdp_wrapped_module = net


def wrappers() -> Iterator[Any]:
    yield "engine", Engine
    yield "compile", lambda net: torch.compile(net, backend="eager")
    yield "DataParallel", nn.DataParallel
    yield "AveragedModel", lambda net: torch.optim.swa_utils.AveragedModel(net)
    yield "checkpoint", lambda net: net.blocks.__setitem__(1, checkpoint_wrapper(net.blocks[1])) or net
    yield "all", lambda net: nn.DataParallel(torch.compile(checkpoint_wrapper(net), backend="eager"))


@pytest.mark.parametrize(("name", "wrap"), list(wrappers()), ids=[name for name, _ in wrappers()])
def test_wrappers_change_no_name_and_no_value(name: str, wrap: Any) -> None:
    drawn = plan(Net(), "torch-default", seed=7)
    wrapped = wrap(Net())
    assert model_of(wrapped).by_name.keys() == {spec.name for spec in drawn}
    assert plan(wrapped, "torch-default", seed=7) == drawn
    assert initialize_(wrapped, "torch-default", seed=7) is wrapped
    raw = [each for each, _ in wrapped.named_parameters()]
    assert raw != list(model_of(wrapped).by_name)
    values = [p for _, p in wrapped.named_parameters()]
    assert [bits(p) for p in values] == [drawn.array(spec.name).tobytes() for spec in drawn]
    initialize_(
        wrapped, "torch-default", seed=8, only=[raw[0]]
    )  # names with the wrappers' parts are known too
    assert bits(values[0]) != drawn.array(drawn.parameters[0].name).tobytes()


def test_a_child_that_is_called_module_is_no_wrapper() -> None:
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.module = nn.Linear(2, 2)

    assert list(model_of(Residual()).by_name) == ["module.weight", "module.bias"]


def test_parameters_that_share_memory_are_tied() -> None:
    net = nn.ModuleDict({"a": nn.Linear(4, 4, bias=False), "b": nn.Linear(4, 4, bias=False)})
    net["b"].weight.data = net["a"].weight.data
    initialize_(net, "torch-default")
    drawn = plan(net, "torch-default")
    assert drawn.parameters[0].tie == ("b.weight",)
    assert bits(net["a"].weight) == bits(net["b"].weight) == drawn.array("a.weight").tobytes()


def test_views_that_overlap_in_part_are_refused_by_name() -> None:
    net = nn.ModuleDict({"a": nn.Linear(4, 4, bias=False), "b": nn.Linear(4, 4, bias=False)})
    base = torch.zeros(6, 4)
    net["a"].weight.data, net["b"].weight.data = base[:4], base[2:]
    refused(
        ValueError, r"parameter 'a.weight' and parameter 'b.weight' overlap in memory", net, "torch-default"
    )


# only=


def test_only_restores_what_a_checkpoint_lacks() -> None:
    whole = initialize_(Net(), "torch-default", seed=7)
    state = whole.state_dict()
    lost = ["blocks.1.up.weight", "head.bias"]
    with torch.no_grad():
        for parameter in whole.parameters():
            parameter.add_(1.0)
    kept = {k: v.clone() for k, v in whole.state_dict().items()}
    net = on_meta(Net)
    missing = net.load_state_dict({k: v for k, v in kept.items() if k not in lost}, strict=False, assign=True)
    net.head.weight = net.embed.weight
    assert set(missing.missing_keys) == set(lost)
    initialize_(net, "torch-default", seed=7, only=missing.missing_keys)
    for name, tensor in net.state_dict().items():
        assert tensor.equal(
            initialize_(Net(), "torch-default", seed=7).state_dict()[name] if name in lost else kept[name]
        )
    assert set(state) == set(net.state_dict())


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (["blocks.1"], {"blocks.1.norm.weight", "blocks.1.norm.bias", "blocks.1.up.weight"}),
        (["blocks.1.norm."], {"blocks.1.norm.weight", "blocks.1.norm.bias"}),
        (["blocks.*.up.bias"], {"blocks.0.up.bias", "blocks.1.up.bias", "blocks.2.up.bias"}),
        (["head.weight"], {"embed.weight"}),
        ([], set()),
    ],
)
def test_only_takes_names_modules_and_patterns(only: list[str], expected: set[str]) -> None:
    names = {spec.name for spec in plan(Net(), "torch-default", only=only)}
    assert expected <= names
    assert len(names) == len(expected) or only == ["blocks.1"]
    net = Net()
    before = {name: bits(p) for name, p in net.named_parameters()}
    initialize_(net, "torch-default", seed=9, only=only)
    drawn = plan(net, "torch-default", seed=9)
    assert_as_planned(net, drawn, names)
    assert all(bits(p) == before[name] for name, p in net.named_parameters() if name not in names)


def test_only_spares_what_the_recipe_has_no_rule_for() -> None:
    net = nn.ModuleDict({"fc": nn.Linear(3, 3)})
    net.scale = nn.Parameter(torch.ones(3))
    refused(ValueError, r"no rule for 1 of the 1 parameters .*: scale$", net, "torch-default")
    initialize_(net, "torch-default", only=["fc"])
    assert net.scale.eq(1).all()


def test_only_refuses_unknown_names() -> None:
    match = r"only names what the module doesn't have: block, hed\*; did you mean 'blocks'\?"
    refused(KeyError, match, Net(), "torch-default", only=["block", "hed*", "head.bias"])
    refused(TypeError, "single str 'head'", Net(), "torch-default", only="head")
    refused(TypeError, "must hold names, not 3", Net(), "torch-default", only=[3])
    refused(TypeError, "only must be an iterable of names, not True", Net(), "torch-default", only=True)


def test_only_leaves_nothing_on_the_meta_device() -> None:
    match = r"only leaves parameters on the meta device, .*: weight$"
    refused(ValueError, match, on_meta(lambda: nn.Linear(2, 2)), "torch-default", only=["bias"])


# Buffers


def test_statistics_are_computed_anew_on_the_meta_device_and_kept_elsewhere() -> None:
    net = on_meta(
        lambda: nn.Sequential(nn.BatchNorm2d(4), nn.InstanceNorm1d(3, affine=True, track_running_stats=True))
    )
    initialize_(net, "torch-default")
    assert net[0].running_var.eq(1).all()
    assert net[0].num_batches_tracked.item() == 0
    assert net[1].running_mean.eq(0).all()
    kept = net[0].running_mean.fill_(5.0)
    initialize_(net, "torch-default")
    assert net[0].running_mean is kept
    assert kept.eq(5).all()
    initialize_(net, "torch-default", only=["0.running_mean"])  # a key that a checkpoint may lack
    assert net[0].running_mean is kept
    assert kept.eq(0).all()


class Rotary(nn.Module):
    def __init__(self, calls: str = "reset_parameters") -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(2))
        self.inner = nn.Linear(2, 2)
        self.register_buffer("freq", torch.ones(4), persistent=False)
        self.calls = calls
        getattr(self, calls)()

    def reset_parameters(self) -> None:
        nn.init.normal_(self.scale)
        self.inner.reset_parameters()
        self.freq.copy_(torch.arange(4.0))

    def rope_init(self) -> None:
        self.freq = torch.arange(4.0) / 2

    def partly(self) -> None:
        self.freq[1:].zero_()

    def drawn(self) -> None:
        self.freq.normal_()


def test_a_buffer_is_computed_by_its_module_and_nothing_else_changes() -> None:
    net = nn.ModuleDict({"a": on_meta(Rotary)})
    net["a"].inner = nn.Linear(2, 2)
    before = net["a"].inner.weight.clone()
    initialize_(net, ff.Recipe("r", [(".*", ff.Constant(2.0))]), only=["a.scale"])
    assert net["a"].freq.tolist() == [0.0, 0.5, 1.0, 1.5]
    assert "freq" not in net.state_dict()
    assert net["a"].inner.weight.equal(before)
    assert net["a"].scale.eq(2).all()


@pytest.mark.parametrize("calls", ["partly", "drawn"])
def test_a_buffer_that_no_module_computes_whole_is_refused_by_name(
    calls: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Rotary, "reset_parameters", getattr(Rotary, calls))
    monkeypatch.delattr(Rotary, "rope_init")
    net = nn.ModuleDict({"a": on_meta(Rotary)})
    match = r"these buffers have no values, and no module says how to compute them: a.freq; assign them"
    refused(ValueError, match, net, ff.Recipe("r", [(".*", ff.Constant(2.0))]))
    net["a"].freq = torch.ones(4)
    initialize_(net, ff.Recipe("r", [(".*", ff.Constant(2.0))]))
    assert net["a"].freq.eq(1).all()


def test_a_buffer_with_values_that_only_names_is_kept_or_refused_by_name() -> None:
    net = nn.ModuleDict({"a": nn.Linear(2, 2)})
    net["a"].register_buffer("mask", torch.ones(3))
    missing = net.load_state_dict({"a.weight": torch.ones(2, 2)}, strict=False).missing_keys
    match = r"only names buffers that no module says how to compute.*: a.mask; leave them out to keep"
    refused(ValueError, match, net, "torch-default", only=missing)
    initialize_(net, "torch-default", only=[name for name in missing if name != "a.mask"])
    assert net["a"].mask.eq(1).all()


# Plans


def test_a_plan_decides_everything() -> None:
    drawn = plan(Net(), "hf-default", seed=11)
    net = initialize_(on_meta_but_buffers(), drawn)
    assert_as_planned(net, drawn)
    initialize_(net, drawn, seed=11)
    refused(ValueError, "seed is 12 and the plan has 11; leave seed away", net, drawn, seed=12)


def test_a_plan_may_name_buffers() -> None:
    net = on_meta(lambda: nn.ModuleDict({"bn": nn.BatchNorm1d(3)}))
    specs = [ff.ParamSpec(f"bn.{own}", (3,), ff.Constant(at)) for at, own in enumerate(("weight", "bias"))]
    statistic = ff.ParamSpec("bn.running_var", (3,), ff.Constant(4.0), buffer=True)
    initialize_(net, ff.Plan([*specs, statistic], seed=0))
    assert net["bn"].running_var.eq(4).all()
    assert net["bn"].running_mean.eq(0).all()
    assert not isinstance(net["bn"].running_var, nn.Parameter)


def test_a_plan_that_is_not_the_modules_is_refused() -> None:
    specs = plan(Net(), "torch-default").parameters
    wrong = [
        ff.ParamSpec("head.bias", (9,), ff.Normal()),
        ff.ParamSpec("blocks.0.up.bias", (10,), ff.Normal(), dtype="bfloat16"),
    ]
    names = {spec.name for spec in wrong}
    rest = [spec for spec in specs if spec.name not in names]
    match = (
        r"2 of the plan's parameters .*up.bias is torch.float32 and the plan says bfloat16; "
        r"head.bias has shape \(7,\)"
    )
    refused(ValueError, match, on_meta_but_buffers(), ff.Plan([*rest, *wrong], seed=0))
    refused(
        KeyError, r"the plan lacks parameters .*'blocks.0.up.bias', 'head.bias'", Net(), ff.Plan(rest, seed=0)
    )
    extra = ff.ParamSpec("tail", (2,), ff.Normal())
    refused(
        KeyError,
        r"the plan has names that the module doesn't know: \['tail'\]",
        Net(),
        ff.Plan([*specs, extra], seed=0),
    )
    twice = ff.ParamSpec("head.weight", (7, 6), ff.Normal())
    untied = [ff.ParamSpec(s.name, s.shape, s.law) for s in specs]
    refused(ValueError, "which the module ties to one tensor", Net(), ff.Plan([*untied, twice], seed=0))
    initialize_(Net(), ff.Plan([*specs, extra], seed=0), only=["head.bias"])
