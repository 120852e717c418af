"""Fuzzes one target with atheris, from the root: `python -m tests.fuzz header -max_total_time=600`.

It must not know what a target checks. What it finds new goes to ``build/fuzz/<target>``; the committed corpus
is read and never written. Further arguments are libFuzzer's. Install the package plainly: of one that is
installed editable atheris sees nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["fanfill", "json"]):
    from .target import TARGETS

CORPUS = Path(__file__).parent / "corpus"


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        raise SystemExit(f"usage: python -m tests.fuzz {'|'.join(TARGETS)} [libFuzzer's arguments]")
    name = sys.argv[1]
    target = TARGETS[name]
    found = Path("build") / "fuzz" / name
    found.mkdir(parents=True, exist_ok=True)
    words = CORPUS / "words.dict"
    arguments = [
        *sys.argv[:1],
        f"-dict={words}",
        f"-artifact_prefix={found}-",
        "-max_len=4096",
        *sys.argv[2:],
    ]

    def one_input(data: bytes) -> None:
        target(data)

    atheris.Setup([*arguments, str(found), str(CORPUS / name)], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
