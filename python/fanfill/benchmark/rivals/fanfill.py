"""Knows how fanfill fills: its public functions, one instruction set forced.

It must not know what the values are compared with.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

import fanfill as ff
from fanfill import _core

from ..fill import Fill
from ..form import region, sample
from ..workload import LAWS, Workload, numpy_dtype

# What the process uses by itself, before anything here chooses another: it comes first.
_CHOSEN = _core.chosen_isa()[1]
_NEW = ("ff.normal", "ff.empty, fill_", "np.empty, fill_")
_WORDS = ("Philox4x32 in a Generator", "random.words")


def version() -> str:
    """Say the release."""
    return ff.__version__


def ways(workload: Workload) -> list[str]:
    """List the instruction sets of this machine, or the ways to new memory, to raw words, to one tensor."""
    if workload.law == "words":
        return list(_WORDS)
    if workload.memory == "new":
        return [way for way in _NEW if way != "ff.normal" or workload.law == "normal"]
    if workload.form == "init":
        return ["normal_"]
    names = [name for name, is_supported in ff.isas() if is_supported]
    return sorted(names, key=lambda name: name != _CHOSEN)


def law_of(workload: Workload) -> ff.Law:
    """Return fanfill's law."""
    family, low, high = LAWS[workload.law]
    if family == "uniform":
        return ff.Uniform(low, high)
    return ff.Normal() if family == "normal" else ff.TruncatedNormal(0.0, 1.0, bounds=(low, high))


def prepare(way: str, workload: Workload, arrays: list[Any]) -> Fill:
    """Make ready; the instruction set is chosen again at each run, because it is the process's."""
    if workload.law == "words":
        return _words(way, workload)
    if workload.memory == "new":
        return _new(way, workload)
    if workload.form == "init":
        return _init(arrays[0])
    law, threads = law_of(workload), workload.threads
    seeds = iter(range(1 << 62))

    def fill_one(repeat: int) -> None:
        _choose(way)
        for _ in range(repeat):
            ff.fill_(out, law, seed=next(seeds), key=0, region=part, threads=threads)

    def fill_many(repeat: int) -> None:
        _choose(way)
        for _ in range(repeat):
            ff.fill_many_(jobs, seed=next(seeds), threads=threads)

    part = region(workload)
    if workload.form != "flat" and part is None and len(arrays) > 1:
        jobs = [ff.Job(array, law, f"layers.{at}.weight") for at, array in enumerate(arrays)]
        return Fill(fill_many, lambda: sample(arrays))
    out = arrays[0]
    return Fill(fill_one, lambda: sample(arrays))


def _init(array: Any) -> Fill:
    """Call `normal_` as a module's initialization does, on a tensor where torch is the other side."""
    torch = sys.modules.get("torch")
    tensor = array if torch is None else torch.from_numpy(array)
    seeds = iter(range(1 << 62))

    def run(repeat: int) -> None:
        for _ in range(repeat):
            ff.normal_(tensor, seed=next(seeds), key="weight")

    return Fill(run, lambda: sample([array]))


def _choose(isa: str) -> None:
    if _core.choose_isa(isa) != _core.OK:
        raise RuntimeError(f"fanfill can't use {isa} here")


def _new(way: str, workload: Workload) -> Fill:
    """Allocate, fill and free, each time another seed."""
    law, threads, count = law_of(workload), workload.threads, workload.count
    dtype = numpy_dtype(workload.dtype)
    seeds = iter(range(1 << 62))

    def make() -> Any:
        seed = next(seeds)
        if way == "ff.normal":
            return ff.normal(count, seed=seed, key=0, dtype=workload.dtype, threads=threads)
        out = np.empty(count, dtype) if way.startswith("np.") else ff.empty(count, dtype, threads=threads)
        return ff.fill_(out, law, seed=seed, key=0, threads=threads)

    def run(repeat: int) -> None:
        for _ in range(repeat):
            make()

    return Fill(run, lambda: sample([make()]))


def _words(way: str, workload: Workload) -> Fill:
    generator = np.random.Generator(ff.random.Philox4x32(1))
    seeds = iter(range(1 << 62))

    def make() -> Any:
        if way == "random.words":
            return ff.random.words(next(seeds), 0, 0, workload.count)
        return generator.integers(0, 1 << 32, workload.count, dtype=np.uint32)

    def run(repeat: int) -> None:
        for _ in range(repeat):
            make()

    return Fill(run, lambda: sample([make()]))
