"""Builds and times every candidate, adds the fits, and writes docs/results/quantile_candidates.json.

Knows g++ and git; must not know the product. Run `python bench/quantile/measure.py` on a quiet machine;
it takes two minutes.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from total_variation import total_variation

HERE = Path(__file__).resolve().parent
RESULT = HERE.parents[1] / "docs/results/quantile_candidates.json"
FORMS = [(1, 7), (1, 8), (2, 4), (2, 5), (2, 6)]
WIDTHS = {"avx512": "-march=x86-64-v4", "avx2": "-march=x86-64-v3"}


def cpu_name() -> str:
    """The processor's own name."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next(
        (line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine()
    )


def speed(flag: str, pieces: int, degree: int, batches: int, subtract: int, folder: str) -> float:
    """The best of three runs, each the best of 400 fills of 1 MiB."""
    program = f"{folder}/candidate"
    defines = [f"-DPIECES={pieces}", f"-DDEGREE={degree}", f"-DBATCHES={batches}", f"-DSUBTRACT={subtract}"]
    source = str(HERE / "candidates.cpp")
    subprocess.run(
        ["g++", "-std=c++17", "-O3", "-ffp-contract=off", flag, *defines, source, "-o", program], check=True
    )
    runs = [subprocess.run([program], check=True, capture_output=True, text=True).stdout for _ in range(3)]
    return max(json.loads(run)["values_per_second"] for run in runs)


def main() -> None:
    """Every form on both widths, with two and four batches in flight, and without its subtraction."""
    parser = argparse.ArgumentParser(description="Build and time the candidates for the normal's quantile.")
    parser.add_argument("--out", type=Path, default=RESULT, metavar="FILE", help="(default: %(default)s)")
    out = parser.parse_args().out
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for pieces, degree in FORMS:
            row: dict[str, float] = {"pieces": pieces, "degree": degree}
            for name, flag in WIDTHS.items():
                for batches in (2, 4):
                    row[f"{name}_batches_{batches}"] = speed(flag, pieces, degree, batches, 1, folder)
                row[f"{name}_no_subtraction"] = speed(flag, pieces, degree, 4, 0, folder)
            row["total_variation"] = total_variation(pieces, degree, monotone=False)
            row["total_variation_monotone"] = total_variation(pieces, degree, monotone=True)
            rows.append(row)
            print(row, file=sys.stderr)
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True, cwd=HERE
    ).stdout
    note = (
        "normals per second, float32, 2^18 values in cache, one thread, best of 1200; half-summed variation"
    )
    report = {"cpu": cpu_name(), "commit": commit.strip(), "inputs": 1 << 18, "note": note, "rows": rows}
    out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
