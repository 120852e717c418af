"""Knows how tests evaluate a recipe and read a law; it must not know any scheme."""

from __future__ import annotations

from typing import Any

import pytest

import fanfill as ff
from fanfill import models, recipes
from fanfill.model import Model, Parameter


def plan(model: str, recipe: str) -> ff.Plan:
    return recipes.find(recipe).plan(models.find(model), seed=0)


def std(plan: ff.Plan, name: str) -> Any:
    law: Any = plan[name].law
    return pytest.approx(law.std, rel=1e-7)


def on(recipe: str, depth: int = 1, width: int | None = None, **shapes: tuple[int, ...]) -> ff.Plan:
    """Return the plan of a hand-made list of real names."""
    listed = [Parameter(name, shape) for name, shape in shapes.items()]
    return recipes.find(recipe).plan(Model("listed", listed, depth=depth, width=width), seed=0)


def bound(plan: ff.Plan, name: str) -> Any:
    law: Any = plan[name].law
    assert law.low == -law.high
    return pytest.approx(law.high, rel=1e-7)
