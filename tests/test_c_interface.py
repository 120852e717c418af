"""The C interface against foreign structs: any is filled from or refused, and a refusal writes nothing.

It must not know what a value is: the memory alone is looked at.
"""

from __future__ import annotations

import ctypes
import importlib.util
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fanfill as ff

EXAMPLE = Path(__file__).parents[1] / "examples/ctypes_fill.py"
OK, BAD_ARGUMENT, BAD_ABI = 0, 14, 101  # from fanfill.h
STATUSES = {*range(15 + 2), 100, BAD_ABI} - {1}
RANKS = 64  # the arrays have so many entries, whatever the rank says
REACH = 512  # bytes, of a stride
EXTENT = 4


def job_type() -> type[ctypes.Structure]:
    spec = importlib.util.spec_from_file_location("ctypes_fill", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Job


@pytest.fixture(scope="module")
def library() -> ctypes.CDLL:
    loaded = ctypes.CDLL(ff.get_library())
    loaded.fanfill_fill.argtypes = [
        ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint64, ctypes.c_int
    ]  # fmt: skip
    loaded.fanfill_message.restype = ctypes.c_char_p
    return loaded


Job = job_type()
members = st.one_of(st.integers(-1, 7), st.integers(-(2**31), 2**31 - 1))
numbers = st.one_of(st.floats(), st.sampled_from([0.0, 1.0, -2.0, 2.0, 1e-300, 5.0]))
words = st.integers(0, 2**64 - 1)
sizes = st.one_of(st.integers(0, 8), words)
foreign = st.fixed_dictionaries(
    {
        **dict.fromkeys(("dtype", "law"), st.one_of(st.integers(0, 5), members)),
        **dict.fromkeys(
            ("bound_unit", "value_map", "correct_variance"), st.one_of(st.integers(0, 1), members)
        ),
        "rank": st.one_of(st.integers(0, EXTENT), members),
        **dict.fromkeys(("mean", "std", "low", "high", "floor", "step"), numbers),
        **dict.fromkeys(("period", "stream"), words),
    }
)


def array(values: list[int] | None, kind: Any, rest: int) -> Any:
    return None if values is None else (kind * RANKS)(*values, *[rest] * (RANKS - len(values)))


@given(
    fields=foreign,
    shape=st.one_of(st.none(), st.lists(st.integers(0, EXTENT), max_size=4)),
    strides=st.one_of(st.none(), st.lists(st.integers(-REACH, REACH), min_size=4, max_size=4)),
    whole=st.one_of(st.none(), st.lists(sizes, max_size=4)),
    offset=st.one_of(st.none(), st.lists(sizes, max_size=4)),
    place=st.sampled_from([None, 0, 0, 0, 1, 4]),
)
def test_a_foreign_struct_is_filled_from_or_refused(
    library: ctypes.CDLL,
    fields: dict[str, Any],
    shape: list[int] | None,
    strides: list[int] | None,
    whole: list[int] | None,
    offset: list[int] | None,
    place: int | None,
) -> None:
    memory = np.full(1 << 16, 0xA5, np.uint8)  # all that such a struct can reach, on either side
    job = Job(
        data=None if place is None else memory.ctypes.data + memory.size // 2 + place,
        shape=array(shape, ctypes.c_uint64, 1),
        byte_strides=array(strides, ctypes.c_int64, 0),
        global_shape=array(whole, ctypes.c_uint64, 1),
        offset=array(offset, ctypes.c_uint64, 0),
        **fields,
    )
    status = library.fanfill_fill(1, ctypes.byref(job), 1, 7, 1)
    assert status in STATUSES
    assert library.fanfill_message(status) != b"not a status"
    if status != OK:
        assert (memory == 0xA5).all()


def test_a_struct_in_order_is_filled(library: ctypes.CDLL) -> None:
    memory = np.zeros(6, np.float32)
    shape = (ctypes.c_uint64 * 1)(6)
    job = Job(data=memory.ctypes.data, dtype=1, law=2, rank=1, std=1.0, stream=3, shape=shape)
    assert library.fanfill_fill(1, ctypes.byref(job), 1, 7, 1) == OK
    np.testing.assert_array_equal(memory, ff.normal(6, seed=7, key=3))


@given(abi=st.integers(-(2**31), 2**31 - 1).filter(lambda abi: abi != 1), jobs=st.integers(0, 2**64 - 1))
def test_another_abi_is_refused_before_a_struct_is_read(library: ctypes.CDLL, abi: int, jobs: int) -> None:
    assert library.fanfill_fill(abi, jobs, 2**40, 7, 1) == BAD_ABI
    assert b"fanfill.h" in library.fanfill_message(BAD_ABI)


@given(threads=st.integers(-(2**31), 0))
def test_no_thread_at_all_is_refused(library: ctypes.CDLL, threads: int) -> None:
    assert library.fanfill_fill(1, None, 0, 7, threads) == BAD_ARGUMENT


HEADER = Path(ff.get_include()) / "fanfill/fanfill.h"
DECLARATIONS = Path(ff.__file__).with_name("__init__.pxd")
MEMBERS = re.compile(r"(?:const )?(?:void|int32_t|int64_t|uint64_t|double)\*? \*?(\w+)(?:;|$)", re.MULTILINE)
NAMES = re.compile(r"^\s+(FANFILL_\w+)$", re.MULTILINE)
FUNCTIONS = re.compile(
    r"^(?:FANFILL_EXPORT| {4})\s*((?:const char\*|int) fanfill_\w+\(.*?\))", re.MULTILINE | re.DOTALL
)


def normal(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("(void)", "()")


def test_cython_and_ctypes_see_what_the_header_declares() -> None:
    header = re.sub(r"/\*.*?\*/", "", HEADER.read_text(encoding="utf-8"), flags=re.DOTALL)
    cython = DECLARATIONS.read_text(encoding="utf-8")
    struct = header.partition("typedef struct fanfill_job {")[2].partition("}")[0]
    fields = MEMBERS.findall(struct)
    assert len(fields) == struct.count(";")
    assert fields == MEMBERS.findall(
        cython.partition("ctypedef struct fanfill_job:")[2].partition("int fanfill_fill")[0]
    )
    assert fields == [field[0] for field in Job._fields_]
    assert ctypes.sizeof(Job) == 128
    enumerators = " ".join(re.findall(r"^enum \w+ \{(.*?)\}", header, re.MULTILINE | re.DOTALL))
    assert re.findall(r"FANFILL_\w+", enumerators) == NAMES.findall(cython)
    functions = [normal(text) for text in FUNCTIONS.findall(header)]
    assert len(functions) == 4
    assert functions == [normal(text) for text in FUNCTIONS.findall(cython)]
