"""A checkpoint's folder: which files it gets, from one process or several; not what a file looks like."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import fanfill as ff
from fanfill.checkpoint.header import CheckpointHeader
from fanfill.checkpoint.shard_index import INDEX_NAME
from fanfill.checkpoint.target import Target

SHAPES = {"a": (7, 5), "b": (3,), "c": (11, 2, 3), "big": (400,), "scalar": (), "none": (0, 4), "d": (101,)}
SHARDS = 4  # of 512 bytes: a b c, big, scalar none d


def plan(seed: int = 3) -> ff.Plan:
    specs = [ff.ParamSpec(name, shape, ff.Normal(0.0, 0.5)) for name, shape in SHAPES.items()]
    return ff.Plan(specs, seed=seed, model="tiny", recipe="flat")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def whole(tmp_path: Path) -> dict[str, bytes]:
    """Return the files of one process."""
    plan().write(tmp_path / "whole", max_shard_size=500, counters=("n",))
    return contents(tmp_path / "whole")


def test_the_shards_hold_every_tensor_once_and_the_index_knows_where(
    whole: dict[str, bytes], tmp_path: Path
) -> None:
    index = json.loads(whole[INDEX_NAME])
    stored: dict[str, Any] = {}
    for name in sorted(whole):
        if name == INDEX_NAME:
            continue
        header = CheckpointHeader.read(tmp_path / "whole" / name)
        assert header.header_bytes % 4096 == 0
        assert header.fanfill["plan_hash"] == plan().hash
        for tensor in header.tensors:
            assert index["weight_map"].pop(tensor.name) == name
            data = whole[name][header.header_bytes :][tensor.start : tensor.stop]
            assert tensor.name not in stored
            stored[tensor.name] = data
    assert index["weight_map"] == {}
    assert index["metadata"] == {"total_size": plan().nbytes + 8, "total_parameters": plan().numel}
    assert stored.pop("n") == bytes(8)
    assert stored == {spec.name: plan().array(spec.name).tobytes() for spec in plan()}


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (2, 3, 1)])
def test_parts_in_any_order_make_the_files_of_one_process(
    order: tuple[int, ...], whole: dict[str, bytes], tmp_path: Path
) -> None:
    written = []
    for number in order:
        done = plan().write(tmp_path / "parts", max_shard_size=500, part=(number, 3), counters=("n",))
        assert done.bytes_written == sum(size for _, size in done.files)
        written += [path.name for path, _ in done.files]
    assert sorted(written) == sorted(whole)
    assert contents(tmp_path / "parts") == whole


def test_more_parts_than_files_leave_some_with_nothing_to_do(whole: dict[str, bytes], tmp_path: Path) -> None:
    done = [
        plan().write(tmp_path / "p", max_shard_size=500, part=(k, 9), counters=("n",)) for k in range(1, 10)
    ]
    assert done[-1].files == ()
    assert contents(tmp_path / "p") == whole


def test_a_model_that_fits_one_file_has_no_index(tmp_path: Path) -> None:
    plan().write(tmp_path / "m", max_shard_size="5GB", part=(1, 2))
    plan().write(tmp_path / "m", max_shard_size="5GB", part=(2, 2))
    assert os.listdir(tmp_path / "m") == ["model.safetensors"]


def test_what_lies_beside_comes_from_the_first_part(tmp_path: Path) -> None:
    for part in ((1, 2), (2, 2)):
        target = Target(tmp_path, plan(), beside={"config.json": b"{}"}, max_shard_size=500, part=part)
        names = {path.name for path, _ in target.write().files}
        assert ({"config.json", INDEX_NAME} <= names) == (part[0] == 1)
    assert (tmp_path / "config.json").read_bytes() == b"{}"


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("m.safetensors", {"max_shard_size": 10}, "give a folder"),
        ("m.safetensors", {"part": (1, 2)}, "a folder and max_shard_size"),
        ("m", {"part": (1, 2)}, "max_shard_size too"),
        ("m", {"max_shard_size": "5 boxes"}, "5 boxes"),
        ("m", {"max_shard_size": 10, "part": (3, 2)}, "part"),
    ],
)
def test_what_one_file_can_not_be_is_refused(
    name: str, options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        plan().write(tmp_path / name, **options)
    assert os.listdir(tmp_path) == []


def test_one_name_that_is_taken_keeps_all_files_from_being_written(tmp_path: Path) -> None:
    (tmp_path / INDEX_NAME).write_bytes(b"old")
    with pytest.raises(FileExistsError) as caught:
        plan().write(tmp_path, max_shard_size=500)
    assert caught.value.filename == str(tmp_path / INDEX_NAME)
    assert contents(tmp_path) == {INDEX_NAME: b"old"}


def test_an_interrupt_keeps_every_file_of_an_old_checkpoint(whole: dict[str, bytes], tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done > total * 0.7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        plan(seed=4).write(
            tmp_path / "whole", max_shard_size=500, counters=("n",), replace=True, progress=stop
        )
    assert contents(tmp_path / "whole") == whole
    plan(seed=4).write(tmp_path / "whole", max_shard_size=500, counters=("n",), replace=True)
    assert contents(tmp_path / "whole").keys() == whole.keys()
    assert contents(tmp_path / "whole") != whole


def test_the_room_for_all_files_is_asked_for_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    specs = [ff.ParamSpec(name, (2**20,), ff.Normal()) for name in "ab"]
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 6 * 2**20})())
    with pytest.raises(OSError, match=r"needs 8,\d{3},\d{3} bytes") as caught:
        ff.Plan(specs, seed=0).write(tmp_path / "m", max_shard_size="4MiB")
    assert caught.value.filename == str(tmp_path / "m")
    assert os.listdir(tmp_path) == []


def test_progress_counts_the_bytes_of_all_files(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    done = plan().write(tmp_path, max_shard_size=500, progress=lambda *call: calls.append(call))
    total = sum(size for _, size in done.files)
    assert calls == sorted(calls)
    assert calls[-1] == (total, total)


@pytest.mark.parametrize("name", ["model.safetensors", "model-00001-of-00009.safetensors"])
def test_weights_of_another_checkpoint_are_not_left_beside_ours(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"old")
    for replace in (False, True):
        with pytest.raises(OSError, match="another checkpoint") as caught:
            plan().write(tmp_path, max_shard_size=500, replace=replace)
        assert caught.value.filename == str(tmp_path / name)
        assert contents(tmp_path) == {name: b"old"}
    (tmp_path / name).unlink()
    (tmp_path / INDEX_NAME).write_bytes(b"old")
    with pytest.raises(OSError, match="another checkpoint"):
        plan().write(tmp_path, replace=True)
    plan().write(tmp_path, max_shard_size=500, replace=True)
    plan().write(tmp_path / "other.safetensors")  # one file stands for itself


@pytest.mark.parametrize("stage", ["partial", "complete"])
def test_what_a_run_of_other_files_has_left_is_named(stage: str, tmp_path: Path) -> None:
    left = tmp_path / f".model-00001-of-00009.safetensors.{stage}"
    left.write_bytes(b"old")
    for resume in (False, True):
        with pytest.raises(OSError, match="interrupted run that made other files") as caught:
            plan().write(tmp_path, max_shard_size=500, resume=resume)
        assert caught.value.filename == str(left)
        assert contents(tmp_path) == {left.name: b"old"}
    left.unlink()
    (tmp_path / f".notes.{stage}").write_bytes(b"of someone")
    plan().write(tmp_path, max_shard_size=500)
