"""Knows what any call of the Python interface must do: write the right values, or refuse and write nothing.

It must not know where the choices come from: bytes, which a fuzzer or hypothesis makes.
"""

from __future__ import annotations

import array
import ctypes
import mmap
from collections.abc import Callable
from typing import Any

import numpy as np

import fanfill as ff

__all__ = ["REFUSALS", "Choices", "boundary"]

# What the docstrings name. TypeError and ValueError are bad arguments, BufferError memory that can't be had.
REFUSALS = (TypeError, ValueError, BufferError, OverflowError, MemoryError)
_ELEMENTS = 64


class Choices:
    """Choices made by bytes; all zero when they are used up."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def below(self, n: int) -> int:
        """Return a number below n."""
        width = 1 if n <= 256 else 8
        piece = self._data[self._at : self._at + width]
        self._at += width
        return int.from_bytes(piece, "little") % n

    def of(self, choices: Any) -> Any:
        """Return one of these."""
        return choices[self.below(len(choices))]


def _float(choose: Choices) -> object:
    usual = (
        0.0,
        1.0,
        -1.0,
        0.5,
        2.0,
        0.02,
        -2.0,
        3.0,
        1e-3,
        1e-30,
        1e30,
        1e39,
        65504.0,
        1e308,
        5e-324,
        1e-310,
    )
    odd = (
        float("nan"),
        float("inf"),
        -float("inf"),
        True,
        1,
        2**80,
        "1",
        None,
        1j,
        np.float32(0.5),
        np.float64(2),
        np.array(1.0),
        [1.0],
        b"1",
        -0.0,
        37.5,
        1e-45,
    )
    return choose.of(usual) if choose.below(12) else choose.of(odd)


def _law(choose: Choices) -> object:
    make: list[Callable[[], object]] = [
        lambda: ff.Normal(_float(choose), _float(choose)),  # type: ignore[arg-type]
        lambda: ff.Uniform(_float(choose), _float(choose)),  # type: ignore[arg-type]
        lambda: ff.TruncatedNormal(
            _float(choose),
            _float(choose),
            (_float(choose), _float(choose)),  # type: ignore[arg-type]
            unit=choose.of(("sigma", "absolute", "sigmas", 3)),
        ),
        lambda: ff.LogUniform(_float(choose), _float(choose)),  # type: ignore[arg-type]
        lambda: ff.Constant(_float(choose)),  # type: ignore[arg-type]
        lambda: ff.Arange(_float(choose), _float(choose)),  # type: ignore[arg-type]
        lambda: choose.of(("normal", None, ff.Normal, 3, object())),
        *[lambda: ff.Normal(), lambda: ff.Uniform(-0.5, 2.0), lambda: ff.TruncatedNormal(0.0, 0.02)] * 3,
    ]
    return choose.of(make)()


def _integer(choose: Choices) -> object:
    usual = (0, 1, 7, 2**31, 2**32 - 1, 2**63, 2**64 - 1)
    odd = (
        -1,
        2**64,
        True,
        1.5,
        2.0,
        "w",
        None,
        np.int32(5),
        np.uint64(2**64 - 1),
        np.float32(2),
        b"w",
        "",
        (1,),
        np.array(3),
        np.array([3]),
        2**200,
        "\ud800",
        "layers.0.weight",
        np.random.SeedSequence(5),
    )
    return choose.of(usual) if choose.below(12) else choose.of(odd)


class Memory:
    """An object that may be filled, and all the bytes around it."""

    def __init__(self, choose: Choices) -> None:
        self.store = np.full(_ELEMENTS * 16 + 64, 0xA5, np.uint8)
        self.out = choose.of(_SHAPES)(self.store, choose)
        self.before = self.store.copy()

    def is_untouched(self) -> bool:
        """Whether no byte has changed."""
        return bool((self.store == self.before).all())


_DTYPES = (*("<f4", "<f8", "<f2") * 3, ">f4", "<u2", "<u1", "<i4", "<c8", "?", "S4", "<f4,<f4", "<u8")


def _plain(store: np.ndarray, choose: Choices) -> Any:
    return np.frombuffer(store.data, choose.of(_DTYPES), _ELEMENTS, offset=choose.of((0,) * 9 + (1, 4, 8)))


def _view(store: np.ndarray, choose: Choices) -> Any:
    base = np.frombuffer(store.data, choose.of(("<f4", "<f8", "<f2", "<u2")), _ELEMENTS)
    view: list[Callable[[], Any]] = [
        lambda: base[:: choose.of((1, 2, 3, -1, -2))],
        lambda: base.reshape(8, 8)[:, ::2],
        lambda: base.reshape(4, 2, 8).transpose(2, 0, 1),
        lambda: base[:0],
        lambda: base[5:6].reshape(()),
        lambda: np.lib.stride_tricks.as_strided(base, (5, 4), (base.itemsize, base.itemsize)),
        lambda: np.lib.stride_tricks.as_strided(base, (9,), (0,)),
        lambda: np.broadcast_to(base[:1], (4, 4)),
        lambda: base[1:].reshape(-1, 9)[:, 4:],
    ]
    return choose.of(view)()


def _read_only(store: np.ndarray, choose: Choices) -> Any:
    base = np.frombuffer(store.data, "<f4", _ELEMENTS)
    made: list[Callable[[], Any]] = [
        lambda: np.frombuffer(bytes(store), "<f4", _ELEMENTS),
        lambda: memoryview(store).toreadonly().cast("B"),
        lambda: bytes(store),
        lambda: mmap.mmap(-1, 4096, access=mmap.ACCESS_READ),
        lambda: _frozen(base),
    ]
    return choose.of(made)()


def _frozen(base: np.ndarray) -> np.ndarray:
    view = base.view()
    view.flags.writeable = False
    return view


def _other(store: np.ndarray, choose: Choices) -> Any:
    closed = mmap.mmap(-1, 4096)
    closed.close()
    released = memoryview(bytearray(16))
    released.release()
    made: list[Callable[[], Any]] = [
        lambda: memoryview(store)[: 4 * choose.below(40)].cast("B"),
        lambda: memoryview(store)[: 4 * choose.below(40)].cast(choose.of(("f", "d", "i", "b"))),
        lambda: bytearray(choose.below(100)),
        lambda: array.array(choose.of("fdib"), [1, 2, 3]),
        lambda: (ctypes.c_float * 5)(),
        lambda: closed,
        lambda: released,
        lambda: None,
        lambda: [1.0, 2.0],
        lambda: 5.0,
        lambda: np.array([object()]),
        lambda: np.float32(1.0),
        lambda: np.ma.masked_array(np.zeros(4, np.float32)),
        lambda: np.zeros(3, np.float32).data,
    ]
    return choose.of(made)()


_SHAPES = (_plain, _view, _read_only, _other, _plain, _view, _plain, _view)


def _options(choose: Choices) -> dict[str, object]:
    options: dict[str, object] = {}
    if choose.below(4) == 0:
        options["dtype"] = choose.of(
            (
                None,
                "float32",
                "float16",
                "bfloat16",
                "float64",
                "float8_e4m3fn",
                "float8_e5m2",
                "float",
                np.float32,
                np.int32,
                3,
                "",
                np.dtype("<f2"),
            )
        )
    if choose.below(3) == 0:
        options["threads"] = choose.of((1, 2, None, 0, -1, 2.0, True, 2**70, "2", np.int64(3)))
    if choose.below(6) == 0:
        options["region"] = _region(choose)
    return options


def _region(choose: Choices) -> object:
    ends = (0, 1, 5, 32, 64, 2**31, 2**62, 2**63, 2**64, -1, 1.5, True)
    made: list[Callable[[], object]] = [
        lambda: ff.Region.flat(choose.of(ends), choose.of(ends), choose.of(ends)),
        lambda: ff.Region.box((8, 16), (choose.of(ends), 0), (4, choose.of(ends))),
        lambda: ff.Region((8, 16), [[(0, 2), (choose.of(ends), 6)], [(0, 16)]]),
        lambda: choose.of((None, 5, "all", (0, 5), slice(0, 5))),
        lambda: ff.Region.flat(2**62, 2**62 - 64, 2**62),
    ]
    return choose.of(made)()


Call = Callable[..., Any]  # of out, law, seed, key and options


def _fill_many(out: Any, law: Any, seed: Any, key: Any, **options: Any) -> Any:
    threads = options.pop("threads", None)
    return ff.fill_many_([ff.Job(out, law, key, **options)], seed=seed, threads=threads)[0].out


def _initializer(choose: Choices) -> Call:
    scaled = choose.of((ff.he_normal_, ff.glorot_uniform_, ff.lecun_truncated_normal_))
    plain = choose.of((ff.normal_, ff.uniform_, ff.variance_scaling_))
    if choose.below(3) == 0:
        numbers = [_float(choose) for _ in range(choose.below(3))]
        return lambda out, law, seed, key, **options: plain(out, *numbers, seed=seed, key=key, **options)
    arguments: dict[str, Any] = {}
    odd = (None, 0, -1, 1.5, True, "3", 2**70, float("nan"), (1,), [2, 2])
    for name, usual in (
        ("mode", ("fan_in", "fan_out", "fan_avg", "fan_geo_avg")),
        ("nonlinearity", ("relu", "leaky_relu", "tanh", "linear", "relU")),
        ("gain", (1.0, 2.0, 1e-3, 1e30)),
        ("param", (0.0, 0.1, -1.0)),
        ("layout", ("oi", "io", "oo", "")),
        ("groups", (1, 2, 3, 64)),
        ("transposed", (True, False)),
        ("batch_axes", ((), (0,), (-1,), (0, 0), (5,))),
        ("parts", (None, 2, 3, (2, 6), (1, 1, 2))),
        ("fan_in", (1, 8, 0.5, 1e300)),
        ("fan_out", (1, 8, 0.5, 1e300)),
    ):
        if choose.below(5) == 1:
            arguments[name] = choose.of(usual if choose.below(4) else odd)
    return lambda out, law, seed, key, **options: scaled(out, seed=seed, key=key, **arguments, **options)


def _call(choose: Choices) -> Call:
    made = choose.below(3)
    return (ff.fill_, _fill_many, _initializer(choose))[made]  # type: ignore[return-value]


def boundary(data: bytes) -> bool:
    """Make one call out of bytes; return whether it was taken."""
    choose = Choices(data)
    memory: Memory | None = None
    found, said = None, None
    try:
        memory = Memory(choose)
        law, seed, key, options = _law(choose), _integer(choose), _integer(choose), _options(choose)
        call = _call(choose)
        found = call(memory.out, law, seed=seed, key=key, **options)
    except REFUSALS as error:
        said = str(error)
    if said is not None:
        assert said, "an exception without a message"
        assert memory is None or memory.is_untouched(), "refused, and written all the same"
        return False
    assert memory is not None
    assert found is memory.out
    _check_values(memory, lambda out: call(out, law, seed=seed, key=key, **options | {"threads": 1}))
    return True


def _check_values(memory: Memory, fill: Callable[[Any], Any]) -> None:
    """Compare with the same fill of plain memory, by one thread, and look at the bytes beside it."""
    out = np.asarray(memory.out)
    fresh = np.empty(out.shape, out.dtype)
    if out.dtype.kind == "f" and out.dtype.isnative:
        fill(fresh)
        assert out.tobytes() == fresh.tobytes()
        assert np.isfinite(fresh).all()
    if isinstance(memory.out, np.ndarray) and np.may_share_memory(memory.out, memory.store):
        mask = np.zeros(len(memory.store), bool)
        shift = memory.out.__array_interface__["data"][0] - memory.store.__array_interface__["data"][0]
        strided = np.lib.stride_tricks.as_strided(
            mask[shift:], (*out.shape, out.itemsize), (*out.strides, 1), writeable=True
        )
        strided[...] = True
        assert (memory.store[~mask] == memory.before[~mask]).all(), "written beside the memory"
