"""Knows the arguments of ``fanfill recipes`` and what they do: the list of the built-in recipes.

It must not know other commands.
"""

from __future__ import annotations

import argparse

from .. import recipes
from ..exit_status import OK

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``fanfill recipes``, of which there are none."""


def run(arguments: argparse.Namespace) -> int:
    """List the recipes and where each comes from."""
    for name in recipes.names():
        print(f"{name:<18} {recipes.find(name).citation}")
    return OK
