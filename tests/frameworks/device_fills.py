"""Tensors on other devices, shown on a stand-in that torch takes for one: its memory only copies can reach.

Copies can be held back until the host waits for them, as a device's are that runs beside the host. The device
is registered for the whole process, so `test_torch_device` runs these tests in one of their own.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest

import fanfill as ff

pytestmark = pytest.mark.framework

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import torch
    from torch import nn
    from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

    from fanfill.torch import device, fill_, initialize_, plan

ATEN = torch.ops.aten


class OnDevice(torch.Tensor):
    """A tensor whose memory only `copy_` can reach."""

    memory: torch.Tensor

    @staticmethod
    def __new__(cls, memory: torch.Tensor) -> OnDevice:
        made = torch.Tensor._make_wrapper_subclass(
            cls, memory.shape, strides=memory.stride(), dtype=memory.dtype, device="standin:0"
        )
        made.memory = memory
        return made

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in (ATEN.detach.default, ATEN.slice.Tensor, ATEN.alias.default, ATEN.as_strided.default):
            return cls(func(args[0].memory, *args[1:]))
        if func is ATEN.copy_.default:
            target, source, *rest = args
            # The source is read when the copy runs, and not when it is asked for.
            Backend.copy(lambda: target.memory.copy_(source), bool(rest) and rest[0])
            return target
        raise NotImplementedError(f"{func} on a stand-in")


class Backend:
    """What torch asks of a device's module, and a queue of copies."""

    held_back: ClassVar[list[Callable[[], object]] | None] = None

    @classmethod
    def copy(cls, copy: Callable[[], object], is_non_blocking: bool) -> None:
        if cls.held_back is not None and is_non_blocking:
            cls.held_back.append(copy)
        else:
            copy()

    class Event:
        def record(self, stream: str) -> None:
            assert stream == "the stream of standin:0"
            self.copies, Backend.held_back = Backend.held_back or [], []

        def synchronize(self) -> None:
            for copy in self.copies:
                copy()

    def current_stream(self, where: torch.device) -> str:
        return f"the stream of {where}"

    def is_initialized(self) -> bool:
        return True

    def is_available(self) -> bool:
        return True

    def _is_in_bad_fork(self) -> bool:
        return False

    def current_device(self) -> int:
        return 0

    def device_count(self) -> int:
        return 1


_setup_privateuseone_for_python_backend("standin", backend_module=Backend())


@torch.library.impl("aten::empty_strided", "privateuseone")
def empty_strided(size: Any, stride: Any, *, dtype: torch.dtype, **_: Any) -> OnDevice:
    return OnDevice(torch.empty_strided(size, stride, dtype=dtype, device="cpu"))


@torch.library.impl("aten::empty.memory_format", "privateuseone")
def empty(size: Any, *, dtype: torch.dtype, **_: Any) -> OnDevice:
    return OnDevice(torch.empty(size, dtype=dtype, device="cpu"))


