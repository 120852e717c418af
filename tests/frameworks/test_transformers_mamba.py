"""The recipe mamba against MambaForCausalLM: every name, and what transformers itself draws.

It must not know the recipe's patterns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fanfill as ff
from fanfill import recipes
from fanfill.model import Model, Parameter

pytestmark = pytest.mark.framework

SIZES = {"hidden_size": 64, "state_size": 8, "num_hidden_layers": 3, "vocab_size": 100}


def listed(model: Any, depth: int) -> Model:
    """Return the model that the tensors of a state dict make, a tied one once."""
    names: dict[int, list[str]] = {}
    tensors = model.state_dict(keep_vars=True)
    for name, tensor in tensors.items():
        names.setdefault(id(tensor), []).append(name)
    parameters = [
        Parameter(first, tuple(tensors[first].shape), tie=tuple(others)) for first, *others in names.values()
    ]
    return Model("mamba", parameters, depth=depth)


@pytest.mark.parametrize("use_bias", [False, True])
def test_every_parameter_is_matched(use_bias: bool, torch: Any, transformers: Any) -> None:
    with torch.device("meta"):
        theirs = transformers.MambaForCausalLM(transformers.MambaConfig(**SIZES, use_bias=use_bias))
    model = listed(theirs, 3)
    recipe = recipes.find("mamba")
    assert recipe.unmatched(model) == []
    plan = recipe.plan(model, seed=0)
    assert plan.numel == sum(parameter.numel() for parameter in theirs.parameters())
    assert plan["backbone.layers.2.mixer.A_log"].law == ff.Arange(1, 9, log=True)


def test_states_and_step_sizes_are_those_that_transformers_draws(torch: Any, transformers: Any) -> None:
    torch.manual_seed(0)
    theirs = transformers.MambaForCausalLM(transformers.MambaConfig(**SIZES))
    plan = recipes.find("mamba").plan(listed(theirs, 3), seed=0)
    mixer = "backbone.layers.1.mixer."
    drawn = {name: tensor.numpy() for name, tensor in theirs.state_dict().items() if name.startswith(mixer)}
    ours = {name: plan.array(name) for name in drawn}
    np.testing.assert_allclose(ours[f"{mixer}A_log"], drawn[f"{mixer}A_log"], rtol=2e-7)
    np.testing.assert_array_equal(ours[f"{mixer}D"], drawn[f"{mixer}D"])
    for of in (ours, drawn):
        dt = np.log1p(np.exp(of[f"{mixer}dt_proj.bias"].astype(np.float64)))
        assert dt.min() >= 0.001 * (1 - 1e-5)
        assert dt.max() <= 0.1 * (1 + 1e-5)
        assert abs(np.log(dt).mean() - np.log(0.01)) < 4 * 1.33 / np.sqrt(dt.size)
    for name in ("dt_proj", "conv1d"):  # the others it draws from N(0, initializer_range)
        key = f"{mixer}{name}.weight"
        assert abs(ours[key].std() / drawn[key].std() - 1.0) < 0.1, name


def test_a_plan_fills_the_model(torch: Any, transformers: Any) -> None:
    theirs = transformers.MambaForCausalLM(transformers.MambaConfig(**SIZES))
    plan = recipes.find("mamba").plan(listed(theirs, 3), seed=0)
    plan.fill_(theirs.state_dict())
    for name, parameter in theirs.named_parameters():
        assert parameter.detach().numpy().tobytes() == plan.array(name).tobytes(), name
    with torch.no_grad():
        loss = theirs(torch.arange(64)[None], labels=torch.arange(64)[None]).loss.item()
    assert abs(loss - np.log(100)) < 0.5  # a fresh model knows nothing
