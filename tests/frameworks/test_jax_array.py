"""fanfill.jax.array and init_tree: the same bits on any devices, each block drawn once, in shared memory."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fanfill as ff

pytestmark = pytest.mark.framework

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import jax
    import jax.numpy as jnp

    import fanfill.jax

SCRIPT = Path(__file__).with_name("jax_devices.py")
ONE = jax.sharding.SingleDeviceSharding(jax.devices("cpu")[0])
PLAN = ff.Plan(
    [
        ff.ParamSpec("dense.kernel", (8, 4), ff.Normal(0.0, 0.02), layout="io", tie=("head.kernel",)),
        ff.ParamSpec("dense.bias", (4,), ff.Constant(0.5), dtype="bfloat16"),
    ],
    seed=7,
)


def started(devices: int, *arguments: str) -> subprocess.Popen[str]:
    flags = f"--xla_force_host_platform_device_count={devices}"
    environment = {**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def report_of(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, error = process.communicate(timeout=240)
    assert process.returncode == 0, error
    report: dict[str, Any] = json.loads(out)
    return report


def digest(array: Any) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


CHECKS = ("right", "dtype", "shape", "drawn once", "one buffer a block", "aligned", "aliased")


@pytest.fixture(scope="module")
def reports() -> dict[int, dict[str, Any]]:
    return {count: report_of(started(count)) for count in (1, 2, 8)}


def test_every_shard_is_the_slice_of_numpys_array_and_drawn_once(reports: dict[int, dict[str, Any]]) -> None:
    for count, report in reports.items():
        assert report["devices"] == report["own devices"] == count
        assert len(report["arrays"]) == 13
        for name, found in report["arrays"].items():
            assert found["shards"] == count, name
            assert {check for check in CHECKS if not found[check]} == set(), (count, name)


def test_arrays_are_equal_on_1_2_and_8_devices(reports: dict[int, dict[str, Any]]) -> None:
    digests = [{name: found["digest"] for name, found in r["arrays"].items()} for r in reports.values()]
    assert digests[0] == digests[1] == digests[2]


@pytest.mark.parametrize("axes", ["Auto", "Explicit"])
def test_initializers_give_the_same_in_every_sharding_and_trace(
    reports: dict[int, dict[str, Any]], axes: str
) -> None:
    expected = digest(ff.he_truncated_normal((64, 32), layout="io", seed=7))
    report = reports[8][f"initializers, {axes} axes"]
    assert len(report) == 23
    for name, (found, fits) in report.items():
        assert found == expected, name
        assert fits, name


def free_port() -> str:
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        return str(listener.getsockname()[1])


def test_each_of_two_hosts_fills_its_own_shards() -> None:
    port = free_port()
    hosts = [report_of(host) for host in [started(4, str(number), port) for number in range(2)]]
    for report in hosts:
        assert (report["devices"], report["own devices"]) == (8, 4)
        for name, found in report["arrays"].items():
            assert found["shards"] == 4, name
            assert {check for check in CHECKS if not found[check]} == set(), name


def test_jax_never_writes_to_the_memory_that_it_took_over() -> None:
    array = fanfill.jax.array(PLAN["dense.kernel"], ONE, seed=7)
    held = np.asarray(array)  # a view of the same memory
    assert held.ctypes.data == array.unsafe_buffer_pointer()
    before = held.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the buffer could not be donated
        jax.jit(lambda value: value + 1, donate_argnums=0)(array).block_until_ready()
    assert np.array_equal(held, before)


def test_two_arrays_never_share_memory() -> None:
    arrays = [fanfill.jax.array(PLAN["dense.kernel"], ONE, seed=seed) for seed in (7, 7, 8)]
    assert len({array.unsafe_buffer_pointer() for array in arrays}) == 3
    assert np.array_equal(arrays[0], arrays[1])
    assert not np.array_equal(arrays[0], arrays[2])


def test_init_tree_has_the_structure_of_the_shardings() -> None:
    told: list[tuple[int, int]] = []
    nested = fanfill.jax.init_tree(
        PLAN, {"dense": {"kernel": ONE, "bias": ONE}}, progress=lambda *bytes_: told.append(bytes_)
    )
    assert told == [(8, 136), (136, 136)]  # JAX sorts the keys of a dictionary
    flat = fanfill.jax.init_tree(PLAN, {"dense.kernel": ONE, "dense.bias": ONE, "head.kernel": ONE})
    every = fanfill.jax.init_tree(PLAN, ONE)
    assert set(flat) == {"dense.kernel", "dense.bias", "head.kernel"}
    assert set(every) == {"dense.kernel", "dense.bias"}
    expected = PLAN.array("dense.kernel")
    for kernel in (
        nested["dense"]["kernel"],
        flat["dense.kernel"],
        flat["head.kernel"],
        every["dense.kernel"],
    ):
        assert np.array_equal(kernel, expected)
    assert nested["dense"]["bias"].dtype == jnp.bfloat16
    assert {str(device) for device in every["dense.bias"].devices()} == {str(jax.devices("cpu")[0])}


def test_sides_that_the_devices_do_not_divide_are_refused(reports: dict[int, dict[str, Any]]) -> None:
    assert reports[8]["uneven"] == {
        "array": ["ValueError", "parameter 'w': sharding does not fit the shape (7, 3): "],
        "eager": ["ValueError", "out_sharding does not fit the shape (7, 3): "],
        "jit": ["ValueError", "out_sharding does not fit the shape (7, 3): "],
        "more axes than the shape": ["ValueError", "parameter 'w': sharding does not fit the shape (7, 3): "],
    }


def test_refusals_name_the_argument() -> None:
    array, init_tree, spec = fanfill.jax.array, fanfill.jax.init_tree, PLAN["dense.kernel"]
    wide = ff.ParamSpec("w", (3,), ff.Normal(), dtype="float64")
    for call, error, match in (
        (lambda: array("w", ONE, seed=7), TypeError, "spec must be a ParamSpec"),
        (lambda: array(spec, "x", seed=7), TypeError, "'dense.kernel': sharding must be a jax.sharding"),
        (lambda: array(spec, ONE, seed=-1), ValueError, "seed must be in"),
        (lambda: array(spec, ONE, seed="7"), TypeError, "seed must be an int"),
        (lambda: array(wide, ONE, seed=7), ValueError, "dtype of parameter 'w' is float64.*jax_enable_x64"),
        (lambda: init_tree([], ONE), TypeError, "plan must be a Plan"),
        (lambda: init_tree(PLAN, {"dense": {"kernel": ONE}}), KeyError, "lacks .*dense.bias"),
        (
            lambda: init_tree(PLAN, {"dense": {"kernel": ONE, "bias": ONE, "other": ONE}}),
            KeyError,
            "knows no .*dense.other",
        ),
        (lambda: init_tree(PLAN, {"dense": {"kernel": 1, "bias": ONE}}), TypeError, "sharding must be"),
    ):
        with pytest.raises(error, match=match):
            call()


def test_float64_in_the_64_bit_mode() -> None:
    spec = ff.ParamSpec("w", (3,), ff.Normal(), dtype="float64")
    with jax.enable_x64(True):
        array = fanfill.jax.array(spec, ONE, seed=7)
        assert np.array_equal(array, ff.normal(3, dtype="float64", seed=7, key="w"))
