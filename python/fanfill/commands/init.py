"""Knows the arguments of ``fanfill init`` and what they do: a model's random checkpoint.

It must not know other commands, nor how a plan is made or a file is written.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from .. import models
from ..checkpoint.target import Target
from ..config import isa_complaint
from ..exit_status import OK, UsageError
from ..hf.companions import companion_files
from ..model import Model
from ..plan.plan import Plan
from ..printable import printable
from ..progress import Progress
from ..regular_file import read_regular
from ..threads import default_threads
from .arguments import add_plan_arguments, file_size, model_and_plan, output_path, part_of, thread_number

__all__ = ["add_arguments", "run"]

_MAX_PLAN_BYTES = 500_000_000
_EPILOG = """\
examples:
  fanfill init gpt2 --out gpt2
  fanfill init llama-3-8b --out big --max-shard-size 5GB --resume
  fanfill init deepseek-v3 --out big --max-shard-size 5GB --part 3/8     on the third of eight hosts
  fanfill init --config Qwen3-8B/config.json --out new                   any architecture of transformers
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``fanfill init``."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EPILOG
    add_plan_arguments(parser)
    parser.add_argument(
        "--plan",
        type=Path,
        metavar="FILE",
        help="a plan that `fanfill plan --out plan.json` saved, for MODEL",
    )
    parser.add_argument(
        "--out", required=True, type=output_path, metavar="PATH",
        help="one file if it ends in .safetensors, else a folder with model.safetensors and config.json; "
        "missing folders are made",
    )  # fmt: skip
    parser.add_argument(
        "--max-shard-size", type=file_size, metavar="SIZE",
        help="several files with an index, each with at most so many bytes of tensors, such as 5GB; "
        "a larger tensor gets a file of its own (default: one file)",
    )  # fmt: skip
    parser.add_argument(
        "--part", type=part_of, default=(1, 1), metavar="K/N",
        help="write the K-th of N shares of the files, K from 1; the first has index and config.json too",
    )  # fmt: skip
    parser.add_argument(
        "--resume", action="store_true",
        help="continue where an earlier run was stopped, and if this one is, leave what it has for the next",
    )  # fmt: skip
    parser.add_argument(
        "--threads", type=thread_number, metavar="N", help="at most this many (default: all cores)"
    )
    parser.add_argument("--force", action="store_true", help="replace files that exist")
    parser.add_argument(
        "--dry-run", action="store_true", help="print the files and their bytes, write nothing"
    )
    parser.add_argument("--json", action="store_true", help="print the outcome as one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Write a random checkpoint: names and shapes of the published one, laws of the recipe."""
    arguments.interrupted = "interrupted; no file was written or replaced"
    if arguments.resume:
        arguments.interrupted = "interrupted; the same command continues"
    model, plan = _model_and_plan(arguments)
    target = _target(arguments, model, plan)
    report = {**_report(plan, target, arguments.part), "quantization_left_out": arguments.quantization}
    target.check(replace=arguments.force, resume=arguments.resume)
    if complaint := isa_complaint():
        raise ValueError(complaint)
    if arguments.threads is None:
        default_threads()  # or it raises, if the environment names no number
    label = plan.model or str(arguments.plan)
    if not arguments.json:
        print(printable(f"{label}, recipe {plan.recipe}, {report['dtype']}, seed {plan.seed}"), flush=True)
    if not arguments.dry_run:
        begin = time.monotonic()
        with Progress(label) as progress, _terminate_as_interrupt():
            written = target.write(
                replace=arguments.force,
                resume=arguments.resume,
                threads=arguments.threads,
                progress=progress,
            )
        seconds = time.monotonic() - begin
        report |= {"seconds": seconds, "gigabytes_per_second": report["bytes"] / seconds / 1e9}
        report["bytes_written"] = written.bytes_written
    if arguments.json:
        print(json.dumps(report))
    else:
        _print(report, arguments)
    return OK


def _model_and_plan(arguments: argparse.Namespace) -> tuple[Model | None, Plan]:
    given = [each for each in (arguments.model, arguments.config, arguments.plan) if each is not None]
    if len(given) != 1:
        raise UsageError("give one of MODEL that `fanfill models` lists, --config FILE and --plan FILE")
    if arguments.plan is None:
        return model_and_plan(arguments)
    for name in ("seed", "dtype", "recipe"):
        if getattr(arguments, name) is not None:
            raise UsageError(f"--{name}: the plan says it; leave it out")
    try:
        plan = Plan.from_json(read_regular(arguments.plan, _MAX_PLAN_BYTES).decode())
    except OSError as error:
        raise ValueError(f"--plan: {arguments.plan}: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"--plan: {arguments.plan}: {error}") from error
    return _model_of(plan), plan


def _model_of(plan: Plan) -> Model | None:
    """Return the built-in model that the plan is one of, for its config.json and counters."""
    if plan.model not in models.names():
        return None
    model = models.find(plan.model or "")
    same = {spec.name: spec.shape for spec in plan} == {each.name: each.shape for each in model.parameters}
    return model if same else None


def _target(arguments: argparse.Namespace, model: Model | None, plan: Plan) -> Target:
    beside = {} if model is None else {"config.json": model.config_json(_dtype(plan)).encode()}
    if arguments.config is not None:
        beside |= companion_files(arguments.config)
    try:
        return Target(
            arguments.out,
            plan,
            counters=() if model is None else model.counters,
            beside=beside,
            max_shard_size=arguments.max_shard_size,
            part=arguments.part,
        )
    except ValueError as error:
        if arguments.part[1] > 1 or arguments.max_shard_size is not None:
            text = str(error).replace("max_shard_size", "--max-shard-size").replace("part ", "--part ")
            raise UsageError(text) from error
        raise


def _dtype(plan: Plan) -> str:
    """Return the element type of most of the plan's elements."""
    sizes: dict[str, int] = {}
    for spec in plan:
        sizes[spec.dtype] = sizes.get(spec.dtype, 0) + spec.numel
    return max(sizes, key=lambda dtype: sizes[dtype], default="float32")


def _report(plan: Plan, target: Target, part: tuple[int, int]) -> dict[str, Any]:
    files = target.files()
    return {
        "model": plan.model,
        "recipe": plan.recipe,
        "seed": plan.seed,
        "dtype": _dtype(plan),
        "contract_version": plan.contract_version,
        "plan_hash": plan.hash,
        "tensors": len(plan),
        "parameters": plan.numel - plan.buffer_numel,
        "buffer_elements": plan.buffer_numel,
        "part": list(part),
        "files": [{"path": str(path), "bytes": size} for path, size in files],
        "bytes": sum(size for _, size in files),
    }


def _print(report: dict[str, Any], arguments: argparse.Namespace) -> None:
    for file in report["files"]:
        done = "would write" if arguments.dry_run else "wrote"
        print(printable(f"{done} {file['path']}, {file['bytes']:,} bytes"))
    number, count = arguments.part
    if count > 1:
        files = len(report["files"])
        print(f"part {number} of {count}: {files} file{'s' * (files != 1)}")
    if not report["files"]:
        print("there are fewer files than parts; a smaller --max-shard-size makes more")
    if report["dtype"].startswith("float8"):
        print("float8 values are the weights themselves: no scale tensors belong to them")
    if report["quantization_left_out"]:
        print(
            f"config.json lacks the quantization ({report['quantization_left_out']}) of the one that was "
            f"given: the tensors are {report['dtype']}, and no scales belong to them"
        )
    closing = f"{report['parameters']:,} parameters in {report['tensors']} tensors, {report['bytes']:,} bytes"
    if report["buffer_elements"]:
        closing = f"{report['buffer_elements']:,} elements of buffers and {closing}"
    if arguments.resume and not arguments.dry_run:
        closing += f", {report['bytes_written']:,} of them written now"
    if not arguments.dry_run:
        closing += f", {report['seconds']:.2f} s, {report['gigabytes_per_second']:.2f} GB/s"
    print(closing)


@contextlib.contextmanager
def _terminate_as_interrupt() -> Iterator[None]:
    """Treat SIGTERM, which batch systems send, as Ctrl-C, so that the folder is left in order."""

    def interrupt(number: int, frame: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
