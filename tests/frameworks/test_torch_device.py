"""Runs the tests of other devices in a process of their own, where torch is told of a device that isn't one.

It must not know what they check.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.framework


def test_other_devices() -> None:
    file = Path(__file__).with_name("device_fills.py")
    command = [sys.executable, "-m", "pytest", "-q", "-m", "framework", "-p", "no:cacheprovider", str(file)]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=file.parents[2], timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
