"""Knows the arguments of ``fanfill raw`` and what they do: raw words to standard output, for test batteries.

It must not know other commands, nor in which order a layout has its words.
"""

from __future__ import annotations

import argparse
import os
import sys

from ..exit_status import OK
from ..random import LAYOUTS, raw_to
from ..stream import stream_id

__all__ = ["add_arguments", "run"]

_END = 1 << 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``fanfill raw`` to the parser of that command.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        What ``commands.add_parser("raw", help="write raw words", description=run.__doc__)`` returned. Its
        formatter becomes one that keeps the lines of the list of layouts.
    """
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    width = max(map(len, LAYOUTS))
    parser.epilog = "layouts:\n" + "\n".join(
        f"  {name:<{width}}  {entry.description}" for name, entry in LAYOUTS.items()
    )
    parser.add_argument(
        "--layout",
        choices=list(LAYOUTS),
        default="sequential",
        metavar="NAME",
        help="one of those below (default: %(default)s)",
    )
    parser.add_argument(
        "--seed", type=_seed, default=0, metavar="N", help="0 ... 2^64 - 1 (default: %(default)s)"
    )
    parser.add_argument(
        "--key",
        type=_key,
        default=0,
        metavar="KEY",
        help="a number, 0 ... 2^64 - 1, or a name that is hashed (default: %(default)s)",
    )
    parser.add_argument(
        "--count", type=_count, metavar="N", help="words of 4 bytes (default: until the reader has enough)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write raw little-endian 32-bit words to standard output, for PractRand, TestU01 or dieharder.

    Returns
    -------
    int
        The exit status: 0, also where the reader closed the pipe.

    Raises
    ------
    ValueError
        If standard output is a terminal.
    OSError
        If it cannot be written.
    """
    if sys.stdout.isatty():
        raise ValueError("raw words are not for a terminal; pipe them: fanfill raw | RNG_test stdin32")
    stream = sys.stdout.buffer
    written = raw_to(stream, arguments.layout, seed=arguments.seed, key=arguments.key, count=arguments.count)
    try:
        stream.flush()
    except BrokenPipeError:
        written = -1
    if written != arguments.count:
        # What the stream still holds would be written at exit, and complained about.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return OK


def _seed(text: str) -> int:
    return _integer(text, "0 ... 2^64 - 1", _END)


def _key(text: str) -> int | str:
    # Whatever is a number is taken for one: -1 is out of range, and not a name to be hashed.
    if text.removeprefix("-").isdecimal() and text.isascii():
        return _integer(text, "0 ... 2^64 - 1", _END)
    try:
        stream_id(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def _count(text: str) -> int:
    return _integer(text, "0 ... 2^64", _END + 1)


def _integer(text: str, span: str, end: int) -> int:
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} isn't an integer") from None
    if not 0 <= value < end:
        raise argparse.ArgumentTypeError(f"{text} isn't in {span}")
    return value
