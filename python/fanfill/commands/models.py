"""Knows the arguments of ``fanfill models`` and what they do: the list of the built-in models.

It must not know other commands.
"""

from __future__ import annotations

import argparse

from .. import models
from ..exit_status import OK
from .arguments import covering

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``fanfill models``, of which there are none."""


def run(arguments: argparse.Namespace) -> int:
    """List the models, their size, and the recipes that cover them, the default first."""
    for name in models.names():
        model = models.find(name)
        default, *others = covering(model)
        listed = ", ".join([f"{default} (default)", *others])
        print(f"{name:<14} {model.numel:>15,} parameters  {model.dtype:<9} {listed}")
    return OK
