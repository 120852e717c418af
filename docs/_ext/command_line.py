"""Knows the directive that describes the command line, from the parsers that read it.

It must not know any command or option.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from fanfill import cli

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

__all__ = ["setup"]


def _text(words: str) -> list[nodes.Node]:
    """Return a help text, what is between backquotes as literals."""
    pieces = words.split("`")
    return [
        nodes.literal(text=piece) if at % 2 else nodes.Text(piece) for at, piece in enumerate(pieces) if piece
    ]


def _invocation(action: argparse.Action) -> str:
    value = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if not action.option_strings:
        return value
    return ", ".join(action.option_strings) + ("" if action.nargs == 0 else f" {value}")


def _arguments(actions: Iterable[argparse.Action], prog: str) -> nodes.definition_list:
    listed = nodes.definition_list()
    for action in actions:
        said = (action.help or "") % {**vars(action), "prog": prog}
        if action.required and action.option_strings:
            said += " (required)"
        listed += nodes.definition_list_item(
            "",
            nodes.term("", "", nodes.literal(text=_invocation(action))),
            nodes.definition("", nodes.paragraph("", "", *_text(said))),
        )
    return listed


def _section(title: str, *content: nodes.Node) -> nodes.section:
    name = nodes.make_id(title)
    return nodes.section(
        "", nodes.title("", "", nodes.literal(text=title)), *content, ids=[name], names=[name]
    )


def _command(name: str) -> nodes.section:
    module = import_module(f"fanfill.commands.{name}")
    parser = argparse.ArgumentParser(prog=f"fanfill {name}", add_help=False)
    module.add_arguments(parser)
    formatter = parser._get_formatter()
    formatter.add_usage(parser.usage, parser._actions, parser._mutually_exclusive_groups, prefix="")
    usage = formatter.format_help().strip()
    description = (module.run.__doc__ or "").partition("\n")[0]
    content: list[nodes.Node] = [nodes.paragraph("", "", *_text(description))]
    content.append(nodes.literal_block(usage, usage, language="text"))
    if parser._actions:
        content.append(_arguments(parser._actions, parser.prog))
    return _section(f"fanfill {name}", *content)


class _CommandLine(SphinxDirective):
    """``{command-line}``: one section for each command, in the program's order."""

    def run(self) -> list[nodes.Node]:
        return [_command(name) for name in cli._COMMANDS]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive."""
    app.add_directive("command-line", _CommandLine)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
