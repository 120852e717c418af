"""A model's checkpoint as the command line writes it; it must not know what is done with it."""

from __future__ import annotations

import os
from typing import Any

from fanfill.checkpoint.target import Target
from fanfill.model import Model
from fanfill.plan.plan import Plan


def write_model(path: str | os.PathLike[str], model: Model, plan: Plan, **options: Any) -> None:
    """Write a folder with the weights and the config.json."""
    config = model.config_json(plan.parameters[0].dtype).encode()
    Target(path, plan, counters=model.counters, beside={"config.json": config}, **options).write()
