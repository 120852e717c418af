"""fanfill.torch.init on a stand-in for a device, in a process of its own, where torch is told of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.framework

PROGRAM = """
import torch
from device_fills import OnDevice
from fanfill.torch import init

calls = {name: {} for name in init.__all__ if name.endswith(("normal_", "uniform_"))}
calls["trunc_normal_"] = {"a": -1.0, "b": 0.5}
calls["orthogonal_"] = {"gain": 2.0}
calls["sparse_"] = {"sparsity": 0.5}
for name, arguments in calls.items():
    for dtype in (torch.float32, torch.bfloat16):
        out = OnDevice(torch.zeros(40, 30, dtype=dtype))
        assert getattr(init, name)(out, **arguments, seed=7, key="w") is out
        host = getattr(init, name)(torch.empty(40, 30, dtype=dtype), **arguments, seed=7, key="w")
        assert torch.allclose(out.memory, host, atol=1e-5 if name == "orthogonal_" else 0, rtol=0), name
print(len(calls))
"""


def test_the_bits_of_the_host() -> None:
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM]
    folder = Path(__file__).parent
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=300, check=False)
    assert (done.returncode, done.stdout) == (0, "9\n"), done.stderr
