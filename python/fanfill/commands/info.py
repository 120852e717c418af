"""Knows the arguments of ``fanfill info`` and what they do: the headers of a checkpoint, printed.

It must not know other commands, nor read more of a file than its header.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from .. import _core, models, recipes
from ..checkpoint.stored_checkpoint import StoredCheckpoint
from ..checkpoint.summary import checkpoint_summary, kinds_table, tensor_kinds
from ..dtype import DTYPES
from ..exit_status import OK
from ..printable import printable
from .arguments import seed

__all__ = ["add_arguments", "run"]

# Integers of a report that name something, and so have no thousands separators.
_NAMES_NOT_COUNTS = ("contract_version", "seed")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``fanfill info``."""
    parser.add_argument(
        "file", type=Path, metavar="FILE",
        help="a safetensors file, or a folder of one or of several with their index; only headers are read",
    )  # fmt: skip
    parser.add_argument(
        "--tensors", action="store_true",
        help="one row for each tensor, instead of one for all whose names differ in their numbers alone",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(file_argument="FILE")


def run(arguments: argparse.Namespace) -> int:
    """Print where a checkpoint comes from, what it holds and by which laws, from its header alone."""
    _refuse_text(arguments.file)
    checkpoint = StoredCheckpoint.read(arguments.file)
    report = {**checkpoint_summary(checkpoint), "plan": _plan_command(checkpoint)}
    kinds = tensor_kinds(checkpoint, each=arguments.tensors)
    if arguments.json:
        rows = [kind.to_dict() for kind in kinds]
        print(json.dumps({"path": str(arguments.file), **report, "kinds": rows}))
        return OK
    if not checkpoint.metadata:
        print(printable(f"{arguments.file} wasn't written by fanfill"))
    for name, value in report.items():
        if name == "dtypes":
            for dtype, counts in value.items():
                print(f"{dtype:<17} {counts['tensors']:,} tensors, {counts['elements']:,} elements")
        elif value is not None:
            shown = f"{value:,}" if isinstance(value, int) and name not in _NAMES_NOT_COUNTS else value
            print(f"{name.replace('_', ' '):<17} {printable(str(shown))}")
    print()
    print(kinds_table(kinds))
    return OK


def _refuse_text(path: Path) -> None:
    """Raise if the file is a text, and say so instead of what is wrong in it."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        start = file.read(8)
    # A safetensors file begins with its header's length, 64 bits and at most 10^8: half of it is zeros.
    if start and not start.count(0):
        is_json = start.lstrip().startswith((b"{", b"["))
        kind = "JSON, as a plan is" if is_json else "a text, or of another format"
        raise ValueError(f"FILE: {path} is no safetensors file: it begins as {kind}")


def _plan_command(checkpoint: StoredCheckpoint) -> str | None:
    """Return the command that prints the plan, or None if no model and recipe here have its hash."""
    own = checkpoint.metadata
    stored = {tensor.dtype for file in checkpoint.files for tensor in file.header.tensors}
    dtypes = [dtype.name for dtype in DTYPES if dtype.safetensors_name in stored]
    if len(dtypes) != 1 or own.get("contract_version") != str(_core.CONTRACT_VERSION):
        return None
    try:
        model, recipe = models.find(own.get("model", "")), recipes.find(own.get("recipe", ""))
        plan = recipe.plan(model, seed=seed(own.get("seed", "")), dtype=dtypes[0])
    except (ValueError, argparse.ArgumentTypeError):
        return None
    if plan.hash != own.get("plan_hash"):
        return None
    return f"fanfill plan {model.name} --recipe {recipe.name} --seed {plan.seed} --dtype {dtypes[0]}"
