"""What several commands ask for alike: a model, a seed, a recipe, an element type, threads, a path.

It must not know what a command does with them.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from .. import models, recipes
from ..byte_size import byte_size
from ..dtype import DTYPES
from ..exit_status import UsageError
from ..model import Model
from ..plan.plan import Plan

__all__ = [
    "add_plan_arguments",
    "covering",
    "file_size",
    "model_and_plan",
    "output_path",
    "part_of",
    "seed",
    "thread_number",
]

_SEED_END = 2**64


def seed(text: str) -> int:
    """Return the seed that `text` says."""
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} isn't an integer") from None
    if not 0 <= value < _SEED_END:
        raise argparse.ArgumentTypeError(f"{text} isn't in 0 ... 2^64 - 1")
    return value


def thread_number(text: str) -> int:
    """Return the number of threads that `text` says."""
    try:
        threads = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} isn't an integer") from None
    if threads < 1:
        raise argparse.ArgumentTypeError(f"{text} isn't at least 1")
    return threads


def file_size(text: str) -> int:
    """Return the number of bytes that `text` says, such as ``5GB``."""
    try:
        return byte_size(text, "it")
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def part_of(text: str) -> tuple[int, int]:
    """Return the part ``K/N`` that `text` says."""
    number, slash, count = text.partition("/")
    if not (slash and number.isascii() and number.isdecimal() and count.isascii() and count.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} isn't K/N, such as 1/4")
    if not 1 <= int(number) <= int(count):
        raise argparse.ArgumentTypeError(f"{text}: K counts from 1 to N")
    return int(number), int(count)


def output_path(text: str) -> Path:
    """Return the path that `text` says."""
    if not text:
        raise argparse.ArgumentTypeError("is empty; `--out .` is this folder")
    return Path(text)


def add_plan_arguments(parser: argparse.ArgumentParser) -> None:
    """Add a model and what makes a plan of it."""
    parser.add_argument("model", nargs="?", metavar="MODEL", help="a name that `fanfill models` lists")
    parser.add_argument(
        "--config", type=Path, metavar="FILE",
        help="a Hugging Face config.json instead of MODEL, of any architecture that transformers has; "
        "what it says of quantization is left out",
    )  # fmt: skip
    parser.add_argument("--seed", type=seed, metavar="N", help="0 ... 2^64 - 1 (default: 0)")
    parser.add_argument(
        "--dtype", choices=[dtype.name for dtype in DTYPES], metavar="DTYPE",
        help=f"{', '.join(dtype.name for dtype in DTYPES)} (default: that of the published checkpoint)",
    )  # fmt: skip
    parser.add_argument(
        "--recipe", metavar="NAME", help="a name that `fanfill recipes` lists (default: the model's)"
    )
    parser.set_defaults(quantization=None)


def model_and_plan(arguments: argparse.Namespace) -> tuple[Model, Plan]:
    """Return the model and the plan that the arguments name, and note what they say of quantization.

    Raises
    ------
    UsageError
        If a name is unknown, or the recipe doesn't cover the model, or there isn't one of MODEL and --config.
    ValueError
        If the config can't be read.
    """
    if (arguments.model is None) == (arguments.config is None):
        raise UsageError("give a MODEL that `fanfill models` lists, or --config FILE, and not both")
    if arguments.config is not None:
        return _configured(arguments)
    try:
        model = models.find(arguments.model)
        recipe = recipes.find(arguments.recipe or model.recipe or "")
    except ValueError as error:
        raise UsageError(str(error)) from error
    if recipe.unmatched(model):
        listed = ", ".join(covering(model))
        raise UsageError(f"--recipe: {recipe.name} doesn't cover {model.name}; these do: {listed}")
    return model, recipe.plan(model, seed=arguments.seed or 0, dtype=arguments.dtype)


def _configured(arguments: argparse.Namespace) -> tuple[Model, Plan]:
    from ..hf.config import HfConfig  # which needs transformers

    try:
        config = HfConfig.read(arguments.config)
    except OSError as error:
        raise ValueError(f"--config: {error.filename or arguments.config}: {error.strerror}") from error
    except (ImportError, ValueError) as error:
        raise ValueError(f"--{error}") from error
    try:
        recipe = config.recipe(arguments.recipe)
    except ValueError as error:
        raise UsageError(f"--recipe: {error}") from error
    arguments.quantization = config.quantization
    return config.model, recipe.plan(config.model, seed=arguments.seed or 0, dtype=arguments.dtype)


def covering(model: Model) -> list[str]:
    """Return the names of the recipes that have a rule for every parameter, the model's default first."""
    # One tensor of each kind will do: the patterns don't ask which layer or expert it is.
    kinds = {re.sub(r"\d+", "0", parameter.name): parameter for parameter in model.parameters}
    one_of_each = Model(model.name, tuple(kinds.values()), depth=model.depth)
    found = [name for name in recipes.names() if not recipes.find(name).unmatched(one_of_each)]
    return sorted(found, key=lambda name: name != model.recipe)
