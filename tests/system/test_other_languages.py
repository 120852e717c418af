"""What other projects build against: the CMake package, installed and from a wheel, and Cython declarations.

It must not know how fanfill is built, only how its examples say that it is used.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import fanfill as ff

pytestmark = pytest.mark.system

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(*command: str | Path, **environment: str) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(params=["installed", "wheel"])
def package_option(request: pytest.FixtureRequest, cpp_build: Callable, tmp_path: Path) -> str:
    """What tells CMake where fanfill is."""
    if request.param == "wheel":
        return f"-Dfanfill_DIR={run(sys.executable, '-m', 'fanfill', '--cmake-dir').strip()}"
    run("cmake", "--install", cpp_build("release").folder, "--prefix", tmp_path / "prefix")
    return f"-DCMAKE_PREFIX_PATH={tmp_path / 'prefix'}"


def test_a_cpp_project_finds_the_package(package_option: str, tmp_path: Path) -> None:
    build = tmp_path / "build"
    strict = "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wpedantic -Werror"
    run("cmake", "-S", EXAMPLES / "cpp_vector", "-B", build, "-G", "Ninja", package_option, strict)
    run("cmake", "--build", build)

    vector = run(build / "he_normal").splitlines()
    expected = ff.he_normal((256, 1024), seed=7, key=3)
    found = [float.fromhex(text) for text in vector[1].split()[1:]]
    assert found == expected.ravel()[:3].tolist()

    matrix = np.array(
        [[float.fromhex(text) for text in line.split()] for line in run(build / "eigen_matrix").splitlines()]
    )
    whole = ff.uniform((100, 3), low=-1.0, high=1.0, dtype="float64", seed=7, key=3)
    inside = np.zeros((6, 5))
    inside[1:5, 1:4] = whole[2:6]
    np.testing.assert_array_equal(matrix, inside)


def test_a_cython_extension_cimports_fanfill(tmp_path: Path) -> None:
    target = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-build-isolation", "--no-deps"]
    run(*install, "--target", target, EXAMPLES / "cython_extension")
    code = (
        "import noisy_matrix as n; m = n.NoisyMatrix(40, 30, std=0.02, seed=7, stream=3);"
        "print(*(m[i, j].hex() for i, j in ((0, 0), (5, 2), (39, 29))));"
        "n.NoisyMatrix(1, 1, std=-1.0, seed=7, stream=3)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(target)},
        check=False,
    )
    whole = ff.normal((40, 30), std=0.02, seed=7, key=3)
    expected = [float(whole[i, j]).hex() for i, j in ((0, 0), (5, 2), (39, 29))]
    assert done.stdout.split() == expected
    assert done.stderr.splitlines()[-1].startswith("ValueError: ")


def test_the_c_interface_from_ctypes() -> None:
    assert run(sys.executable, EXAMPLES / "ctypes_fill.py").startswith("[[")
