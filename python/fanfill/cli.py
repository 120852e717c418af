"""The command line: which commands there are, and errors to one clear line and an exit status.

It must not know what a command does, and imports only the one that is asked for.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Any, NoReturn

from . import _core
from .catalog import look_up
from .exit_status import FAILED, OK, USAGE, UsageError
from .printable import printable

__all__ = ["main"]

# Each is a module of `fanfill.commands`.
_COMMANDS = {
    "init": "write a model's random checkpoint",
    "plan": "print or save what would be drawn",
    "info": "print what a file is",
    "verify": "prove that a checkpoint is its plan",
    "models": "list the models",
    "recipes": "list the recipes",
    "raw": "write raw words to a pipe",
    "diagnose": "say which layers of a torch model vanish, explode or saturate",
    "bench": "measure the speed beside memset and other libraries",
}
_OPTIONS = ("-h", "--help", "--version", "--include-dir", "--cmake-dir")  # of the program itself
_EPILOG = """\
examples:
  fanfill init gpt2 --out gpt2                          a folder that from_pretrained opens
  fanfill init llama-3-8b --out w.safetensors --seed 7  one file
  fanfill plan gpt2                                     what would be drawn, before a byte is written
  fanfill info w.safetensors                            where a file comes from and what it holds
  fanfill verify gpt2                                   every bit of a checkpoint drawn anew and compared

exit status: 0 done, 1 failed, 2 wrong usage
"""


class _CommandParser(argparse.ArgumentParser):
    """Imports its command, and takes the arguments from it, when it is given something to parse."""

    _module: Any = None

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if self._module is None:
            self._module = import_module(f"{__package__}.commands.{self.prog.split()[-1]}")
            self.description = (self._module.run.__doc__ or "").partition("\n")[0]
            self._module.add_arguments(self)
            self.set_defaults(run=self._module.run, error=self.error)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        if message.endswith(" --out"):
            message += ", e.g. `--out gpt2` for a folder or `--out gpt2.safetensors` for one file"
        super().error(message)


class _PrintFolder(argparse.Action):
    """Prints what a function of `build_paths` returns, and ends, as ``--version`` does."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        from . import build_paths

        try:
            print(getattr(build_paths, self.const)())
        except FileNotFoundError as error:
            parser.exit(FAILED, f"fanfill: error: {error}\n")
        parser.exit(OK)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fanfill",
        description="Random weights for whole models: the same bits on every machine, any number of threads.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"fanfill {version('fanfill')} (contract version {_core.CONTRACT_VERSION})",
    )
    for option, function, what in (
        ("--include-dir", "get_include", "the folder of the C and C++ headers"),
        ("--cmake-dir", "get_cmake_dir", "the folder of the CMake package"),
    ):
        parser.add_argument(
            option, nargs=0, action=_PrintFolder, const=function, help=f"print {what} and exit"
        )
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", required=True, parser_class=_CommandParser
    )
    for name, summary in _COMMANDS.items():
        commands.add_parser(name, help=summary)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments without the program's name; default ``sys.argv[1:]``.
    """
    parser = _parser()
    try:
        _refuse_first(parser, sys.argv[1:] if argv is None else argv)
        arguments, unknown = parser.parse_known_args(argv)
        if unknown:  # the command's own usage helps here, the program's doesn't
            arguments.error(f"unrecognized arguments: {' '.join(unknown)}")
    except SystemExit as leave:  # argparse has printed help or the usage error
        return int(leave.code or 0)
    try:
        status: int = arguments.run(arguments)
        sys.stdout.flush()
        return status
    except UsageError as error:
        return _complain(str(error), USAGE)
    except KeyboardInterrupt:
        return _complain(getattr(arguments, "interrupted", "interrupted"), FAILED)
    except BrokenPipeError:  # the reader of our output left, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except FileExistsError as error:
        found = (error.strerror or "exists already").partition(" and is left")[0]
        return _complain(f"--out: {error.filename} {found}; pass --force to replace it", FAILED)
    except OSError as error:
        argument = getattr(arguments, "file_argument", "--out")
        place = f"{argument}: {error.filename}: " if error.filename else ""
        return _complain(f"{place}{error.strerror or error}", FAILED)
    except (ValueError, MemoryError) as error:
        return _complain(str(error) or type(error).__name__, FAILED)


def _refuse_first(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    """Refuse what neither is a command nor may stand before one, with the way out, which argparse lacks."""
    first = argv[0] if argv else ""
    if first.startswith("-"):
        if not any(option.startswith(first) for option in _OPTIONS):
            parser.error(f"{first}: a command's options follow it, as in `fanfill init gpt2 --out gpt2`")
    elif first:
        try:
            look_up("command", first, _COMMANDS)
        except ValueError as error:
            parser.error(str(error))


def _complain(message: str, status: int) -> int:
    print(f"fanfill: error: {printable(' '.join(message.split()))}", file=sys.stderr)
    return status
