"""Knows the safetensors format and what a broken write must leave behind; it must not know models or laws."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fanfill as ff
from fanfill.checkpoint import layout, writer
from fanfill.checkpoint.atomic_file import AtomicFile
from fanfill.checkpoint.header import CheckpointHeader, StoredTensor
from fanfill.checkpoint.stored_laws import StoredLaws
from fanfill.checkpoint.target import Written

LIMIT_MIB = 256  # peak memory above that after import


def plan(**shapes: Any) -> ff.Plan:
    shapes = shapes or {"a": (7, 5), "b": (3,), "c": (11, 2, 3), "scalar": (), "none": (0, 4), "d": (1001,)}
    return ff.Plan(
        [ff.ParamSpec(name, shape, ff.Normal(0.0, 0.5)) for name, shape in shapes.items()],
        seed=3,
        model="tiny",
        recipe="flat",
    )


def read_header(path: Path) -> tuple[dict[str, Any], bytes]:
    content = path.read_bytes()
    (length,) = struct.unpack_from("<Q", content)
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def read(path: Path, dtypes: dict[str, str]) -> dict[str, np.ndarray[Any, Any]]:
    """Return a file's tensors, by the format's own rules: no gap, no overlap, nothing left over."""
    entries, data = read_header(path)
    del entries["__metadata__"]
    end, tensors = 0, {}
    for name, entry in entries.items():
        start, stop = entry["data_offsets"]
        assert start == end
        array = np.frombuffer(data[start:stop], dtypes[entry["dtype"]])
        tensors[name] = array.reshape(entry["shape"])
        end = stop
    assert end == len(data)
    return tensors


def test_the_file_holds_the_plan(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    made = plan()
    written = made.write(path)
    assert written == Written(((path, path.stat().st_size),), path.stat().st_size)
    tensors = read(path, {"F32": "<f4"})
    assert list(tensors) == [spec.name for spec in made]
    for spec in made:
        np.testing.assert_array_equal(tensors[spec.name], made.array(spec.name))
        assert tensors[spec.name].shape == spec.shape


def test_data_begins_at_a_page_and_the_metadata_says_where_it_came_from(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    made = plan()
    made.write(path)
    entries, data = read_header(path)
    assert (path.stat().st_size - len(data)) % 4096 == 0
    assert entries["__metadata__"] == {
        "format": "pt",
        "fanfill.contract_version": str(made.contract_version),
        "fanfill.seed": "3",
        "fanfill.plan_hash": made.hash,
        "fanfill.recipe": "flat",
        "fanfill.model": "tiny",
        "fanfill.laws": StoredLaws.of(made).to_json(),
    }


@pytest.mark.parametrize("chunk", [8, 64, 1000 * 8, 2**20])
def test_chunks_of_any_size_give_the_same_file(
    chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan().write(tmp_path / "whole.safetensors")
    monkeypatch.setattr(writer, "_CHUNK_BYTES", chunk)
    plan().write(tmp_path / "chunked.safetensors")
    assert (tmp_path / "chunked.safetensors").read_bytes() == (tmp_path / "whole.safetensors").read_bytes()


@pytest.mark.parametrize("chunk", [8, 24, 2**20])
def test_element_types_of_all_widths_in_one_file(
    chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    widths = {"float8_e5m2": 5, "bfloat16": 3, "float64": 3, "float16": 1, "float8_e4m3fn": 3, "float32": 3}
    specs = [ff.ParamSpec(name, (size,), ff.Normal(), dtype=name) for name, size in widths.items()]
    monkeypatch.setattr(writer, "_CHUNK_BYTES", chunk)
    ff.Plan(specs, seed=1).write(tmp_path / "m.safetensors")
    codes = {"F64": "<f8", "F32": "<f4", "BF16": "<u2", "F16": "<f2", "F8_E4M3": "u1", "F8_E5M2": "u1"}
    tensors = read(tmp_path / "m.safetensors", codes)
    assert list(tensors) == ["float64", "float32", "bfloat16", "float16", "float8_e5m2", "float8_e4m3fn"]
    for spec in specs:
        wanted = np.empty(spec.shape, f"u{spec.element.itemsize}")
        ff.fill_(wanted, spec.law, seed=1, key=spec.name, dtype=spec.dtype)
        np.testing.assert_array_equal(tensors[spec.name].view(wanted.dtype), wanted)


def test_a_reserved_name_and_an_endless_header_are_refused_before_a_file_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match="__metadata__"):
        plan(__metadata__=(2,)).write(tmp_path / "m.safetensors")
    monkeypatch.setattr(layout, "MAX_HEADER", 100)
    with pytest.raises(ValueError, match="header"):
        plan().write(tmp_path / "m.safetensors")
    assert os.listdir(tmp_path) == []


def test_an_existing_file_is_kept_unless_replaced(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(b"old")
    with pytest.raises(FileExistsError) as caught:
        plan().write(path)
    assert caught.value.filename == str(path)
    assert path.read_bytes() == b"old"
    plan().write(path, replace=True)
    assert len(path.read_bytes()) > 3
    assert os.listdir(tmp_path) == ["m.safetensors"]


def test_a_name_taken_while_writing_is_not_clobbered(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    with AtomicFile(path, 3) as file:
        file.write_at(b"new", 0)
        path.write_bytes(b"other")
        with pytest.raises(FileExistsError):
            file.commit()
    assert path.read_bytes() == b"other"
    assert os.listdir(tmp_path) == ["m.safetensors"]


def test_the_name_is_free_until_the_whole_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_CHUNK_BYTES", 64)
    path = tmp_path / "m.safetensors"
    calls = []

    def progress(done: int, total: int) -> None:
        assert not path.exists()
        calls.append((done, total))

    plan().write(path, progress=progress)
    assert calls == sorted(calls)
    size = path.stat().st_size
    assert calls[-1] == (size, size)
    assert len(calls) == -(-size // 64)


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("old", [None, b"old"])
def test_an_error_or_interrupt_leaves_the_folder_as_it_was(
    error: type[BaseException], old: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_CHUNK_BYTES", 64)
    path = tmp_path / "m.safetensors"
    if old is not None:
        path.write_bytes(old)

    def stop(done: int, total: int) -> None:
        raise error

    with pytest.raises(error):
        plan().write(path, replace=True, progress=stop)
    assert os.listdir(tmp_path) == ([] if old is None else ["m.safetensors"])
    assert old is None or path.read_bytes() == old


def test_a_failed_write_names_the_file_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "pwrite", fail)
    with pytest.raises(OSError, match="Input/output error") as caught:
        plan().write(tmp_path / "m.safetensors")
    assert caught.value.filename == str(tmp_path / "m.safetensors")
    assert os.listdir(tmp_path) == []


def test_short_writes_are_carried_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan().write(tmp_path / "whole.safetensors")
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, offset: real(file, data[:100], offset))
    plan().write(tmp_path / "short.safetensors")
    assert (tmp_path / "short.safetensors").read_bytes() == (tmp_path / "whole.safetensors").read_bytes()


def test_the_room_needed_is_said_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"needs 4,611,686,018,427,\d\d\d,\d\d\d bytes, .* free"):
        plan(huge=(2**60,)).write(tmp_path / "m.safetensors")
    assert os.listdir(tmp_path) == []


def test_a_file_size_limit_is_an_error_that_leaves_nothing(tmp_path: Path) -> None:
    code = f"""
