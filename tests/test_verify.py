"""Knows what `verify` proves and what it finds of a checkpoint; it must not know the command line."""

from __future__ import annotations

import json
import math
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fanfill as ff
from fanfill.checkpoint.block import BLOCK_BYTES, Block, Blocks, blocks_of
from fanfill.checkpoint.header import CheckpointHeader, StoredTensor
from fanfill.checkpoint.stored_checkpoint import StoredCheckpoint
from fanfill.dtype import DTYPES

LAW = ff.Normal(0.0, 0.5)
SPECS = [
    *(ff.ParamSpec(f"t.{dtype.name}", (3, 41), LAW, dtype=dtype.name) for dtype in DTYPES),
    ff.ParamSpec("embedding", (7, 5), LAW, padding_row=2, tie=("head",)),
    ff.ParamSpec("qkv", (6, 4), (LAW, ff.Constant(0.0), ff.Uniform()), parts=3),
    ff.ParamSpec("scalar", (), LAW),
    ff.ParamSpec("none", (0, 4), LAW),
]
PLAN = ff.Plan(SPECS, seed=9)


def data_of(path: Path, name: str) -> tuple[int, StoredTensor]:
    """Return where a tensor's data begins in its file, and the tensor."""
    header = CheckpointHeader.read(path)
    tensor = next(each for each in header.tensors if each.name == name)
    return header.header_bytes + tensor.start, tensor


def flip(path: Path, offset: int, mask: int = 1) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ mask]))


def rewrite(path: Path, tensors: dict[str, tuple[str, list[int], bytes]], **metadata: str) -> None:
    """Write a safetensors file by hand."""
    entries: dict[str, object] = {"__metadata__": metadata} if metadata else {}
    offset = 0
    for name, (dtype, shape, data) in tensors.items():
        entries[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(entries).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(data for *_, data in tensors.values()))


def values(spec: ff.ParamSpec, seed: int) -> bytearray:
    """Return a tensor's bytes, which NumPy alone can't hold as an array of every type."""
    out, region = bytearray(spec.nbytes), ff.Region.flat(spec.shape, 0, spec.numel)
    ff.fill_many_([ff.Job(out, spec.drawn_law, spec.name, region, spec.dtype)], seed=seed)
    return out


def stored(plan: ff.Plan) -> dict[str, tuple[str, list[int], bytes]]:
    return {s.name: (s.element.safetensors_name, list(s.shape), values(s, plan.seed)) for s in plan}


