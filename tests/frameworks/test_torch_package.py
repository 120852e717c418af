"""The package fanfill.torch: lazy, and clear where torch is missing."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.framework

LAZY = """
import sys
import fanfill
import fanfill.torch
assert "torch" not in sys.modules
assert {"accelerate", "init"} <= set(dir(fanfill.torch))
try:
    fanfill.torch.initialise_
except AttributeError as error:
    assert "initialise_" in str(error)
assert "torch" not in sys.modules
assert callable(fanfill.torch.init.normal_) and callable(fanfill.torch.accelerate)
assert "torch" in sys.modules
from fanfill.torch import accelerate, init
import fanfill.torch.acceleration
assert fanfill.torch.accelerate is accelerate and fanfill.torch.init is init
"""

MISSING = """
import sys
sys.modules["torch"] = None
import fanfill.torch
for name in ("accelerate", "init"):
    try:
        getattr(fanfill.torch, name)
    except ImportError as error:
        assert 'pip install "fanfill[torch]"' in str(error), error
    else:
        raise AssertionError(name)
"""


@pytest.mark.parametrize("program", [LAZY, MISSING])
def test_in_a_fresh_interpreter(program: str) -> None:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
