"""Knows the arguments of ``fanfill verify`` and what they do: a checkpoint held against its plan.

It must not know other commands, nor how a checkpoint is read or compared.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from .. import models
from ..checkpoint.stated_plan import stated_plan
from ..checkpoint.statistics import weight_statistics
from ..checkpoint.statistics_table import statistics_table
from ..checkpoint.stored_checkpoint import StoredCheckpoint
from ..checkpoint.verification import Verification, verify
from ..config import isa_complaint
from ..dtype import DTYPES
from ..exit_status import FAILED, OK, USAGE, UsageError
from ..plan.plan import Plan
from ..printable import printable
from ..progress import Progress
from ..regular_file import read_regular
from .arguments import seed, thread_number

__all__ = ["add_arguments", "run"]

_MAX_PLAN_BYTES = 500_000_000
_MOST_LINES = 20
_LONGEST = 1000  # a hostile file shall not fill a terminal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``fanfill verify``."""
    parser.epilog = (
        "exit status: 0 it is the plan, 1 it differs, 2 it couldn't be found out: wrong usage, an interrupt, "
        "or a file that can't be read"
    )
    parser.add_argument(
        "path", type=Path, metavar="PATH",
        help="a safetensors file, or a folder with a model.safetensors or with shards and their index",
    )  # fmt: skip
    parser.add_argument(
        "model", nargs="?", metavar="MODEL",
        help="a name that `fanfill models` lists (default: the one in the file's metadata)",
    )  # fmt: skip
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="a Hugging Face config.json instead of MODEL"
    )
    parser.add_argument(
        "--plan", type=Path, metavar="FILE", help="a plan, as `fanfill plan --json` prints it"
    )
    parser.add_argument("--seed", type=seed, metavar="N", help="0 ... 2^64 - 1 (default: the file's)")
    parser.add_argument(
        "--dtype", choices=[dtype.name for dtype in DTYPES], metavar="DTYPE",
        help="element type (default: the file's)",
    )  # fmt: skip
    parser.add_argument(
        "--recipe", metavar="NAME", help="a name that `fanfill recipes` lists (default: the file's)"
    )
    parser.add_argument(
        "--sample", type=_fraction, default=1.0, metavar="F",
        help="compare this fraction of the blocks of 4 MiB only, such as 0.01",
    )  # fmt: skip
    parser.add_argument(
        "--stats", action="store_true",
        help="print each tensor's mean, std, min, max and kurtosis, and their distance from its law in "
        "standard errors; of a checkpoint that isn't fanfill's, that alone",
    )  # fmt: skip
    parser.add_argument(
        "--threads", type=thread_number, metavar="N", help="at most this many (default: all cores)"
    )
    parser.add_argument("--json", action="store_true", help="print the outcome as one JSON object")
    parser.set_defaults(file_argument="PATH")


def run(arguments: argparse.Namespace) -> int:
    """Prove that a checkpoint is its plan, every block drawn anew and compared, or say where it isn't."""
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        return _unreadable("interrupted; whether it is the plan isn't known")
    except BrokenPipeError:  # the reader of our output left
        raise
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _unreadable(f"{place}{error.strerror or error}")
    except (ImportError, MemoryError, ValueError) as error:
        return _unreadable(str(error) or type(error).__name__)


def _run(arguments: argparse.Namespace) -> int:
    _refuse_contradictions(arguments)
    if complaint := isa_complaint():
        raise ValueError(complaint)
    checkpoint = StoredCheckpoint.read(arguments.path)
    is_foreign = not checkpoint.metadata and not (arguments.model or arguments.config or arguments.plan)
    if is_foreign and arguments.stats:
        return _statistics_alone(arguments)
    plan = _plan(arguments, checkpoint)
    begin = time.monotonic()
    with Progress(plan.model or arguments.path.name) as progress:
        found = verify(
            arguments.path,
            plan,
            sample=arguments.sample,
            statistics=arguments.stats,
            threads=arguments.threads,
            progress=progress,
        )
    seconds = time.monotonic() - begin
    if arguments.json:
        print(json.dumps({**_report(found, len(checkpoint.files)), "seconds": seconds}))
    else:
        _print(found, len(checkpoint.files), seconds)
    return OK if found else FAILED


