"""Knows which files must be refused before anything is allocated, opened or written, and in which words."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import fanfill as ff
from fanfill.checkpoint.header import CheckpointHeader
from fanfill.checkpoint.shard_index import ShardIndex
from fanfill.checkpoint.stored_checkpoint import StoredCheckpoint
from fanfill.hf.companions import companion_files
from fanfill.hf.config import HfConfig
from fanfill.regular_file import read_regular
from fanfill.strict_json import json_object


def parsers(folder: Path) -> dict[str, Callable[[bytes], object]]:
    """Return every reader of JSON, each from bytes."""

    def header(text: bytes) -> object:
        (folder / "m.safetensors").write_bytes(struct.pack("<Q", len(text)) + text)
        return CheckpointHeader.read(folder / "m.safetensors")

    def config(text: bytes) -> object:
        (folder / "config.json").write_bytes(text)
        return HfConfig.read(folder / "config.json")

    def plan(text: bytes) -> object:
        return ff.Plan.from_json(text.decode())

    return {"header": header, "index": ShardIndex.from_json, "plan": plan, "config": config}


@pytest.mark.parametrize("name", ["header", "index", "plan", "config"])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"[" * 100_000, "nested too deep"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deep"),
        (b'{"a": 1, "a": 2}', "a key occurs twice"),
        (b'{"a": {"b": 1, "\\u0062": 2}}', "a key occurs twice"),
        (b'{"a": NaN}', "the literal NaN"),
        (b'{"a": 123456789012345678901}', "an integer of 21 digits"),
        (b'{"a": -' + b"9" * 5000 + b"}", "an integer of 5001 digits"),
        (b'{"a": "\xff"}', "JSON|utf-8"),
        (b'{"\\ud800": 1}', "isn't JSON, which is UTF-8"),
        (b'{"a": ["\\uDC00\\ud800"]}', "isn't JSON, which is UTF-8"),
        (b"\xef\xbb\xbf{}", "JSON"),
        (b"[]", "must be a JSON object, got list"),
        (b"null", "must be a JSON object, got NoneType"),
        (b"", "JSON"),
        (b'{"a": 1} x', "JSON"),
        (b'{"a": [' + b"{}," * 4_000_001 + b"{}]}", "too many members"),
        (b'{"a": [' + b"1," * 8_000_001 + b"1]}", "too many members"),
    ],
    ids=lambda value: value[:12].hex() if isinstance(value, bytes) else None,
)
def test_json_that_is_hostile_is_refused_everywhere(
    name: str, text: bytes, message: str, tmp_path: Path
) -> None:
    begin = time.process_time()
    with pytest.raises(ValueError, match=message):
        parsers(tmp_path)[name](text)
    assert time.process_time() - begin < 2.0


def test_infinities_are_refused_where_python_did_not_write_them() -> None:
    with pytest.raises(ValueError, match="the literal -Infinity, which is no JSON"):
        json_object('{"a": -Infinity}', "the plan")
    found = json_object('{"a": [0.0, Infinity]}', "the config", infinities=True)  # as published for Mamba 2
    assert found == {"a": [0.0, float("inf")]}
    assert json_object(b'{"a": "\\ud83d\\ude00 \\\\ud800"}', "the config") == {"a": "\U0001f600 \\ud800"}


def plan_content() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(ff.Plan([ff.ParamSpec("w", (2, 3), ff.Normal())], seed=1).to_json())
    return content


@pytest.mark.parametrize("version", [True, 1.0, "1", None, [1], 0, 2])
def test_a_contract_version_is_an_integer_and_ours(version: object) -> None:
    with pytest.raises(ValueError, match="contract version"):
        ff.Plan.from_json(json.dumps({**plan_content(), "contract_version": version}))


@pytest.mark.parametrize("text", [None, b"{}", 3, {}, Path("plan.json")])
def test_what_is_no_text_is_a_type_error_that_says_so(text: Any) -> None:
    with pytest.raises(TypeError, match=r"text must be the str that Plan\.to_json returned"):
        ff.Plan.from_json(text)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("name", 3),
        ("name", ""),
        ("name", "\ud800"),
        ("shape", [True, 3]),
        ("shape", [2.0, 3]),
        ("shape", [-2, 3]),
        ("shape", [2**62, 3]),
        ("shape", "23"),
        ("shape", {}),
        ("shape", None),
        ("dtype", 1),
        ("dtype", "int8"),
        ("law", []),
        ("law", {}),
        ("law", "normal"),
        ("law", {"law": "normal", "mean": True, "std": 1.0}),
        ("law", {"law": "normal", "mean": 0.0, "std": "1"}),
        ("law", {"law": "normal", "mean": 0.0, "std": -1.0}),
        ("law", {"law": "normal", "mean": 0.0, "std": 1.0, "more": 1}),
        ("law", {"law": "truncated_normal", "bounds": [2.0, -2.0]}),
        ("law", {"law": "truncated_normal", "bounds": 3}),
        ("law", {"law": "truncated_normal", "unit": ["sigma"]}),
        ("layout", "xx"),
        ("layout", ["oi"]),
        ("parts", [1, 2]),
        ("parts", -1),
        ("parts", True),
        ("parts", [2**70]),
        ("batch_axes", [5]),
        ("batch_axes", [0, 0]),
        ("padding_row", 2),
        ("padding_row", True),
        ("buffer", 1),
        ("tie", "head"),
        ("tie", ["w"]),
        ("tie", [None]),
        ("more", 1),
    ],
)
def test_a_plans_parameter_of_wrong_types_is_a_value_error(member: str, value: object) -> None:
    content = plan_content()
    content["parameters"][0][member] = value
    with pytest.raises(ValueError, match=r".") as caught:
        ff.Plan.from_json(json.dumps(content))
    assert "says its hash" not in str(caught.value)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("seed", True),
        ("seed", -1),
        ("seed", 2**64),
        ("seed", 1.5),
        ("seed", None),
        ("parameters", None),
        ("parameters", {}),
        ("parameters", [1]),
        ("parameters", [[]]),
        ("model", 1),
        ("recipe", []),
        ("hash", None),
        ("hash", "0" * 64),
    ],
)
def test_a_plan_of_wrong_types_is_a_value_error(member: str, value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        ff.Plan.from_json(json.dumps({**plan_content(), member: value}))


BAD_FILES = [
    "../model.safetensors",
    "/etc/passwd.safetensors",
    "a/b.safetensors",
    "..\\b.safetensors",
    "C:b.safetensors",
    "a\0.safetensors",
    "a\n.safetensors",
    "\x1b[2J.safetensors",
    "..",
    ".",
    "",
    "model.bin",
    "model.safetensors.index.json",
    "a" * 250 + ".safetensors",
    "\u202emodel.safetensors",
]


@pytest.mark.parametrize("file", BAD_FILES)
def test_a_shards_name_can_not_lead_out_of_its_folder(file: str, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"w": file}}))
    with pytest.raises(ValueError, match="plain name of a safetensors file"):
        StoredCheckpoint.read(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "weight_map"),
        ({"weight_map": []}, "weight_map"),
        ({"weight_map": {}}, "weight_map"),
        ({"weight_map": {"w": 3}}, "type int"),
        ({"weight_map": {"w": None}}, "type NoneType"),
        ({"weight_map": {"w": "a.safetensors"}, "metadata": 3}, "metadata"),
        ({"weight_map": {"w": "a.safetensors"}, "metadata": {"total_size": -1}}, "total_size"),
        ({"weight_map": {"w": "a.safetensors"}, "metadata": {"total_size": True}}, "total_size"),
        ({"weight_map": {"v": "M.safetensors", "w": "m.safetensors"}}, "where case doesn't count"),
        ({"weight_map": {"v": "\u00e9.safetensors", "w": "e\u0301.safetensors"}}, "where case doesn't count"),
        ({"weight_map": {"v": "stra\u00dfe.safetensors", "w": "strasse.safetensors"}}, "where case doesn't"),
    ],
)
def test_an_index_that_is_none_is_refused(content: object, message: str, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=message) as caught:
        StoredCheckpoint.read(tmp_path)
    assert str(tmp_path) in str(caught.value)


def sharded(folder: Path) -> ff.Plan:
    plan = ff.Plan([ff.ParamSpec(f"h.{i}.w", (8, 4), ff.Normal()) for i in range(3)], seed=3)
    plan.write(folder, max_shard_size="128")
    return plan


def test_a_shard_that_is_a_link_is_refused(tmp_path: Path) -> None:
    sharded(tmp_path / "m")
    shard = tmp_path / "m" / "model-00002-of-00003.safetensors"
    shard.rename(tmp_path / "elsewhere.safetensors")
    shard.symlink_to(tmp_path / "elsewhere.safetensors")
    with pytest.raises(OSError, match="is a symbolic link") as caught:
        StoredCheckpoint.read(tmp_path / "m")
    assert caught.value.filename == str(shard)


def test_the_links_of_hugging_faces_cache_are_followed_and_no_further(tmp_path: Path) -> None:
    snapshot, blobs = tmp_path / "snapshots" / "1", tmp_path / "blobs"
    plan = sharded(snapshot)
    blobs.mkdir()
    for number in (1, 2, 3):
        shard = snapshot / f"model-0000{number}-of-00003.safetensors"
        shard.rename(blobs / f"{number:064x}")
        shard.symlink_to(f"../../blobs/{number:064x}")
    assert ff.verify(snapshot, plan)
    (blobs / f"{2:064x}").rename(tmp_path / "elsewhere")
    (blobs / f"{2:064x}").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="is a symbolic link"):
        ff.verify(snapshot, plan)


def test_a_pipe_or_a_folder_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.safetensors")
    with pytest.raises(OSError, match="is no regular file"):
        CheckpointHeader.read(tmp_path / "pipe.safetensors")
    with pytest.raises(IsADirectoryError):
        CheckpointHeader.read(tmp_path)
    (tmp_path / "model.safetensors.index.json").mkdir()
    with pytest.raises(IsADirectoryError):
        StoredCheckpoint.read(tmp_path)


def test_a_tensor_in_two_files_and_files_of_two_checkpoints_are_refused(tmp_path: Path) -> None:
    sharded(tmp_path / "m")
    first, second = (tmp_path / "m" / f"model-0000{n}-of-00003.safetensors" for n in (1, 2))
    content = second.read_bytes()
    second.write_bytes(first.read_bytes())
    with pytest.raises(ValueError, match=r"tensor 'h\.0\.w' is in"):
        StoredCheckpoint.read(tmp_path / "m")
    second.write_bytes(content.replace(b'"fanfill.seed":"3"', b'"fanfill.seed":"4"'))
    with pytest.raises(ValueError, match=r"mixes several checkpoints: .* differ in seed"):
        StoredCheckpoint.read(tmp_path / "m")
    second.unlink()
    (tmp_path / "m" / "model.safetensors.index.json").unlink()
    second.with_name("model-00001-of-00004.safetensors").write_bytes(content)
    with pytest.raises(ValueError, match="shards of several checkpoints"):
        StoredCheckpoint.read(tmp_path / "m")
    (tmp_path / "n").mkdir()
    (tmp_path / "n" / "model-00001-of-99999999.safetensors").write_bytes(content)
    with pytest.raises(ValueError, match="a checkpoint of 99999999 files"):
        StoredCheckpoint.read(tmp_path / "n")


def test_companions_are_known_files_and_no_links(tmp_path: Path) -> None:
    for name in ("tokenizer.json", "generation_config.json", "modeling_x.py", "model.bin", "README.md"):
        (tmp_path / name).write_text(name)
    assert companion_files(tmp_path / "config.json") == {
        name: name.encode() for name in ("generation_config.json", "tokenizer.json")
    }
    (tmp_path / "vocab.txt").symlink_to("/etc/passwd")
    with pytest.raises(OSError, match="is a symbolic link"):
        companion_files(tmp_path)
    (tmp_path / "vocab.txt").unlink()
    os.truncate(tmp_path / "tokenizer.json", 2**29)
    with pytest.raises(ValueError, match="has 536,870,912 bytes"):
        companion_files(tmp_path)


def test_no_more_than_the_limit_is_read(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"12345")
    assert read_regular(tmp_path / "f", 5) == b"12345"
    with pytest.raises(ValueError, match="has 5 bytes, and at most 4 are read"):
        read_regular(tmp_path / "f", 4)
    with pytest.raises(ValueError, match="at most 4 are read"):
        read_regular("/proc/self/status", 4)  # whose size says 0


_HOSTILE = """
import sys
from fanfill.checkpoint.header import CheckpointHeader
from fanfill.checkpoint.verification import verify
def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
before = peak()
try:
    CheckpointHeader.read(sys.argv[1])
