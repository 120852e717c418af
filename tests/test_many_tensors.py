"""A model of 45,395 tensors in one call: the values of each alone, and no time that grows with the square."""

from __future__ import annotations

import time

import numpy as np

import fanfill as ff

SCALE = 1024


def jobs_of(model: str) -> list[ff.Job]:
    """A job for each of a model's tensors, its shape scaled down to fit."""
    normal, ones = ff.Normal(std=0.006), ff.Constant(1.0)
    jobs = []
    for parameter in ff.models.find(model).parameters:
        shape = tuple(max(1, n // SCALE) if n > 8 else n for n in parameter.shape)
        jobs.append(ff.Job(np.zeros(shape, np.float32), ones if len(shape) == 1 else normal, parameter.name))
    return jobs


def test_deepseek_v3() -> None:
    jobs = jobs_of("deepseek-v3")
    assert len(jobs) == 45_395
    began = time.process_time()
    ff.fill_many_(jobs, seed=7, threads=2)
    # 3 µs a tensor are expected. All pairs of them would take hours, and the longest of roads 60 µs a tensor.
    assert time.process_time() - began < 10.0
    for job in jobs[::997]:
        alone = ff.fill_(np.zeros_like(job.out), job.law, seed=7, key=job.key)
        np.testing.assert_array_equal(job.out, alone)