@pytest.mark.parametrize("shard_size", [None, "1KB"])
def test_what_was_written_is_verified(shard_size: str | None, tmp_path: Path) -> None:
    PLAN.write(tmp_path / "m", max_shard_size=shard_size, counters=["bn.num_batches_tracked"])
    found = ff.verify(tmp_path / "m", PLAN)
    assert found
    assert found.verified
    assert found.complaints() == []
    assert (found.blocks, found.nbytes) == (found.blocks_checked, found.nbytes_checked)
    assert found.nbytes == PLAN.nbytes + 8
    if shard_size:
        assert len(StoredCheckpoint.read(tmp_path / "m").files) > 2
        assert ff.verify(tmp_path / "m" / "model.safetensors.index.json", PLAN)
    else:
        assert ff.verify(tmp_path / "m" / "model.safetensors", PLAN)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_flipped_bit_is_found_where_it_is(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("flip") / "m.safetensors"
    PLAN.write(path)
    spec = data.draw(st.sampled_from([spec for spec in SPECS if spec.numel]))
    index = data.draw(st.integers(0, spec.numel - 1))
    byte = data.draw(st.integers(0, spec.element.itemsize - 1))
    at, tensor = data_of(path, spec.name)
    mask = 1 << data.draw(st.integers(0, 7))
    flip(path, at + index * spec.element.itemsize + byte, mask)
    found = ff.verify(path, PLAN)
    assert not found
    difference = found.difference
    assert difference is not None
    assert (difference.file, difference.tensor, difference.index) == (str(path), spec.name, index)
    multi = np.unravel_index(index, spec.shape) if spec.shape else ()
    assert difference.multi_index == tuple(map(int, multi))
    bits = [int(text, 16) for text in (difference.expected_bits, difference.found_bits)]
    assert bits[0] ^ bits[1] == mask << 8 * byte
    if spec.dtype in ("float32", "float64"):
        expected = PLAN.array(spec.name).reshape(-1)[index]
        assert difference.expected == float(expected)
    assert found.complaints() == [str(difference)]
    assert tensor.name in str(difference)


def test_the_first_of_several_differences_is_told(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    PLAN.write(path)
    at, _ = data_of(path, "t.float32")
    for index in (100, 17, 99):
        flip(path, at + 4 * index)
    later, _ = data_of(path, "t.float8_e5m2")
    flip(path, later)
    found = ff.verify(path, PLAN).difference
    assert found is not None
    assert (found.tensor, found.index, found.multi_index) == ("t.float32", 17, (0, 17))


def test_missing_extra_and_unlike_tensors_are_named(tmp_path: Path) -> None:
    tensors = stored(PLAN)
    del tensors["qkv"]
    tensors["more"] = ("I32", [1], bytes(4))
    dtype, _, data = tensors["t.float16"]
    tensors["t.float16"] = (dtype, [41, 3], data)
    rewrite(tmp_path / "m.safetensors", tensors)
    found = ff.verify(tmp_path / "m.safetensors", PLAN)
    assert (found.missing, found.extra) == (("qkv",), ("more",))
    assert found.unlike == ("m.safetensors: tensor t.float16 is F16 [41, 3] and the plan says F16 [3, 41]",)
    assert found.difference is None
    assert not found
    assert len(found.complaints()) == 3


@pytest.mark.parametrize("same", [True, False])
def test_a_tied_name_that_is_stored_must_hold_the_tied_values(same: bool, tmp_path: Path) -> None:
    tensors = stored(PLAN)
    dtype, shape, data = tensors["embedding"]
    tensors["head"] = (dtype, shape, bytes(data) if same else bytes(len(data)))
    rewrite(tmp_path / "m.safetensors", tensors)
    found = ff.verify(tmp_path / "m.safetensors", PLAN)
    assert found.verified is same
    if not same:
        assert found.difference is not None
        assert found.difference.tensor == "head"


@pytest.mark.parametrize("value", [0, 3])
def test_a_counter_must_be_zero(value: int, tmp_path: Path) -> None:
    rewrite(tmp_path / "m.safetensors", {**stored(PLAN), "n": ("I64", [], value.to_bytes(8, "little"))})
    found = ff.verify(tmp_path / "m.safetensors", PLAN)
    assert found.verified is (value == 0)
    if value:
        assert found.difference is not None
        assert (found.difference.tensor, found.difference.found) == ("n", 3.0)


def test_a_counter_far_behind_in_a_file_is_compared_with_zero(tmp_path: Path) -> None:
    plan = ff.Plan([ff.ParamSpec("w", (10, 2**20), ff.Constant(1.0))], seed=0)  # more than one batch
    path = tmp_path / "m.safetensors"
    rewrite(path, {**stored(plan), "steps": ("I64", [], bytes(8))})
    assert ff.verify(path, plan)
    flip(path, path.stat().st_size - 1)
    assert ff.verify(path, plan).difference is not None


def test_the_metadata_are_part_of_what_is_proved(tmp_path: Path) -> None:
    own = {"fanfill.contract_version": "1", "fanfill.seed": "9", "fanfill.plan_hash": PLAN.hash}
    for edit, complaint in (
        ({}, None),
        ({"fanfill.seed": "8"}, "the metadata say seed 8, the plan has 9"),
        ({"fanfill.plan_hash": "0"}, f"the metadata say plan hash 0, the plan has {PLAN.hash}"),
    ):
        rewrite(tmp_path / "m.safetensors", stored(PLAN), **{**own, **edit})
        assert ff.verify(tmp_path / "m.safetensors", PLAN).complaints() == ([complaint] if complaint else [])
    rewrite(tmp_path / "m.safetensors", stored(PLAN))  # as others write it
    assert ff.verify(tmp_path / "m.safetensors", PLAN)


def test_the_plan_comes_from_the_metadata(tmp_path: Path) -> None:
    uniform = ff.Plan([ff.ParamSpec(f"h.{i}.w", (8, 4), LAW) for i in range(5)], seed=3, recipe="own")
    uniform.write(tmp_path / "m", max_shard_size="256")
    found = ff.verify(tmp_path / "m")
    assert found
    assert (found.plan, found.plan.recipe) == (uniform, "own")
    os.unlink(tmp_path / "m" / "model-00002-of-00003.safetensors")
    with pytest.raises(ValueError, match=r"model-00002-of-00003\.safetensors is missing"):
        ff.verify(tmp_path / "m")
    assert "file model-00002-of-00003.safetensors is missing" in ff.verify(tmp_path / "m", uniform).faults
    rewrite(tmp_path / "foreign.safetensors", stored(PLAN))
    with pytest.raises(ValueError, match="wasn't written by fanfill"):
        ff.verify(tmp_path / "foreign.safetensors")


def test_a_plan_that_only_has_a_built_in_models_name_is_its_own(tmp_path: Path) -> None:
    plan = ff.Plan([ff.ParamSpec("wte.weight", (8, 4), LAW)], seed=3, model="gpt2", recipe="gpt2")
    plan.write(tmp_path / "m.safetensors")
    assert ff.verify(tmp_path / "m.safetensors").plan == plan


def test_laws_edited_with_the_values_are_not_believed(tmp_path: Path) -> None:
    plan = ff.Plan([ff.ParamSpec("w", (8, 4), LAW)], seed=3)
    plan.write(tmp_path / "m.safetensors")
    own = dict(CheckpointHeader.read(tmp_path / "m.safetensors").metadata)
    zero = ff.Plan([ff.ParamSpec("w", (8, 4), ff.Constant(0.0))], seed=3)
    own["fanfill.laws"] = json.dumps({"w": {"law": {"law": "constant", "value": 0.0}}})
    rewrite(tmp_path / "m.safetensors", stored(zero), **own)
    with pytest.raises(ValueError, match="doesn't say enough"):
        ff.verify(tmp_path / "m.safetensors")


def test_index_and_files_must_agree(tmp_path: Path) -> None:
    plan = ff.Plan([ff.ParamSpec(f"h.{i}.w", (8, 4), LAW) for i in range(5)], seed=3)
    plan.write(tmp_path / "m", max_shard_size="256")
    index = tmp_path / "m" / "model.safetensors.index.json"
    content = json.loads(index.read_text())
    for edit, complaint in (
        (lambda c: c["weight_map"].update({"h.0.w": "model-00002-of-00003.safetensors"}), "which lacks it"),
        (lambda c: c["weight_map"].pop("h.1.w"), "the index lacks tensor 'h.1.w'"),
        (lambda c: c["metadata"].update(total_size=1), "the index says 1 bytes"),
    ):
        edited = json.loads(json.dumps(content))
        edit(edited)
        index.write_text(json.dumps(edited))
        found = ff.verify(tmp_path / "m", plan)
        assert not found
        assert complaint in found.faults[0]
    index.unlink()  # then the files' own numbers say which there must be
    assert ff.verify(tmp_path / "m", plan)


def test_a_sample_is_a_fraction_and_a_function_of_its_seed(tmp_path: Path) -> None:
    plan = ff.Plan([ff.ParamSpec("w", (24, 2**20), ff.Constant(1.0), dtype="bfloat16")], seed=0)
    path = tmp_path / "m.safetensors"
    plan.write(path)
    found = ff.verify(path, plan, sample=0.25)
    assert (found.blocks, found.blocks_checked, found.nbytes_checked) == (12, 3, 3 * BLOCK_BYTES)
    blocks = blocks_of(StoredCheckpoint.read(path))
    assert [block.start for block in blocks] == list(range(0, plan.nbytes, BLOCK_BYTES))
    chosen = {seed: [block.start for block in blocks.sample(0.25, seed)] for seed in range(40)}
    assert chosen[1] == [block.start for block in blocks.sample(0.25, 1)]
    assert all(starts == sorted(set(starts)) for starts in chosen.values())
    assert {start for starts in chosen.values() for start in starts} == {block.start for block in blocks}
    at, _ = data_of(path, "w")
    flip(path, at + chosen[3][1] + 7)
    told = ff.verify(path, plan, sample=0.25, sample_seed=3).difference
    assert told is not None
    assert told.index == (chosen[3][1] + 7) // 2
    unseen = next(seed for seed, starts in chosen.items() if chosen[3][1] not in starts)
    assert ff.verify(path, plan, sample=0.25, sample_seed=unseen)


@pytest.mark.parametrize("sample", [0.0, -0.5, 1.5, float("nan"), "1", True, None])
def test_a_sample_out_of_range_is_refused(sample: float, tmp_path: Path) -> None:
    with pytest.raises((TypeError, ValueError), match="sample"):
        ff.verify(tmp_path, PLAN, sample=sample)


def test_threads_and_progress(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    PLAN.write(path)
    told: list[tuple[int, int]] = []
    for threads in (1, 3):
        told.clear()
        assert ff.verify(path, PLAN, threads=threads, progress=lambda done, total: told.append((done, total)))
        assert told[-1] == (PLAN.nbytes, PLAN.nbytes)
    with pytest.raises(TypeError, match="plan must be a Plan, got dict"):
        ff.verify(path, {})  # type: ignore[arg-type]


def test_a_file_that_shrinks_is_an_error_and_no_signal(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    PLAN.write(path)
    file = StoredCheckpoint.read(path).files[0]
    os.truncate(path, file.header.file_bytes - 100)
    with pytest.raises(OSError, match="changed its size") as caught:
        file.open()
    assert caught.value.filename == str(path)


def test_a_file_that_is_cut_off_while_it_is_read_is_an_error_too(tmp_path: Path) -> None:
    plan = ff.Plan([ff.ParamSpec("w", (40, 2**20), ff.Constant(0.0))], seed=0)  # five batches
    path = _sparse(tmp_path / "s.safetensors", "F32", (40, 2**20), plan.nbytes)
    with pytest.raises(OSError, match="ends before its data does") as caught:
        ff.verify(path, plan, progress=lambda done, total: os.truncate(path, 100 * 2**20))
    assert caught.value.filename == str(path)


def test_as_many_files_as_there_are_take_few_descriptors(tmp_path: Path) -> None:
    plan = ff.Plan([ff.ParamSpec(f"w{i}", (4,), ff.Normal()) for i in range(100)], seed=0)
    plan.write(tmp_path / "m", max_shard_size=16)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 10, before[1]))
    try:
        assert ff.verify(tmp_path / "m", plan)
        assert len(ff.weight_statistics(tmp_path / "m")) == 100
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@given(sizes=st.lists(st.integers(0, 3 * BLOCK_BYTES // 4 + 2), max_size=6), fraction=st.floats(0.01, 1.0))
@settings(max_examples=50, deadline=None)
def test_a_sample_of_blocks_is_some_of_all_blocks(sizes: list[int], fraction: float) -> None:
    pairs: list[Any] = [(None, StoredTensor(f"w{i}", "F32", (n,), 0, 4 * n)) for i, n in enumerate(sizes)]
    blocks = Blocks(pairs)
    everything = list(blocks)
    assert len(blocks) == len(everything)
    assert blocks.nbytes == sum(block.size for block in everything) == 4 * sum(sizes)
    chosen = blocks.sample(fraction, 1)
    assert len(chosen) == len(list(chosen)) == math.ceil(fraction * len(blocks))
    assert list(chosen) == [block for block in everything if block in list(chosen)]
    for some in (blocks, chosen):
        wanted = [block for block in some if block.tensor.name in ("w1", "w4")]
        assert list(some.of({"w1", "w4"})) == wanted
        assert some.of({"w1", "w4"}).nbytes == sum(block.size for block in wanted)


def test_a_header_that_claims_exabytes_takes_no_memory(tmp_path: Path) -> None:
    pair: Any = (None, StoredTensor("w", "F32", (2**60,), 0, 2**62))
    blocks = Blocks([pair])
    assert (len(blocks), blocks.nbytes) == (2**40, 2**62)
    assert next(iter(blocks)).size == BLOCK_BYTES
    with pytest.raises(ValueError, match="too many to draw a sample of"):
        blocks.sample(0.5, 0)


def test_places_beyond_two_to_the_32_are_counted_right(tmp_path: Path) -> None:
    from fanfill.checkpoint.block_comparison import BlockComparison

    shape, index = (3, 2**32), 2**33 + 12345
    spec = ff.ParamSpec("w", shape, ff.Normal(), dtype="float8_e4m3fn")
    plan = ff.Plan([spec], seed=1)
    tensor = StoredTensor("w", "F8_E4M3", shape, 0, spec.nbytes)
    file = StoredCheckpoint.read(_sparse(tmp_path / "s.safetensors", "F8_E4M3", shape, spec.nbytes)).files[0]
    block = Block(file, tensor, index - 100, index + 100)
    data = np.empty(200, np.uint8)
    ff.fill_(
        data,
        spec.law,
        seed=1,
        key="w",
        dtype=spec.dtype,
        region=ff.Region.flat(shape, block.start, block.stop),
    )
    with BlockComparison({"w": spec}, plan.seed, 1) as comparison:
        comparison.compare([(block, data)])
        assert comparison.difference is None
        data[100] ^= 0x80
        comparison.compare([(block, data)])
    assert comparison.difference is not None
    assert (comparison.difference.index, comparison.difference.multi_index) == (index, (2, 12345))


def _sparse(path: Path, dtype: str, shape: tuple[int, ...], nbytes: int) -> Path:
    """Make a file of zeros that takes no room on the disk."""
    text = json.dumps({"w": {"dtype": dtype, "shape": shape, "data_offsets": [0, nbytes]}}).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text)
    os.truncate(path, 8 + len(text) + nbytes)
    return path


_PEAK = """
import sys
import fanfill as ff
import fanfill.checkpoint.verification
def peak():  # of this program alone, where ru_maxrss still counts the process that started it
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
plan = ff.Plan([ff.ParamSpec("w", (2**27,), ff.Constant(0.0))], seed=0)
ff.fill_(bytearray(64), ff.Constant(0.0), seed=0, key=0, dtype="float32")
before = peak()
found = ff.verify(sys.argv[1], plan, statistics=sys.argv[2] == "statistics")
assert found and found.nbytes_checked == 2**29
print((peak() - before) // 1024)
"""


@pytest.mark.parametrize("what", ["bits", "statistics"])
def test_memory_stays_bounded_whatever_the_size(what: str, tmp_path: Path) -> None:
    path = _sparse(tmp_path / "s.safetensors", "F32", (2**27,), 2**29)
    command = [sys.executable, "-c", _PEAK, str(path), what]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 200  # MiB, of a file of 512
