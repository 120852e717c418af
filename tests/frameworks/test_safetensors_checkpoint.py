"""Knows what the safetensors library must read from a written file; it must not know transformers."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import fanfill as ff

pytestmark = pytest.mark.framework

NAMES = ["float64", "float32", "bfloat16", "float16", "float8_e4m3fn", "float8_e5m2"]


def plan() -> ff.Plan:
    specs = [ff.ParamSpec(name, (3, 41), ff.Normal(0.0, 0.5), dtype=name) for name in NAMES]
    return ff.Plan(
        [*specs, ff.ParamSpec("scalar", (), ff.Normal()), ff.ParamSpec("none", (0, 4), ff.Normal())], seed=9
    )


def test_torch_reads_every_element_type(torch: Any, safetensors: ModuleType, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    made = plan()
    made.write(tmp_path / "m.safetensors")
    tensors = load_file(tmp_path / "m.safetensors")
    assert set(tensors) == {spec.name for spec in made}
    filled = made.fill_({s.name: torch.empty(s.shape, dtype=getattr(torch, s.dtype)) for s in made})
    for spec in made:
        read = tensors[spec.name]
        assert read.dtype == getattr(torch, spec.dtype)
        assert tuple(read.shape) == spec.shape
        assert (
            read.contiguous().view(torch.uint8).equal(filled[spec.name].view(torch.uint8))
            if spec.shape
            else True
        )
        assert read.double().equal(filled[spec.name].double())


def test_numpy_reads_the_metadata_and_parts(ml_dtypes: ModuleType, safetensors: Any, tmp_path: Path) -> None:
    made = plan()
    made.write(tmp_path / "m.safetensors")
    with safetensors.safe_open(tmp_path / "m.safetensors", "numpy") as file:
        metadata = file.metadata()
        assert metadata["format"] == "pt"
        assert metadata["fanfill.plan_hash"] == made.hash
        assert metadata["fanfill.seed"] == "9"
        for name in ("float32", "bfloat16"):
            part = file.get_slice(name)[1:, 5:30]
            region = ff.Region.box((3, 41), (1, 5), (2, 25))
            np.testing.assert_array_equal(part, made.array(name, region))


def test_rewriting_by_the_library_keeps_every_bit(safetensors: Any, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    made = ff.Plan([ff.ParamSpec(name, (5, 7), ff.Normal()) for name in "abc"], seed=0)
    made.write(tmp_path / "ours.safetensors")
    save_file(load_file(tmp_path / "ours.safetensors"), tmp_path / "theirs")
    ours, theirs = load_file(tmp_path / "ours.safetensors"), load_file(tmp_path / "theirs")
    for spec in made:
        np.testing.assert_array_equal(ours[spec.name], theirs[spec.name])
        np.testing.assert_array_equal(ours[spec.name], made.array(spec.name))
