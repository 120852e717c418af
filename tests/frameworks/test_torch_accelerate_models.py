"""Modules and whole models built under fanfill.torch.accelerate: no value of torch's, and torch's laws."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.framework

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import torch
    import transformers
    from torch import nn
    from torch.utils._python_dispatch import TorchDispatchMode

    from fanfill.torch import accelerate


class Reached(TorchDispatchMode):
    """Counts the random operations that reach torch, from below a block."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if torch.Tag.nondeterministic_seeded in func.tags:
            self.operations.append(str(func))
        return func(*args, **(kwargs or {}))


def gpt2(dtype: torch.dtype = torch.float32) -> nn.Module:
    config = transformers.GPT2Config(
        n_layer=2, n_embd=128, n_head=2, vocab_size=400, n_positions=256, bos_token_id=0, eos_token_id=0
    )
    return transformers.AutoModelForCausalLM.from_config(config, dtype=dtype)


def llama(dtype: torch.dtype = torch.float32) -> nn.Module:
    config = transformers.LlamaConfig(
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        vocab_size=400,
    )
    return transformers.AutoModel.from_config(config, dtype=dtype)


def vit() -> nn.Module:
    config = transformers.ViTConfig(
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=128,
        image_size=32,
        patch_size=8,
    )
    return transformers.AutoModel.from_config(config)


class Truncated(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.init.trunc_normal_(torch.empty(300, 40), std=0.7, a=-1.0, b=0.5))


BUILDERS: dict[str, Callable[[], nn.Module]] = {
    "linear": lambda: nn.Linear(300, 50),
    "bilinear": lambda: nn.Bilinear(20, 30, 10),
    "embedding": lambda: nn.Embedding(50, 40, padding_idx=3),
    "embedding_bag": lambda: nn.EmbeddingBag(50, 40),
    "conv1d": lambda: nn.Conv1d(8, 16, 3),
    "conv2d": lambda: nn.Conv2d(16, 32, 3, groups=2),
    "conv3d": lambda: nn.Conv3d(4, 8, 3),
    "conv_transpose2d": lambda: nn.ConvTranspose2d(16, 8, 3),
    "lstm": lambda: nn.LSTM(30, 40, num_layers=2, bidirectional=True),
    "gru": lambda: nn.GRU(30, 40),
    "attention": lambda: nn.MultiheadAttention(64, 4, add_bias_kv=True),
    "transformer": lambda: nn.Transformer(64, 4, 2, 2, 128, batch_first=True),
    "norms": lambda: nn.Sequential(nn.BatchNorm2d(8), nn.LayerNorm(8), nn.GroupNorm(2, 8), nn.PReLU()),
    "orthogonal": lambda: nn.utils.parametrizations.orthogonal(nn.Linear(20, 20)),
    "spectral": lambda: nn.utils.parametrizations.spectral_norm(nn.Linear(20, 20)),
    "truncated": Truncated,
    "gpt2": gpt2,
    "llama": llama,
    "llama in bfloat16": lambda: llama(torch.bfloat16),
    "vit": vit,
}


@pytest.mark.parametrize("name", BUILDERS)
def test_no_random_value_comes_from_torch(name: str) -> None:
    before = torch.get_rng_state()
    with Reached() as reached, accelerate(seed=0) as report:
        BUILDERS[name]()
    assert torch.equal(before, torch.get_rng_state())
    assert reached.operations == []
    assert report.passed_on == ()
    assert (report.calls > 0) == (name != "norms")
    with Reached() as reached:  # it would have been seen
        BUILDERS[name]()
    assert len(reached.operations) > 0 or name == "norms"


@pytest.mark.parametrize("name", BUILDERS)
def test_values_are_those_of_the_seed(name: str) -> None:
    states = []
    for seed in (1, 1, 2):
        with accelerate(seed=seed):
            states.append(BUILDERS[name]().state_dict())
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    assert name == "norms" or any(not torch.equal(states[0][key], states[2][key]) for key in states[0])


@pytest.mark.parametrize("name", BUILDERS)
def test_laws_are_torchs_own(name: str) -> None:
    with accelerate(seed=3):
        own = dict(BUILDERS[name]().named_parameters())
    torch.manual_seed(3)
    theirs = dict(BUILDERS[name]().named_parameters())
    assert list(own) == list(theirs)
    compared = 0
    for key, value in own.items():
        other = theirs[key]
        assert (value.shape, value.dtype, value.stride()) == (other.shape, other.dtype, other.stride())
        assert value.requires_grad == other.requires_grad
        a, b = value.detach().double(), other.detach().double()
        if torch.equal(a, b):
            continue  # ones, zeros, and what else is no draw
        compared += 1
        # Four standard errors of the difference of two means, and of two standard deviations of normal
        # samples; those of bounded laws err less.
        n, scale = a.numel(), float(b.std())
        assert abs(float(a.mean() - b.mean())) <= 4 * scale * math.sqrt(2 / n)
        assert abs(float(a.std()) / scale - 1) <= 4 * math.sqrt(1 / n)
        assert float(a.abs().max()) <= 1.35 * float(b.abs().max())
    assert compared > 0 or name == "norms"


def test_padding_rows_stay_zero() -> None:
    with accelerate(seed=0):
        assert not BUILDERS["embedding"]().weight[3].any()