import resource, sys
import fanfill as ff
resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))
plan = ff.Plan([ff.ParamSpec("w", (2**20,), ff.Normal())], seed=0)
try:
    plan.write({str(tmp_path / "m.safetensors")!r})
except OSError as error:
    sys.exit(0 if error.filename == {str(tmp_path / "m.safetensors")!r} else str(error))
sys.exit("written beyond the limit")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert os.listdir(tmp_path) == []


def test_without_hard_links_the_name_is_still_taken_only_if_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_link(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_link)
    plan().write(tmp_path / "m.safetensors")
    assert os.listdir(tmp_path) == ["m.safetensors"]
    with AtomicFile(tmp_path / "n.safetensors", 1) as file:
        (tmp_path / "n.safetensors").write_bytes(b"other")
        with pytest.raises(FileExistsError):
            file.commit()
    assert (tmp_path / "n.safetensors").read_bytes() == b"other"


def test_file_systems_that_reserve_nothing_are_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "posix_fallocate", unsupported)
    plan().write(tmp_path / "m.safetensors")
    assert os.listdir(tmp_path) == ["m.safetensors"]


def test_a_folder_without_permission_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:  # root, who runs many test suites, may write to any folder
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(PermissionError) as caught:
        plan().write(tmp_path / "m.safetensors")
    assert caught.value.filename == str(tmp_path / "m.safetensors")


