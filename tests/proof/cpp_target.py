"""How one target of the C++ build is built, by a preset, in a folder of its own.

It must not know what the target does.
"""

from __future__ import annotations

from pathlib import Path

from exhaustive.tool import ROOT, call, program


def configured(folder: Path, preset: str, *options: str) -> Path:
    """Configure a build tree; return its folder."""
    call(
        program("cmake"),
        "-S",
        ROOT,
        "-B",
        folder,
        "-G",
        "Ninja",
        "--preset",
        preset,
        f"-DCMAKE_MAKE_PROGRAM={program('ninja')}",
        *options,
    )
    return folder


def built(folder: Path, target: str) -> Path:
    """Build a target, and nothing else, in a configured build tree; return its path."""
    call(program("cmake"), "--build", folder, "--target", target, "-j", "2")
    return next(path for path in folder.rglob(target) if path.is_file())
