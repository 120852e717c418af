"""Knows a model of 45,395 tensors, scaled down to fit, and times fill_many_ of all of them by their names.

It must not know how a fill spreads its jobs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

import fanfill as ff
from bench.pages.rounds import measured, summary

__all__ = ["jobs_of", "measure"]

_MODEL = "deepseek-v3"


def jobs_of(scale: int) -> list[ff.Job]:
    """Return a job for every tensor of the model, each extent above 8 divided by `scale`."""
    normal, ones = ff.Normal(std=0.006), ff.Constant(1.0)
    jobs = []
    for parameter in ff.models.find(_MODEL).parameters:
        shape = tuple(max(1, n // scale) if n > 8 else n for n in parameter.shape)
        out = np.zeros(shape, np.float32)
        jobs.append(ff.Job(out, ones if len(shape) == 1 else normal, parameter.name))
    return jobs


def _task(call: Callable[[], Any]) -> Callable[[], float]:
    def run() -> float:
        begin = time.perf_counter()
        call()
        return time.perf_counter() - begin

    return run


def measure(rounds: int, size: int) -> dict[str, Any]:
    """Return the seconds of fill_many_, and of it per tensor beyond those of as many values at once."""
    del size
    results: dict[str, Any] = {"model": _MODEL, "clock": "wall time", "threads": 1}
    for scale in (256, 1024):
        jobs = jobs_of(scale)
        numbered = [ff.Job(job.out, job.law, number) for number, job in enumerate(jobs)]
        whole = np.zeros(sum(job.out.size for job in jobs), np.float32)
        tasks = {
            "by name": _task(lambda jobs=jobs: ff.fill_many_(jobs, seed=7, threads=1)),
            "by number": _task(lambda jobs=numbered: ff.fill_many_(jobs, seed=7, threads=1)),
            "one tensor": _task(lambda out=whole: ff.normal_(out, std=0.006, seed=7, key=1, threads=1)),
        }
        times = measured(tasks, rounds, f"many tensors, extents / {scale}")
        found = {name: summary(own) for name, own in times.items()}
        over = {
            name: (found[name]["best_s"] - found["one tensor"]["best_s"]) / len(jobs)
            for name in ("by name", "by number")
        }
        results[f"extents / {scale}"] = {
            "tensors": len(jobs),
            "values": int(whole.size),
            **found,
            "seconds_a_tensor_beyond_its_values": over,
        }
    return results
