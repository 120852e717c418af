"""Knows how rows of text become a table that Sphinx renders.

It must not know what the table says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from docutils import nodes

__all__ = ["node_table"]

Cell: TypeAlias = str | nodes.Node


def node_table(
    head: Sequence[str], rows: Iterable[Sequence[Cell]], widths: Sequence[int] | None = None
) -> nodes.table:
    """Return a table; a cell is a text, or a node that is put in as it is. Widths are shares of the whole."""
    table = nodes.table(classes=["generated"] if widths is None else ["generated", "colwidths-given"])
    grid = nodes.tgroup(cols=len(head))
    table += grid
    grid += [nodes.colspec(colwidth=width) for width in widths or [1] * len(head)]
    grid += nodes.thead("", _row(head))
    grid += nodes.tbody("", *(_row(row) for row in rows))
    return table


def _row(cells: Sequence[Cell]) -> nodes.row:
    row = nodes.row()
    for cell in cells:
        content = nodes.Text(cell) if isinstance(cell, str) else cell
        # Numbers stay in one piece; words may break.
        classes = ["number"] if isinstance(cell, str) and len(cell) < 24 and cell[:1].isdigit() else []
        row += nodes.entry("", nodes.paragraph("", "", content), classes=classes)
    return row
