"""Knows the directive that sets libraries side by side: a figure of each, from ``docs/results/versus.json``.

It must not know a figure, nor which library does well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docutils import nodes
from node_table import node_table
from result_file import ResultFile, member
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

__all__ = ["setup"]

_WORDS = {
    "cells": "cells",
    "chi_square": "chi-square",
    "values_that_came": "values that came",
    "values_that_should_come": "of these likely ones",
    "distance": "distance from the law",
    "distance_by_chance": "by chance alone",
    "largest": "largest |z|",
    "expected_largest": "to be expected",
    "beyond_4": "beyond 4 sigma",
    "expected_beyond_4": "expected",
    "mean_z": "mean, in standard errors",
    "variance_z": "variance, in standard errors",
    "outside": "outside",
    "on_upper": "on the upper bound",
    "expected_on_upper": "expected there",
    "share": "last bit set",
    "smallest": "smallest above 0",
    "zeros": "zeros",
    "expected_zeros": "zeros expected",
    "other_lengths_differ": "lengths that change values",
    "same_with_threads": "same with 1 to 3 threads",
    "bfloat16_is_rounded_float32": "bfloat16 that are the rounded float32",
}


# What a reader asks, and the figures that answer it.
_QUESTIONS = {
    "normal, code by code": ("buckets normal",),
    "truncated normal, code by code": ("buckets truncated",),
    "tails": ("tails normal",),
    "mean and variance": ("moments normal",),
    "within bounds": ("bounds truncated", "bounds uniform"),
    "same value anywhere": ("invariance",),
}


def _spelled(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(f"{item:,}" for item in value) or "none"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


class _VersusTable(SphinxDirective):
    """``{versus-table} figure``, with the members of the figure to show, one a line."""

    has_content = True
    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        file = ResultFile.read("versus", self.env)
        keys = [line.strip() for line in self.content if line.strip()]
        rows = [
            (
                f"{record['name']} {record['version']}",
                *(_spelled(member(record["figures"][self.arguments[0]], key, file.name)) for key in keys),
            )
            for record in file["records"]
            if self.arguments[0] in record["figures"]
        ]
        if not rows:
            raise ExtensionError(f"docs/results/versus.json holds no figure {self.arguments[0]!r}")
        return [node_table(("library", *(_WORDS[key] for key in keys)), rows)]


class _VersusSummary(SphinxDirective):
    """``{versus-summary}``: which of the tests each library's samples pass, in every dtype that they have."""

    def run(self) -> list[nodes.Node]:
        file = ResultFile.read("versus", self.env)
        rows = [
            (
                f"{record['name']} {record['version']}",
                *(self._answer(record["figures"], names) for names in _QUESTIONS.values()),
            )
            for record in file["records"]
        ]
        return [node_table(("library", *_QUESTIONS), rows)]

    def _answer(self, figures: dict[str, Any], names: tuple[str, ...]) -> str:
        asked = {name: figure["ok"] for name, figure in figures.items() if name.startswith(names)}
        wrong = [name.rpartition(" ")[2] for name, ok in asked.items() if not ok]
        if not asked:
            return _spelled(None)
        return "no: " + ", ".join(dict.fromkeys(wrong)) if wrong else "yes"


class _VersusSample(SphinxDirective):
    """``{versus-sample}``: how many values each sample has, from which seed, measured when."""

    def run(self) -> list[nodes.Node]:
        file = ResultFile.read("versus", self.env)
        changed = ", sources changed since" if file["changed_since"] else ""
        sample = f"Samples of {file['count']:,} values, seed {file['seed']}"
        text = f"{sample}; commit {file.commit}{changed}, {file['date']}."
        return [nodes.paragraph("", text)]


class _VersusCalls(SphinxDirective):
    """``{versus-calls}``: what was called for each law."""

    def run(self) -> list[nodes.Node]:
        file = ResultFile.read("versus", self.env)
        head = ("library", "normal", "truncated normal", "uniform")
        rows = [
            (f"{record['name']} {record['version']}", *(nodes.literal("", call) for call in record["calls"]))
            for record in file["records"]
        ]
        return [node_table(head, rows)]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directives."""
    app.add_directive("versus-table", _VersusTable)
    app.add_directive("versus-sample", _VersusSample)
    app.add_directive("versus-summary", _VersusSummary)
    app.add_directive("versus-calls", _VersusCalls)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