def _refuse_contradictions(arguments: argparse.Namespace) -> None:
    given = [
        name
        for name, value in (
            ("MODEL", arguments.model),
            ("--config", arguments.config),
            ("--plan", arguments.plan),
        )
        if value is not None
    ]
    if len(given) > 1:
        raise UsageError(
            f"{given[1]}: {given[0]} says already what the checkpoint shall be; give one of them"
        )
    if arguments.plan is not None:
        for name in ("seed", "dtype", "recipe"):
            if getattr(arguments, name) is not None:
                raise UsageError(f"--{name}: the plan says it; leave it out")
    if arguments.model is not None:
        try:
            models.find(arguments.model)
        except ValueError as error:
            raise UsageError(str(error)) from error


def _plan(arguments: argparse.Namespace, checkpoint: StoredCheckpoint) -> Plan:
    if arguments.plan is None:
        return stated_plan(
            checkpoint,
            model=arguments.model,
            config=arguments.config,
            recipe=arguments.recipe,
            seed=arguments.seed,
            dtype=arguments.dtype,
        )
    try:
        return Plan.from_json(read_regular(arguments.plan, _MAX_PLAN_BYTES).decode())
    except OSError as error:
        raise ValueError(f"--plan: {arguments.plan}: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"--plan: {arguments.plan}: {error}") from error


def _statistics_alone(arguments: argparse.Namespace) -> int:
    with Progress(arguments.path.name) as progress:
        statistics = weight_statistics(
            arguments.path, sample=arguments.sample, threads=arguments.threads, progress=progress
        )
    if arguments.json:
        listed = [each.to_dict() for each in statistics]
        print(json.dumps({"path": str(arguments.path), "verified": None, "statistics": listed}))
        return OK
    print(statistics_table(statistics))
    print(printable(f"{arguments.path} wasn't written by fanfill, and nothing was verified"))
    return OK


def _report(found: Verification, files: int) -> dict[str, Any]:
    plan, difference = found.plan, found.difference
    report: dict[str, Any] = {
        "path": found.path,
        "verified": found.verified,
        "model": plan.model,
        "recipe": plan.recipe,
        "seed": plan.seed,
        "contract_version": plan.contract_version,
        "plan_hash": plan.hash,
        "tensors": len(plan),
        "files": files,
        "bytes": found.nbytes,
        "bytes_checked": found.nbytes_checked,
        "blocks": found.blocks,
        "blocks_checked": found.blocks_checked,
        "faults": list(found.faults),
        "missing": list(found.missing),
        "extra": list(found.extra),
        "unlike": list(found.unlike),
        "difference": None if difference is None else difference.to_dict(),
    }
    if found.statistics:
        report["statistics"] = [each.to_dict() for each in found.statistics]
    return report


def _print(found: Verification, files: int, seconds: float) -> None:
    plan = found.plan
    if found.statistics:
        print(statistics_table(found.statistics))
    complaints = found.complaints()
    for line in complaints[:_MOST_LINES]:
        print(printable(line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."))
    if len(complaints) > _MOST_LINES:
        print(f"and {len(complaints) - _MOST_LINES:,} more; --json lists them all")
    share = "" if found.blocks == found.blocks_checked else f", of {found.nbytes:,} bytes"
    result = (
        f"{'verified' if found else 'differs from'} {plan.model or 'the plan'}, "
        f"{f'recipe {plan.recipe}, ' if plan.recipe else ''}seed {plan.seed}, contract version "
        f"{plan.contract_version}, plan hash {plan.hash}"
    )
    print(printable(result))
    speed = found.nbytes_checked / max(seconds, 1e-9) / 1e9
    print(
        f"{len(plan)} tensors in {files} file{'s' * (files != 1)}, {found.nbytes_checked:,} bytes "
        f"compared{share}, {seconds:.2f} s, {speed:.2f} GB/s"
    )


def _fraction(text: str) -> float:
    try:
        fraction = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} isn't a number") from None
    if not 0.0 < fraction <= 1.0:
        raise argparse.ArgumentTypeError(f"{text} isn't a fraction in (0, 1]")
    return fraction


def _unreadable(message: str) -> int:
    print(f"fanfill: error: {printable(' '.join(message.split()))}", file=sys.stderr)
    return USAGE
