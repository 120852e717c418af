"""A small module with tied ends, and how the tests of whole modules look at one.

It must not know what any test checks.
"""

from __future__ import annotations

import warnings
from typing import Any

import pytest

import fanfill as ff

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import torch
    from torch import nn

    from fanfill.torch import initialize_


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(6)
        self.up = nn.Linear(6, 10)
        self.down = nn.Linear(10, 6, bias=False)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(7, 6, padding_idx=2)
        self.blocks = nn.ModuleList(Block() for _ in range(3))
        self.head = nn.Linear(6, 7)
        self.head.weight = self.embed.weight
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))


def on_meta(make: Any) -> Any:
    with torch.device("meta"):
        return make()


def bits(tensor: torch.Tensor) -> bytes:
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


def assert_as_planned(module: nn.Module, drawn: ff.Plan, names: set[str] | None = None) -> None:
    for name, parameter in module.named_parameters():
        if names is None or name in names:
            assert bits(parameter) == drawn.array(name).tobytes(), name


def everything(module: nn.Module) -> list[tuple[Any, ...]]:
    tensors = [
        *module.named_parameters(remove_duplicate=False),
        *module.named_buffers(remove_duplicate=False),
    ]
    return [
        (name, id(t), t._version, t.requires_grad, None if t.is_meta or t.is_sparse else bits(t))
        for name, t in tensors
    ]


def refused(error: type[Exception], match: str, module: Any, *arguments: Any, **options: Any) -> None:
    before = everything(module)
    with pytest.raises(error, match=match):
        initialize_(module, *arguments, **options)
    assert everything(module) == before


def on_meta_but_buffers() -> Net:
    net = on_meta(Net)
    net.steps = torch.zeros((), dtype=torch.int64)
    return net
