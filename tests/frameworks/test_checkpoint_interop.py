"""Knows how other libraries open a checkpoint of several files; it must not know what is in one of them."""

from __future__ import annotations

import importlib
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fanfill as ff
from fanfill import recipes
from fanfill.checkpoint.shard_index import INDEX_NAME
from fanfill.model import Model
from model_target import write_model
from small_models import small, small_llama

pytestmark = pytest.mark.framework

LIMIT = 100_000


def model_of(family: str) -> Model:
    return small_llama(family == "tied llama") if "llama" in family else small(family)


def plan_of(model: Model, dtype: str = "float32") -> ff.Plan:
    return recipes.find(model.recipe or "").plan(model, seed=0, dtype=dtype)


@pytest.mark.parametrize("family", ["tied llama", "llama", "bert", "mixtral", "deepseek_v3", "vit", "resnet"])
def test_transformers_opens_several_files_as_it_opens_one(
    family: str, torch: Any, transformers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    model = model_of(family)
    plan = plan_of(model)
    for part in ((2, 2), (1, 2)):
        write_model(tmp_path / "several", model, plan, max_shard_size=LIMIT, part=part)
    write_model(tmp_path / "one", model, plan)
    assert len(list((tmp_path / "several").glob("model-*.safetensors"))) > 3
    kind = getattr(transformers, model.config["architectures"][0])
    opened = {}
    for name in ("several", "one"):
        opened[name], report = kind.from_pretrained(tmp_path / name, output_loading_info=True)
        assert not any(report.values()), report
    several, one = opened["several"].state_dict(), opened["one"].state_dict()
    assert list(several) == list(one)
    for name, tensor in one.items():
        assert several[name].equal(tensor), name
    if family == "tied llama":
        tied = opened["several"]
        assert tied.lm_head.weight.data_ptr() == tied.model.embed_tokens.weight.data_ptr()


@pytest.mark.parametrize("family", ["tied llama", "bert"])
def test_the_index_says_what_that_of_transformers_says(
    family: str, transformers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    model = model_of(family)
    write_model(tmp_path / "ours", model, plan_of(model), max_shard_size=LIMIT)
    kind = getattr(transformers, model.config["architectures"][0])
    kind.from_pretrained(tmp_path / "ours").save_pretrained(tmp_path / "theirs", max_shard_size=LIMIT)
    ours, theirs = (json.loads((tmp_path / name / INDEX_NAME).read_text()) for name in ("ours", "theirs"))
    assert ours.keys() == theirs.keys()
    assert ours["metadata"] == theirs["metadata"]
    # Which file is whose depends on the order of the modules, which in memory isn't that of the file.
    assert ours["weight_map"].keys() == theirs["weight_map"].keys()


@pytest.mark.parametrize("family", ["tied llama", "mixtral", "deepseek_v3", "resnet"])
@pytest.mark.parametrize("limit", [1000, LIMIT, "1MB"])
def test_tensors_are_cut_as_the_hub_cuts_a_state_dict(
    limit: int | str, family: str, torch: Any, tmp_path: Path
) -> None:
    from huggingface_hub import split_torch_state_dict_into_shards

    plan = plan_of(model_of(family))
    plan.write(tmp_path, max_shard_size=limit)
    state = {spec.name: torch.empty(spec.shape, device="meta") for spec in plan}
    split = split_torch_state_dict_into_shards(
        state, max_shard_size=limit, filename_pattern="model{suffix}.safetensors"
    )
    if not split.is_sharded:
        assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
        return
    index = json.loads((tmp_path / INDEX_NAME).read_text())
    assert index["weight_map"] == split.tensor_to_filename
    assert index["metadata"]["total_size"] == split.metadata["total_size"]


def test_the_safetensors_library_reads_every_file(ml_dtypes: Any, safetensors: Any, tmp_path: Path) -> None:
    plan = plan_of(model_of("resnet"), "bfloat16")
    counters = model_of("resnet").counters
    assert counters
    plan.write(tmp_path, max_shard_size=LIMIT, counters=counters)
    weight_map = json.loads((tmp_path / INDEX_NAME).read_text())["weight_map"]
    for name in sorted(set(weight_map.values())):
        with safetensors.safe_open(tmp_path / name, "numpy") as file:
            assert file.metadata()["fanfill.plan_hash"] == plan.hash
            for key in file.keys():  # noqa: SIM118 - it is no mapping
                assert weight_map.pop(key) == name
                wanted = np.int64(0) if key in counters else plan.array(key).view("u2")
                read = file.get_tensor(key)
                np.testing.assert_array_equal(read if key in counters else read.view("u2"), wanted)
    assert weight_map == {}


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_torchs_distributed_checkpoint_reads_it(dtype: str, torch: Any, tmp_path: Path) -> None:
    checkpoint = importlib.import_module("torch.distributed.checkpoint")
    plan = plan_of(model_of("mixtral"), dtype)
    plan.write(tmp_path, max_shard_size=LIMIT)
    state = {spec.name: torch.zeros(spec.shape, dtype=getattr(torch, dtype)) for spec in plan}
    with warnings.catch_warnings():  # it warns that there is a single process
        warnings.simplefilter("ignore")
        checkpoint.load(
            state, storage_reader=checkpoint.HuggingFaceStorageReader(str(tmp_path)), no_dist=True
        )
    filled = plan.fill_({spec.name: torch.empty(spec.shape, dtype=getattr(torch, dtype)) for spec in plan})
    for name, tensor in filled.items():
        assert state[name].equal(tensor), name
