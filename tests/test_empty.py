"""ff.empty: aligned, its pages there, freed, pickled, forked, and refused before anything is allocated."""

from __future__ import annotations

import gc
import os
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

import fanfill as ff
from fanfill import _core, empty
from fanfill.memory.available import available_bytes

MIB = 1 << 20

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="pages are made on Linux alone")


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", np.float32, np.dtype("float64")])
@pytest.mark.parametrize("shape", [(), 0, 5, (3, 0), (4, 5, 6), (1024, 3000)])
def test_shape_dtype_and_alignment(shape: object, dtype: object) -> None:
    out = ff.empty(shape, dtype)
    plain = np.empty(shape, dtype)
    assert (out.shape, out.dtype) == (plain.shape, plain.dtype)
    assert out.ctypes.data % 64 == 0
    assert out.flags.c_contiguous
    assert out.flags.writeable


def test_float32_is_the_default() -> None:
    assert ff.empty(3).dtype == np.float32


@needs_linux
@pytest.mark.parametrize("threads", [1, 3, None])
def test_its_pages_are_there_and_freed_with_it(threads: int | None) -> None:
    gc.collect()
    before = resident_bytes()
    out = ff.empty(64 * MIB // 4, threads=threads)
    assert resident_bytes() - before >= 63 * MIB
    part = out[5:9]
    del out
    assert resident_bytes() - before >= 63 * MIB
    del part
    gc.collect()
    assert resident_bytes() - before < 8 * MIB


def test_a_fill_gives_the_bits_of_any_memory() -> None:
    shape = (1500, 1400)
    filled = ff.normal_(ff.empty(shape), seed=7, key="w")
    assert filled.tobytes() == ff.normal_(np.empty(shape, np.float32), seed=7, key="w").tobytes()
    assert pickle.loads(pickle.dumps(filled)).tobytes() == filled.tobytes()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_process_has_its_own() -> None:
    out = ff.empty(2 * MIB, threads=2)
    out[:] = 1.0
    child = os.fork()
    if child == 0:
        out[:] = 2.0
        again = ff.empty(2 * MIB, threads=2)
        again[:] = 3.0
        os._exit(0 if out[-1] == 2.0 and again[0] == 3.0 else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert out[0] == out[-1] == 1.0


class TestRefusals:
    """Nothing is allocated where an argument is wrong."""

    @pytest.fixture(autouse=True)
    def nothing_is_allocated(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(np, "empty", lambda *_: pytest.fail("allocated"))
        monkeypatch.setattr(_core, "make_pages", lambda *_: pytest.fail("made pages"))

    def test_more_than_the_machine_has(self) -> None:
        left = available_bytes()
        assert left is not None
        with pytest.raises(
            MemoryError, match=r"shape: \(\d+,\) of float64 needs [\d,]+ bytes, and [\d,]+ are"
        ):
            ff.empty(left // 8 + (1 << 31), "float64")

    def test_more_than_any_machine_has(self) -> None:
        with pytest.raises(MemoryError, match="shape"):
            ff.empty((1 << 30, 1 << 30))
        with pytest.raises(OverflowError, match="shape"):
            ff.empty((1 << 32, 1 << 31))

    @pytest.mark.parametrize(
        ("arguments", "kind", "message"),
        [
            (((-1,),), ValueError, "shape"),
            (("3",), TypeError, "shape"),
            ((2.0,), TypeError, "shape"),
            ((3, "int8"), TypeError, "dtype"),
            ((3, None), TypeError, "dtype"),
        ],
    )
    def test_arguments(self, arguments: tuple[object, ...], kind: type[Exception], message: str) -> None:
        with pytest.raises(kind, match=message):
            ff.empty(*arguments)

    @pytest.mark.parametrize("threads", [0, -1, 1.0, "2", True])
    def test_threads(self, threads: object) -> None:
        with pytest.raises((TypeError, ValueError), match="threads"):
            ff.empty(3, threads=threads)

    def test_a_dtype_without_ml_dtypes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "ml_dtypes", None)
        with pytest.raises(ImportError, match="ml_dtypes"):
            ff.empty(3, "bfloat16")


class TestAvailable:
    """What is left of the machine's memory and of the cgroups', from files as Linux writes them."""

    def files(self, folder: Path, cgroup: str, mount: str, **limits: str) -> tuple[str, str]:
        (folder / "proc").mkdir()
        (folder / "cg" / "a").mkdir(parents=True)
        (folder / "proc/cgroup").write_text(cgroup)
        (folder / "proc/mountinfo").write_text(f"31 23 0:28 / {folder}/cg rw - {mount}\n")
        for name, text in limits.items():
            (folder / "cg/a" / name.replace("__", ".")).write_text(text + "\n")
        machine = folder / "meminfo"
        machine.write_text(
            "MemTotal:  9000 kB\nMemAvailable:  5000 kB\nSwapFree:  1000 kB\nHugePages_Total: 0\n"
        )
        return str(folder / "proc"), str(machine)

    def test_the_machine(self, tmp_path: Path) -> None:
        assert available_bytes(*self.files(tmp_path, "0::/a\n", "cgroup2 cgroup2 rw")) == 6000 * 1024

    def test_version_2(self, tmp_path: Path) -> None:
        limits = {"memory__max": "3000", "memory__current": "2500", "memory__stat": "anon 900\nfile 1600"}
        assert available_bytes(*self.files(tmp_path, "0::/a\n", "cgroup2 cgroup2 rw", **limits)) == 2100

    def test_version_2_without_a_limit(self, tmp_path: Path) -> None:
        limits = {"memory__max": "max", "memory__current": "2500"}
        found = available_bytes(*self.files(tmp_path, "0::/a\n", "cgroup2 cgroup2 rw", **limits))
        assert found == 6000 * 1024

    def test_version_1(self, tmp_path: Path) -> None:
        limits = {
            "memory__limit_in_bytes": "3000",
            "memory__usage_in_bytes": "4000",
            "memory__stat": "cache 1\ntotal_cache 500",
        }
        files = self.files(tmp_path, "4:memory:/a\n", "cgroup cgroup rw,memory", **limits)
        assert available_bytes(*files) == 0

    def test_a_system_that_does_not_say(self, tmp_path: Path) -> None:
        assert available_bytes(str(tmp_path), str(tmp_path / "none")) is None

    def test_where_none_is_known_the_allocation_decides(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys.modules["fanfill.empty"], "available_bytes", lambda: None)
        assert empty(2 * MIB).size == 2 * MIB
