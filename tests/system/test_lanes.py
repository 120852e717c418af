"""Every operation of every lanes header gives what the scalar one gives, bit for bit.

It must not know what the operations are: tests/cpp/lanes/operations.cpp prints their results.
"""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fanfill import _core

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "tests" / "cpp" / "lanes" / "operations.cpp"
VECTORS = ROOT / "tests" / "vectors" / "philox4x32_10.txt"
ON_ARM = ("qemu-aarch64", "-L", "/usr/aarch64-linux-gnu")


def results(build: Any, isa: str, folder: Path, emulator: tuple[str, ...] = ()) -> list[str]:
    """What the program prints with one lanes header, compiled as the kernels' unit of that ISA is."""
    commands = json.loads((build.folder / "compile_commands.json").read_text())
    unit = str(ROOT / "csrc" / "isa" / f"{isa}.cpp")
    (command,) = (shlex.split(entry["command"]) for entry in commands if entry["file"] == unit)
    flags, program = command[: command.index("-o")], folder / isa
    subprocess.run([*flags, f'-DFANFILL_LANES="lanes/{isa}.hpp"', SOURCE, "-o", program], check=True)
    with VECTORS.open(encoding="utf-8") as vectors:
        printed = subprocess.run(
            [*emulator, program], check=True, stdin=vectors, stdout=subprocess.PIPE, text=True
        )
    return printed.stdout.splitlines()


@pytest.fixture
def expected(cpp_build: Callable[..., Any], tmp_path: Path) -> list[str]:
    found = results(cpp_build("release"), "scalar", tmp_path)
    assert len({line.rsplit(" ", 2)[0] for line in found}) > 40  # operations
    assert len(found) > 200_000
    return found


@pytest.mark.parametrize("isa", [isa for isa, is_supported in _core.isas() if is_supported])
def test_lanes_of_this_machine(
    isa: str, cpp_build: Callable[..., Any], expected: list[str], tmp_path: Path
) -> None:
    assert_same(results(cpp_build("release"), isa, tmp_path), expected)


@pytest.mark.parametrize("isa", ["neon", "scalar"])
def test_arm_lanes(isa: str, cpp_build: Callable[..., Any], expected: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "arm"
    folder.mkdir()
    assert_same(results(cpp_build("aarch64"), isa, folder, ON_ARM), expected)


def assert_same(found: list[str], expected: list[str]) -> None:
    differing = [pair for pair in zip(found, expected, strict=True) if pair[0] != pair[1]]
    assert not differing, f"{len(differing)} results, such as {differing[:5]}"
    # Random123's vectors and those of the carries: each word's difference from the published one.
    answers = [line.rsplit(" ", 2)[2] for line in found if line.startswith("known answer")]
    assert answers == ["0"] * 32
