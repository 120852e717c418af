"""``python -m matrix``: build ``test_bit_matrix`` in many ways, run random tuples, compare, write a result.

It must not know what a tuple is; the C++ test says how many did not have the bits of the plain transform.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from exhaustive.tool import ToolError, program
from proof.cpp_target import built, configured
from proof.result_file import FOLDER, Record, provenance, shown, write

NAME = "test_bit_matrix"


@dataclass(frozen=True)
class Build:
    """A preset with options, and the emulator that runs what it builds."""

    preset: str
    options: tuple[str, ...] = ()
    emulator: tuple[str, ...] = ()
    share: int = 1  # one tuple in so many, where an emulator or -O0 makes each slow


CLANG = "-DCMAKE_CXX_COMPILER=clang++-19"
QEMU = ("qemu-aarch64", "-L", "/usr/aarch64-linux-gnu")


def _level(flags: str) -> tuple[str, ...]:
    # A kind of build that nobody has defined, so that no other flag says how far to optimise.
    return ("-DCMAKE_BUILD_TYPE=Plain", f"-DCMAKE_CXX_FLAGS={flags}")


LTO = ("-DCMAKE_CXX_FLAGS=-flto", "-DCMAKE_INTERPROCEDURAL_OPTIMIZATION=ON")
BUILDS = {
    "gcc": Build("release"),
    "gcc -O0": Build("release", _level("-O0"), share=4),
    "gcc -O2": Build("release", _level("-O2")),
    "gcc -O3 native": Build("release", _level("-O3 -march=native")),
    "gcc LTO": Build("release", LTO),
    "clang": Build("release", (CLANG,)),
    "clang -O0": Build("release", (CLANG, *_level("-O0")), share=4),
    "clang -O2": Build("release", (CLANG, *_level("-O2"))),
    "clang -O3 native": Build("release", (CLANG, *_level("-O3 -march=native"))),
    "clang LTO": Build("release", (CLANG, *LTO)),
    "gcc aarch64 (qemu-user)": Build("aarch64", emulator=QEMU, share=16),
}


def _run(build: Build, path: Path, tuples: int, seed: int) -> Record:
    emulator = [program(build.emulator[0]), *build.emulator[1:]] if build.emulator else []
    command = [*emulator, str(path), str(tuples // build.share), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1) or not done.stdout:
        raise ToolError(f"{command} exited with {done.returncode}\n{done.stderr[-4000:]}")
    return dict(json.loads(done.stdout))


def records(names: list[str], folder: Path, tuples: int, seed: int) -> Iterator[Record]:
    """Build and run, two builds at a time; the first is what the others' hashes are compared with."""
    expected: dict[int, str] = {}
    first = BUILDS[names[0]]
    path = built(configured(folder / "first", first.preset, *first.options), NAME)

    def judged(name: str) -> Record:
        start = time.monotonic()
        build = BUILDS[name]
        own = folder / name.replace(" ", "_")
        found = _run(build, built(configured(own, build.preset, *build.options), NAME), tuples, seed)
        failed: Record = {"mismatch": found["mismatches"]} if found["mismatches"] else {}
        if found["hash"] != expected[build.share]:
            failed["equal_builds"] = {"here": found["hash"], "expected": expected[build.share]}
        return {
            "check": "bit matrix",
            "name": name,
            "inputs": found["tuples"],
            "elements": found["elements"],
            "hash": found["hash"],
            "compiler": found["compiler"],
            "isas": found["isas"],
            "contract": found["contract"],
            "seconds": round(time.monotonic() - start, 1),
            "checks": ["mismatch", "equal_builds"],
            "failed": failed,
            "said": found["hash"],
        }

    with ThreadPoolExecutor(2) as pool:
        # A build that tries a share of the tuples is compared with the first build's run of as many.
        shares = sorted({BUILDS[name].share for name in names})
        hashes = pool.map(lambda share: _run(Build("", share=share), path, tuples, seed)["hash"], shares)
        expected.update(zip(shares, hashes, strict=True))
        yield from pool.map(judged, names)


def main() -> int:
    """Run what the arguments name."""
    parser = argparse.ArgumentParser(prog="matrix", description=__doc__)
    parser.add_argument("builds", nargs="*", help=f"of {', '.join(map(repr, BUILDS))}; default: all")
    parser.add_argument("--tuples", type=int, default=100_000, help="of the fastest builds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where results go")
    options = parser.parse_args()
    unknown = sorted(set(options.builds) - set(BUILDS))
    if unknown:
        parser.error(f"no build is named {', '.join(unknown)}")
    names = ["gcc", *(name for name in options.builds or BUILDS if name != "gcc")]
    head = provenance("csrc", "tests/cpp", "CMakeLists.txt")
    with tempfile.TemporaryDirectory() as scratch:
        found = shown(records(names, Path(scratch), options.tuples, options.seed))
    head |= {
        "contract": found[0]["contract"],
        "compiler": ", ".join(names),
        "isas": list(dict.fromkeys(isa for record in found for isa in record["isas"])),
    }
    return 0 if write(options.folder / "bit_matrix.json", "Bit matrix: random fills", head, found) else 1


if __name__ == "__main__":
    sys.exit(main())
