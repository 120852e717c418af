"""The wheels that a release builds, as cibuildwheel reads its configuration, and what its workflow relies on.

It must not know how a wheel is built; `nox -s wheel` builds the one of this machine.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[2]
WORKFLOW = (ROOT / ".github/workflows/wheels.yml").read_text(encoding="utf-8")
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PYTHONS = ["cp310", "cp311", "cp312", "cp313", "cp314", "cp314t"]
# Platform: its architectures, and the tags of wheels.
PLATFORMS = {
    "linux": (
        "x86_64,aarch64",
        ["manylinux_x86_64", "manylinux_aarch64", "musllinux_x86_64", "musllinux_aarch64"],
    ),
    "macos": ("x86_64,arm64", ["macosx_x86_64", "macosx_arm64"]),
    "windows": ("AMD64", ["win_amd64"]),
}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_wheel_for_every_python_and_platform(platform: str) -> None:
    architectures, tags = PLATFORMS[platform]
    command = [sys.executable, "-m", "cibuildwheel", "--print-build-identifiers", "--platform", platform]
    done = subprocess.run(
        [*command, "--archs", architectures, str(ROOT)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == {f"{python}-{tag}" for python in PYTHONS for tag in tags}


def test_the_workflow_builds_every_architecture() -> None:
    jobs = re.findall(r"runner: (\w+)[\w.-]*, archs: (\w+)", WORKFLOW)
    assert sorted(jobs) == [
        ("macos", "arm64"),
        ("macos", "x86_64"),
        ("ubuntu", "aarch64"),
        ("ubuntu", "x86_64"),
        ("windows", "AMD64"),
    ]


def test_what_the_workflow_takes_from_others_cannot_be_moved() -> None:
    actions = re.findall(r"uses: (\S+)", WORKFLOW)
    assert actions
    assert [action for action in actions if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action)] == []
    (asked,) = re.findall(r"cibuildwheel\[uv\]==[\d.]+", WORKFLOW)
    assert f'"{asked}; ' in PROJECT


def test_the_tests_that_run_everywhere_are_there() -> None:
    listed = (ROOT / "tests/everywhere.txt").read_text(encoding="utf-8").split()
    assert len(listed) > 10
    assert [name for name in listed if not (ROOT / name).is_file()] == []
    assert PROJECT.count('test-command = "pytest @tests/everywhere.txt"') == 2
