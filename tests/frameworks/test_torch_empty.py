"""fanfill.torch.empty: a tensor in memory whose pages are there, of every dtype, without ml_dtypes."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import fanfill as ff

pytestmark = pytest.mark.framework

NAMES = ["float64", "float32", "bfloat16", "float16", "float8_e4m3fn", "float8_e5m2"]


@pytest.fixture
def empty(torch: ModuleType) -> Any:
    from fanfill.torch.empty_tensor import empty

    return empty


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [((),), (0,), (5,), (3, 4), ((3, 4),), ([2, 3, 5],), (1100, 4000)])
def test_size_and_dtype(torch: ModuleType, empty: Any, size: Any, name: str, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    out = empty(*size, dtype=getattr(torch, name))
    plain = torch.empty(*size, dtype=getattr(torch, name))
    assert (out.shape, out.dtype, out.stride()) == (plain.shape, plain.dtype, plain.stride())
    assert out.is_contiguous()
    assert not out.requires_grad
    assert out.data_ptr() % 64 == 0


def test_the_default_dtype(torch: ModuleType, empty: Any) -> None:
    assert empty(3).dtype == torch.get_default_dtype()


def test_a_fill_gives_the_bits_of_any_tensor(torch: ModuleType, empty: Any) -> None:
    ours = ff.normal_(empty(1500, 1400, dtype=torch.bfloat16), seed=7, key="w")
    theirs = ff.normal_(torch.empty(1500, 1400, dtype=torch.bfloat16), seed=7, key="w")
    assert torch.equal(ours, theirs)
    assert torch.equal(copy.deepcopy(ours), theirs)
    assert torch.equal(pickle.loads(pickle.dumps(ours)), theirs)
    assert torch.equal(torch.nn.Parameter(ours).detach(), theirs)


@pytest.mark.skipif(sys.platform != "linux", reason="pages are made on Linux alone")
def test_its_pages_are_there_and_freed_with_the_last_tensor(torch: ModuleType, empty: Any) -> None:
    def resident_bytes() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")

    gc.collect()
    before = resident_bytes()
    out = empty(64 << 18)
    assert resident_bytes() - before >= 63 << 20
    row = out.view(64, -1)[3]
    del out
    assert resident_bytes() - before >= 63 << 20
    del row
    gc.collect()
    assert resident_bytes() - before < 8 << 20


def test_refusals(torch: ModuleType, empty: Any) -> None:
    with pytest.raises(MemoryError, match=r"size: \(1000000000000,\) of bfloat16"):
        empty(10**12, dtype=torch.bfloat16)
    with pytest.raises(TypeError, match="dtype"):
        empty(3, dtype=torch.int32)
    with pytest.raises(ValueError, match="size"):
        empty(-1)
    with pytest.raises(ValueError, match="threads"):
        empty(3, threads=0)
