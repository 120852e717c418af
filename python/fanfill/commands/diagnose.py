"""Knows the arguments of ``fanfill diagnose`` and what they do: a torch model's layers under one batch.

It must not know other commands, nor what makes a layer good or bad.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import traceback
from pathlib import Path
from typing import Any

import numpy as np

from ..exit_status import OK, UsageError
from .arguments import output_path, seed

__all__ = ["add_arguments", "run"]

_EPILOG = """\
examples:
  fanfill diagnose my_package.model:make --batch batch.npy
  fanfill diagnose torchvision.models:resnet18 --batch images.npy --out report.html
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``fanfill diagnose``."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EPILOG
    parser.add_argument(
        "factory", metavar="PACKAGE.MODULE:FACTORY",
        help="a function without arguments that returns a torch.nn.Module; this folder is searched too",
    )  # fmt: skip
    parser.add_argument(
        "--batch", required=True, type=Path, metavar="FILE.npy", help="the model's input, saved by numpy.save"
    )
    parser.add_argument(
        "--out", type=output_path, metavar="PATH",
        help="also write a report: .html with table and plot, or the plot as .png or .svg",
    )  # fmt: skip
    parser.add_argument("--seed", type=seed, default=0, metavar="N", help="of what is random (default: 0)")
    parser.add_argument("--force", action="store_true", help="replace a report that exists")
    parser.add_argument("--json", action="store_true", help="print the outcome as one JSON object")
    parser.set_defaults(file_argument="--batch")


def run(arguments: argparse.Namespace) -> int:
    """Run one batch forward and back through a model and name the layers that vanish, explode or saturate."""
    out = arguments.out
    if out is not None and out.suffix not in (".html", ".png", ".svg"):
        raise UsageError(f"--out: {out} must end in .html, .png or .svg")
    if out is not None and out.exists() and not arguments.force:
        raise FileExistsError(None, "exists already", str(out))
    batch = _batch(arguments.batch)
    module = _made(arguments.factory)
    try:
        from ..torch import diagnose

        found = diagnose(module, batch, seed=arguments.seed)
        if out is not None:
            arguments.file_argument = "--out"
            found.save(out)
    except (ImportError, TypeError) as error:
        raise ValueError(str(error)) from error
    if arguments.json:
        print(json.dumps(found.to_dict()))
        return OK
    print(found.table())
    if out is not None:
        print(f"wrote {out}")
    return OK


def _batch(path: Path) -> Any:
    with path.open("rb") as file:
        try:
            return np.lib.format.read_array(file, allow_pickle=False)
        except ValueError as error:
            raise ValueError(f"--batch: {path} isn't an array that numpy.save wrote: {error}") from error


def _made(text: str) -> Any:
    """Return what ``package.module:factory`` returns; what it raises is one line that says where."""
    factory = None
    try:
        factory = _factory(text)
        return factory()
    except UsageError:
        raise
    except Exception as error:
        at = traceback.extract_tb(error.__traceback__)[-1]
        place = "" if at.filename == __file__ else f" ({at.filename}, line {at.lineno})"
        what = "importing it" if factory is None else "calling it"
        raise ValueError(f"{text!r}: {what} raises {type(error).__name__}: {error}{place}") from error


def _factory(text: str) -> Any:
    """Return the function ``package.module:factory``."""
    place, colon, name = text.partition(":")
    if not (place and colon and name):
        raise UsageError(f"{text!r} isn't PACKAGE.MODULE:FACTORY, such as torchvision.models:resnet18")
    sys.path.insert(0, "")
    try:
        factory: Any = importlib.import_module(place)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{place}.".startswith(f"{error.name}."):
            raise
        raise UsageError(f"{text!r}: there is no module {error.name!r} here") from error
    for part in name.split("."):
        if not hasattr(factory, part):
            raise UsageError(f"{text!r}: {place} has no {name!r}")
        factory = getattr(factory, part)
    if not callable(factory) or (hasattr(factory, "named_modules") and not isinstance(factory, type)):
        raise UsageError(f"{text!r} is no function that returns a module, but {type(factory).__name__}")
    return factory