@pytest.fixture(params=["blocking", "beside the host"])
def copies(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small chunks; copies at once, or only when the host waits for the event that follows them."""
    monkeypatch.setattr(device, "CHUNK_BYTES", 256)
    if request.param != "blocking":
        monkeypatch.setattr(Backend, "held_back", [])
        monkeypatch.setattr(
            device, "_host_memory", lambda size, _: (torch.empty(size, dtype=torch.uint8), True)
        )


def bits(tensor: torch.Tensor) -> bytes:
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


@pytest.mark.parametrize("name", ["float32", "float64", "bfloat16", "float8_e4m3fn"])
@pytest.mark.parametrize("shape", [(), (5,), (0, 4), (40, 7), (3, 1000), (2, 3, 101)])
def test_a_device_gets_the_bits_of_the_host(shape: tuple[int, ...], name: str, copies: None) -> None:
    tensor = OnDevice(torch.zeros(shape, dtype=getattr(torch, name)))
    assert fill_(tensor, ff.Normal(), seed=7, key="w") is tensor
    assert bits(tensor.memory) == ff.normal(shape, seed=7, key="w", dtype=name).tobytes()


def test_a_part_of_a_tensor_on_a_device(copies: None) -> None:
    whole = ff.normal((40, 30), seed=7, key="w")
    rows = ff.Region((40, 30), [[(1, 4), (9, 39)], [(0, 2), (5, 30)]])
    part = OnDevice(torch.zeros(rows.local_shape))
    fill_(part, ff.Normal(), seed=7, key="w", region=rows)
    picked = whole[np.ix_([*range(1, 4), *range(9, 39)], [0, 1, *range(5, 30)])]
    np.testing.assert_array_equal(part.memory.numpy(), picked)
    piece = OnDevice(torch.zeros(500))
    fill_(piece, ff.Normal(), seed=7, key="w", region=ff.Region.flat((40, 30), 77, 577))
    np.testing.assert_array_equal(piece.memory.numpy(), whole.reshape(-1)[77:577])


def test_a_view_of_any_strides_on_a_device(copies: None) -> None:
    memory = torch.zeros(20, 30).t()[::2]
    fill_(OnDevice(memory), ff.Normal(), seed=7, key="w")
    np.testing.assert_array_equal(memory.numpy(), ff.normal((15, 20), seed=7, key="w"))


def test_a_module_on_a_device(copies: None) -> None:
    net = nn.Sequential(
        nn.Embedding(40, 6, padding_idx=3), nn.Linear(6, 50), nn.Linear(50, 3).to(torch.bfloat16)
    )
    drawn = plan(net, "torch-default", seed=7)
    for part in net:
        for name, parameter in part._parameters.items():
            part._parameters[name] = nn.Parameter(OnDevice(parameter.detach()))
    net[1].bias = nn.Parameter(torch.zeros(50))  # one stays on the host
    initialize_(net, "torch-default", seed=7)
    for name, parameter in net.named_parameters():
        assert bits(getattr(parameter, "memory", parameter)) == drawn.array(name).tobytes(), name
        assert parameter.requires_grad


def test_a_module_from_the_meta_device(copies: None) -> None:
    with torch.device("meta"):
        net = nn.Sequential(nn.Linear(6, 50), nn.BatchNorm1d(50), nn.Linear(50, 3, bias=False))
    net[2].weight = nn.Parameter(net[2].weight.bfloat16())
    initialize_(net, "torch-default", seed=7, device="standin")
    drawn = plan(net, "torch-default", seed=7)
    for name, parameter in net.named_parameters():
        assert parameter.device == torch.device("standin:0")
        assert bits(parameter.memory) == drawn.array(name).tobytes(), name
    assert net[1].running_var.memory.eq(1).all()  # computed on the host
    assert net[1].running_var.device == torch.device("standin:0")


def test_the_host_holds_no_more_than_two_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []
    host_memory = device._host_memory
    monkeypatch.setattr(device, "_host_memory", lambda size, on: taken.append(size) or host_memory(size, on))
    tensor = OnDevice(torch.zeros(5000, 5000))  # 95 MiB
    fill_(tensor, ff.Normal(), seed=7, key="w")
    assert len(taken) == 2
    assert sum(taken) <= 64 << 20
    part = ff.fill_(
        np.empty((10, 5000), "f4"),
        ff.Normal(),
        seed=7,
        key="w",
        region=ff.Region.box((5000, 5000), (4000, 0), (10, 5000)),
    )
    np.testing.assert_array_equal(tensor.memory[4000:4010].numpy(), part)


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (
            lambda: OnDevice(torch.zeros(3, dtype=torch.int32)),
            TypeError,
            "tensor has elements of torch.int32",
        ),
        (lambda: OnDevice(torch.zeros(1).expand(3)), ValueError, "tensor has stride 0 along an axis"),
        (lambda: torch.empty(3, device="meta"), ValueError, "tensor is a meta tensor and has no memory"),
        (lambda: np.zeros(3), TypeError, "tensor must be a torch.Tensor, not numpy.ndarray"),
    ],
)
def test_what_cannot_be_filled_is_refused(make: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        fill_(make(), ff.Normal(), seed=7, key="w")


def test_wrong_arguments_leave_the_device_as_it_is() -> None:
    tensor = OnDevice(torch.zeros(3, dtype=torch.float16))
    for options, error, match in (
        ({"law": "normal"}, TypeError, "law must be a Normal"),
        ({"law": ff.Uniform(2**17, 2**18)}, ValueError, "float16"),
        (
            {"region": ff.Region.flat((4, 3), 6, 10)},
            ValueError,
            r"region holds a part of shape \(4,\), and tensor",
        ),
        ({"region": 3}, TypeError, "region must be a Region, not int"),
        ({"seed": -1}, ValueError, "seed"),
        ({"key": 1.5}, TypeError, "key"),
        ({"threads": 0}, ValueError, "threads"),
    ):
        arguments: dict[str, Any] = {"law": ff.Normal(), "seed": 7, "key": "w", **options}
        with pytest.raises(error, match=match):
            fill_(tensor, **arguments)
    assert not tensor.memory.any()
