"""The examples that train on digits still begin where the results that the documentation draws began.

It must not know what comes of the training: that takes minutes, and differs with the machine's rounding.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.framework

ROOT = Path(__file__).parents[2]


@pytest.fixture
def he_depth(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    return importlib.import_module("he_depth")


@pytest.fixture
def first_steps(he_depth: ModuleType) -> ModuleType:
    return importlib.import_module("first_steps")


def results(name: str) -> Any:
    return json.loads((ROOT / f"docs/results/{name}.json").read_text(encoding="utf-8"))


def test_each_net_begins_with_the_loss_that_was_written_down(he_depth: ModuleType) -> None:
    written = results("he_depth")
    settings = he_depth.WIDTH, he_depth.BATCH, he_depth.MOMENTUM, he_depth.RATE, he_depth.EPOCHS
    assert settings == tuple(written[name] for name in ("width", "batch", "momentum", "rate", "epochs"))
    pictures, target, _, _ = he_depth.digits()
    assert len(written["runs"]) == 12
    for run in written["runs"]:
        weights = he_depth.new_weights(run["rule"], run["depth"], run["seed"], he_depth.WIDTH)
        biases = [np.zeros(len(weight), np.float32) for weight in weights]
        _, probabilities = he_depth.forward(pictures, weights, biases)
        assert he_depth.loss(probabilities, target) == pytest.approx(run["losses"][0], abs=2e-4)


def test_the_first_statistics_are_those_that_were_written_down(
    he_depth: ModuleType, first_steps: ModuleType
) -> None:
    data = he_depth.digits()
    for run in results("first_steps")["runs"]:
        if run["step"] == 0:
            weights = he_depth.new_weights("He", first_steps.DEPTH, run["seed"], first_steps.WIDTH)
            biases = [np.zeros(len(weight), np.float32) for weight in weights]
            for name, values in first_steps.statistics(data, weights, biases).items():
                np.testing.assert_allclose(values, run[name], rtol=1e-3, atol=1e-3 * np.abs(run[name]).max())


def test_a_shallow_net_learns(he_depth: ModuleType) -> None:
    run = he_depth.train(he_depth.digits(), "He", 3, 0.01, 0, 2)
    assert run["losses"][2] < run["losses"][1] < 0.5 * run["losses"][0]
    assert run["accuracy"] > 0.8
