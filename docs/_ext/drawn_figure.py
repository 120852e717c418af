"""Knows how a script of ``docs/figures`` becomes a picture of a page, in the page's own colours.

It must not know what a picture shows.
"""

from __future__ import annotations

import importlib
import io
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

__all__ = ["setup"]

FOLDER = Path(__file__).parents[1] / "figures"
# What a script uses for ink; the page's own colour of text takes its place.
_INK = "#010203"
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "fanfill",
    "font.family": "sans-serif",
    "font.size": 10.0,
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "axes.titlecolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "lines.linewidth": 1.8,
    "axes.prop_cycle": "cycler('color', ['#12908e', '#c8731a', '#7a5cc4', '#8a8f98'])",
}


def _svg(figure: Figure, name: str) -> str:
    written = io.StringIO()
    figure.savefig(written, format="svg", metadata={"Date": None}, bbox_inches="tight")
    drawing = written.getvalue()[written.getvalue().index("<svg") :].replace(_INK, "currentColor")
    # Several pictures share a page, and so one space of ids.
    drawing = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{name}-", drawing)
    # As wide as the text, whatever its size in points.
    head, tail = drawing.split(">", 1)
    return re.sub(r' (?:width|height)="[^"]*"', "", head) + ">" + tail


class _DrawnFigure(SphinxDirective):
    """``{drawn-figure} NAME``, its content the caption: what ``draw()`` of ``figures/NAME.py`` returns."""

    required_arguments = 1
    has_content = True
    option_spec = {"alt": directives.unchanged_required}  # noqa: RUF012 - docutils' way

    def run(self) -> list[nodes.Node]:
        import matplotlib as mpl
        from matplotlib import pyplot as plt

        name = self.arguments[0]
        self.env.note_dependency(str(FOLDER / f"{name}.py"))
        if str(FOLDER) not in sys.path:
            sys.path.insert(0, str(FOLDER))
        mpl.use("Agg")
        with mpl.rc_context(_STYLE):
            figure = importlib.import_module(name).draw()
            drawing = _svg(figure, name)
            plt.close(figure)
        alt = nodes.raw(
            "", f'<div class="drawn" role="img" aria-label="{self.options["alt"]}">', format="html"
        )
        caption = nodes.caption()
        self.state.nested_parse(self.content, self.content_offset, caption)
        texts = [child for paragraph in caption.children for child in paragraph.children]
        return [
            nodes.figure(
                "",
                alt,
                nodes.raw("", drawing, format="html"),
                nodes.raw("", "</div>", format="html"),
                nodes.caption("", "", *texts),
            )
        ]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive."""
    app.add_directive("drawn-figure", _DrawnFigure)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
