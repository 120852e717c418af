"""Knows the arguments of ``fanfill plan`` and what they do: a plan printed or saved.

It must not know other commands, nor how a plan is made.
"""

from __future__ import annotations

import argparse
import sys

from ..checkpoint.atomic_file import AtomicFile
from ..exit_status import OK, UsageError
from .arguments import add_plan_arguments, model_and_plan, output_path

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``fanfill plan``."""
    add_plan_arguments(parser)
    parser.add_argument(
        "--json", action="store_true", help="as JSON, from which Plan.from_json reads it back"
    )
    parser.add_argument(
        "--out", type=output_path, metavar="FILE",
        help="save it there instead of printing it; as JSON if the name ends in .json",
    )  # fmt: skip
    parser.add_argument("--force", action="store_true", help="replace a file that exists")


def run(arguments: argparse.Namespace) -> int:
    """Print name, shape, dtype, law, std, bounds and fan of each parameter, or save it; nothing is drawn."""
    if arguments.force and arguments.out is None:
        raise UsageError("--force: there is no --out to replace")
    _, plan = model_and_plan(arguments)
    text = plan.table()
    if arguments.json or (arguments.out is not None and arguments.out.suffix.lower() == ".json"):
        text = plan.to_json(indent=1)
    if arguments.out is None:
        print(text)
        return OK
    data = (text + "\n").encode()
    with AtomicFile(arguments.out, len(data), replace=arguments.force) as file:
        file.write_at(data, 0)
        file.commit()
    print(f"saved {arguments.out}, {len(data):,} bytes", file=sys.stderr)
    return OK
