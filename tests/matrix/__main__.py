"""``python -m matrix``: build ``test_bit_matrix`` in many ways, run random tuples, compare, write a result.

It must not know what a tuple is; the C++ test says how many did not have the bits of the plain transform.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from exhaustive.tool import call, program
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
BUILDS = {
    "gcc": Build("release"),
    "gcc -O0": Build("release", ("-DCMAKE_CXX_FLAGS_RELEASE=-O0",), share=4),
    "gcc -O2": Build("release", ("-DCMAKE_CXX_FLAGS_RELEASE=-O2",)),
    "gcc -O3 native": Build("release", ("-DCMAKE_CXX_FLAGS=-O3 -march=native",)),
    "gcc LTO": Build("release", ("-DCMAKE_CXX_FLAGS=-flto", "-DCMAKE_INTERPROCEDURAL_OPTIMIZATION=ON")),
    "clang": Build("release", (CLANG,)),
    "clang -O0": Build("release", (CLANG, "-DCMAKE_CXX_FLAGS_RELEASE=-O0"), share=4),
    "clang -O2": Build("release", (CLANG, "-DCMAKE_CXX_FLAGS_RELEASE=-O2")),
    "clang -O3 native": Build("release", (CLANG, "-DCMAKE_CXX_FLAGS=-O3 -march=native")),
    "gcc aarch64 (qemu-user)": Build("aarch64", emulator=QEMU, share=16),
}


def _records(names: list[str], folder: Path, tuples: int, seed: int) -> Iterator[Record]:
    hashes: dict[int, str] = {}
    for number, name in enumerate(names):
        start = time.monotonic()
        build = BUILDS[name]
        path = built(configured(folder / str(number), build.preset, *build.options), NAME)
        emulator = [program(build.emulator[0]), *build.emulator[1:]] if build.emulator else []
        found = json.loads(call(*emulator, path, str(tuples // build.share), str(seed)))
        failed: Record = {"mismatch": found["mismatches"]} if found["mismatches"] else {}
        # A build that tries a share of the tuples is compared with the first build's run of as many.
        if build.share not in hashes:
            reference = built(folder / "0", NAME) if number else path
            hashes[build.share] = json.loads(call(reference, str(tuples // build.share), str(seed)))["hash"]
        if found["hash"] != hashes[build.share]:
            failed["equal_builds"] = {"here": found["hash"], "expected": hashes[build.share]}
        yield {
            "check": "bit matrix",
            "name": name,
            "inputs": found["tuples"],
            "elements": found["elements"],
            "hash": found["hash"],
            "compiler": found["compiler"],
            "isas": found["isas"],
            "seconds": round(time.monotonic() - start, 1),
            "checks": ["mismatch", "equal_builds"],
            "failed": failed,
            "said": found["hash"],
        }


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
        records = shown(_records(names, Path(scratch), options.tuples, options.seed))
    head |= {"contract": 1, "compiler": ", ".join(names), "isas": ["avx512", "avx2", "scalar", "neon"]}
    return 0 if write(options.folder / "bit_matrix.json", "Bit matrix: random fills", head, records) else 1


if __name__ == "__main__":
    sys.exit(main())