def test_peak_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    code = f"""
import fanfill as ff
def peak():  # of this program alone, where ru_maxrss still counts the process that started it
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
before = peak()
plan = ff.Plan([ff.ParamSpec("w", (2**27,), ff.Constant(1.0))], seed=0)  # 512 MiB
plan.write({str(tmp_path / "m.safetensors")!r})
print((peak() - before) / 1024)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (tmp_path / "m.safetensors").stat().st_size > 2**29
    assert 0 < float(done.stdout) <= LIMIT_MIB


def test_counters_are_int64_zeros_before_the_tensors(tmp_path: Path) -> None:
    made = plan()
    made.write(tmp_path / "m.safetensors", counters=("bn1.n", "bn2.n"))
    tensors = read(tmp_path / "m.safetensors", {"F32": "<f4", "I64": "<i8"})
    assert list(tensors) == ["bn1.n", "bn2.n", *(spec.name for spec in made)]
    for name in ("bn1.n", "bn2.n"):
        assert (tensors[name].dtype, tensors[name].shape, tensors[name].item()) == (np.int64, (), 0)
    np.testing.assert_array_equal(tensors["c"], made.array("c"))
    with pytest.raises(ValueError, match="'a'"):
        made.write(tmp_path / "n.safetensors", counters=("a",))


def stored(tmp_path: Path, entries: Any, data: bytes = b"", length: int | None = None) -> Path:
    """Write a file of this header, whatever it says."""
    text = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    path = tmp_path / "m.safetensors"
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)
    return path


def entry(dtype: str = "F32", shape: Any = (2,), offsets: Any = (0, 8), **more: Any) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets, **more}


def test_a_header_reads_back(tmp_path: Path) -> None:
    made = plan()
    made.write(tmp_path / "m.safetensors", counters=("n",))
    header = CheckpointHeader.read(tmp_path / "m.safetensors")
    assert [(t.name, t.shape, t.stop - t.start) for t in header.tensors if t.name in made] == [
        (spec.name, spec.shape, spec.nbytes) for spec in made
    ]
    assert header.tensors[0] == StoredTensor("n", "I64", (), 0, 8)
    assert header.fanfill == {
        "contract_version": "1",
        "seed": "3",
        "plan_hash": made.hash,
        "recipe": "flat",
        "model": "tiny",
        "laws": StoredLaws.of(made).to_json(),
    }
    assert header.file_bytes == (tmp_path / "m.safetensors").stat().st_size
    assert header.header_bytes == 4096


@pytest.mark.parametrize(
    ("entries", "data", "length", "message"),
    [
        (b"", b"", 100_000_001, "100,000,001"),
        (b"{}", b"", 3, "3 bytes in a file of 10"),
        (b"{", b"", None, "JSON"),
        (b"\xff\xfe", b"", None, "JSON"),
        (b"[" * 100_000, b"", None, "JSON"),
        ([], b"", None, "object"),
        (b'{"a":1,"a":1}', b"", None, "twice"),
        ({"__metadata__": {"a": 1}}, b"", None, "strings"),
        ({"__metadata__": []}, b"", None, "strings"),
        ({"__metadata__": {"fanfill.seed": "seven"}}, b"", None, "fanfill.seed"),
        ({"w": 1}, b"", None, "dtype, shape and data_offsets"),
        ({"w": {"dtype": "F32", "shape": [2]}}, bytes(8), None, "dtype, shape and data_offsets"),
        ({"w": entry(more=1)}, bytes(8), None, "dtype, shape and data_offsets"),
        ({"w": entry("F33")}, bytes(8), None, "F33"),
        ({"w": entry([])}, bytes(8), None, "dtype"),
        ({"w": entry(shape=[-2])}, bytes(8), None, "sizes"),
        ({"w": entry(shape=[2.0])}, bytes(8), None, "sizes"),
        ({"w": entry(shape=[True])}, bytes(8), None, "sizes"),
        ({"w": entry(offsets=[0])}, bytes(8), None, "sizes"),
        ({"w": entry(shape=[3])}, bytes(8), None, "fit"),
        ({"w": entry(shape=[2**40, 2**40])}, bytes(8), None, "fit"),
        ({"w": entry("F4", [3], [0, 2])}, bytes(2), None, "fit"),
        ({"w": entry(offsets=[4, 12])}, bytes(12), None, "begins at byte 4"),
        ({"v": entry(), "w": entry(offsets=[4, 12])}, bytes(12), None, "begins at byte 4"),
        ({"v": entry(), "w": entry(offsets=[9, 17])}, bytes(17), None, "begins at byte 9"),
        ({"w": entry()}, bytes(7), None, "holds 7"),
        ({"w": entry()}, bytes(9), None, "holds 9"),
    ],
)
def test_a_malformed_header_is_refused(
    entries: Any, data: bytes, length: int | None, message: str, tmp_path: Path
) -> None:
    path = stored(tmp_path, entries, data, length)
    with pytest.raises(ValueError, match=message) as caught:
        CheckpointHeader.read(path)
    assert str(path) in str(caught.value)


def test_a_well_formed_header_of_any_order_is_read(tmp_path: Path) -> None:
    path = stored(
        tmp_path,
        {"w": entry(offsets=(8, 16)), "v": entry(), "e": entry(shape=(0,), offsets=(8, 8))},
        bytes(16),
    )
    assert [tensor.name for tensor in CheckpointHeader.read(path).tensors] == ["v", "e", "w"]


def test_a_fused_weight_is_the_same_in_chunks_of_any_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    laws = (ff.Normal(0.0, 1.0), ff.Normal(0.0, 2.0), ff.Constant(0.5))
    specs = [
        ff.ParamSpec("oi", (9, 7), laws, parts=3),
        ff.ParamSpec("io", (7, 9), laws, parts=(2, 3, 4), layout="io"),
        ff.ParamSpec("experts", (5, 7, 6), laws, parts=3, batch_axes=(0,), layout="io"),
        ff.ParamSpec("embedding", (11, 5), ff.Normal(), padding_row=4),
    ]
    made = ff.Plan(specs, seed=2)
    for chunk in (8, 64, 2**20):
        monkeypatch.setattr(writer, "_CHUNK_BYTES", chunk)
        made.write(tmp_path / "m.safetensors", replace=True)
        tensors = read(tmp_path / "m.safetensors", {"F32": "<f4"})
        for spec in made:
            np.testing.assert_array_equal(tensors[spec.name], made.array(spec.name))