except ValueError as error:
    print(str(error)[-80:])
print((peak() - before) // 1024)
"""


@pytest.mark.parametrize("unit", [b"[],", b"1,", b'"a",'])
def test_a_header_of_100_mb_makes_no_gigabytes(unit: bytes, tmp_path: Path) -> None:
    text = b'{"a":[' + unit * (99_999_900 // len(unit)) + b"1]}"
    path = tmp_path / "m.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text)
    done = subprocess.run(
        [sys.executable, "-c", _HOSTILE, str(path)], capture_output=True, text=True, check=True
    )
    said, grown = done.stdout.splitlines()
    assert "too many members" in said
    assert int(grown) < 300
    with path.open("r+b") as file:
        file.write(struct.pack("<Q", 100_000_001))
    with pytest.raises(ValueError, match="a header of 100,000,001 bytes"):
        CheckpointHeader.read(path)


def test_a_name_of_megabytes_does_not_fill_the_terminal(tmp_path: Path) -> None:
    for entry in (1, {"dtype": "x" * 10**6, "shape": [], "data_offsets": [0, 0]}):
        text = json.dumps({"n" * 10**6: entry}).encode()
        (tmp_path / "m.safetensors").write_bytes(struct.pack("<Q", len(text)) + text)
        with pytest.raises(ValueError, match="no safetensors file") as caught:
            CheckpointHeader.read(tmp_path / "m.safetensors")
        assert len(str(caught.value)) < 1000


def test_deep_json_is_refused_whatever_the_limit_of_recursion() -> None:
    code = (
        "import sys; sys.setrecursionlimit(3000); import fanfill as ff\n"
        "try: ff.Plan.from_json('[' * 10**6)\n"
        "except ValueError: print('refused')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "refused\n"
