"""Which tensors share a file and which files a process; it must not know how a file is written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fanfill as ff
from fanfill.checkpoint.shard_plan import ShardFile, checked_part, files_of_part, index_json, shard_files


def plan_of(sizes: list[int]) -> ff.Plan:
    """Return a plan of tensors with so many bytes each."""
    return ff.Plan(
        [
            ff.ParamSpec(f"t{i}", (size,), ff.Constant(0.0), dtype="float8_e5m2")
            for i, size in enumerate(sizes)
        ],
        seed=0,
    )


def sizes_of(files: tuple[ShardFile, ...]) -> list[list[int]]:
    return [[spec.nbytes for spec in file.specs] for file in files]


@pytest.mark.parametrize(
    ("sizes", "limit", "expected"),
    [
        ([4, 4, 4], None, [[4, 4, 4]]),
        ([4, 4, 4], 12, [[4, 4, 4]]),
        ([4, 4, 4], 11, [[4, 4], [4]]),
        ([4, 20, 4, 4], 10, [[20], [4, 4], [4]]),
        ([20], 10, [[20]]),
        ([20, 20], 10, [[20], [20]]),
        ([10, 0, 1], 10, [[10, 0], [1]]),
        ([], 10, [[]]),
    ],
)
def test_files_are_cut_as_the_hub_cuts_them(
    sizes: list[int], limit: int | None, expected: list[list[int]]
) -> None:
    assert sizes_of(shard_files(plan_of(sizes), max_shard_size=limit)) == expected


def test_names_count_the_files() -> None:
    assert [file.name for file in shard_files(plan_of([4]), max_shard_size=4)] == ["model.safetensors"]
    assert [file.name for file in shard_files(plan_of([4, 4]), max_shard_size=4)] == [
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
    ]


def test_counters_go_with_the_first_tensors_that_share_a_file() -> None:
    files = shard_files(plan_of([20, 4, 4]), ("n", "m"), max_shard_size=18)
    assert [file.counters for file in files] == [(), ("n", "m"), ()]
    assert [file.nbytes for file in files] == [20, 16, 8]


def test_the_index_lists_all_that_is_stored() -> None:
    files = shard_files(plan_of([4, 4]), ("n",), max_shard_size=12)
    index = json.loads(index_json(files, 8))
    assert index == {
        "metadata": {"total_parameters": 8, "total_size": 16},
        "weight_map": {
            "n": "model-00001-of-00002.safetensors",
            "t0": "model-00001-of-00002.safetensors",
            "t1": "model-00002-of-00002.safetensors",
        },
    }


@given(sizes=st.lists(st.integers(0, 30), max_size=20), limit=st.integers(1, 40), count=st.integers(1, 9))
def test_every_tensor_is_in_one_file_of_one_part(sizes: list[int], limit: int, count: int) -> None:
    plan = plan_of(sizes)
    files = shard_files(plan, max_shard_size=limit)
    assert all(file.nbytes <= limit or len(file.specs) == 1 for file in files)
    parts = [files_of_part(files, (number, count)) for number in range(1, count + 1)]
    assert sorted(file.name for part in parts for file in part) == sorted(file.name for file in files)
    assert sorted(spec.name for file in files for spec in file.specs) == sorted(spec.name for spec in plan)
    loads = [sum(file.nbytes for file in part) for part in parts]
    assert max(loads) - min(loads) <= max((file.nbytes for file in files), default=0)


@pytest.mark.parametrize("part", [(0, 1), (2, 1), (1, 0), (-1, -1)])
def test_a_part_that_is_none_is_refused(part: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="part must be"):
        checked_part(part)


@pytest.mark.parametrize("part", [1, (1,), (1, 2, 3), [1, 2], "1/2", (1.0, 2)])
def test_a_part_of_another_type_is_refused(part: Any) -> None:
    with pytest.raises(TypeError, match="part"):
        checked_part(part)
