"""Knows the directives that show the long batteries whose records are tests: bits, hostile, kills.

It must not know a figure; all come from result files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docutils import nodes
from node_table import node_table
from result_file import ResultFile, member
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

__all__ = ["setup"]


def _measured(file: ResultFile) -> nodes.paragraph:
    changed = ", sources changed since" if file["changed_since"] else ""
    return nodes.paragraph("", f"Commit {file.commit}{changed}, {file['date']}.")


class _BitsTable(SphinxDirective):
    """``{bits-table}``: what each order of the words went through."""

    def run(self) -> list[nodes.Node]:
        file = ResultFile.read("bits", self.env)
        head = ("order", "words to our own set", "its statistics", "results of dieharder", "weak", "failed")
        orders = dict.fromkeys(record["name"] for record in file["records"])
        return [node_table(head, [self._row(file, order) for order in orders]), _measured(file)]

    def _row(self, file: ResultFile, order: str) -> tuple[str, ...]:
        records = [record for record in file["records"] if record["name"] == order]
        theirs = [record for record in records if record["check"] == "dieharder"]
        ours = [record for record in records if record["check"] != "dieharder"]
        return (
            order,
            f"{max(member(record, 'inputs', file.name) for record in ours):,}",
            f"{sum(record['statistics'] for record in ours):,}",
            f"{sum(record['statistics'] for record in theirs):,}",
            f"{sum(record['weak'] for record in theirs):,}",
            ", ".join(name for record in records for name in record["failed"]) or "none",
        )


class _HostileTable(SphinxDirective):
    """``{hostile-table}``: every test in its long form, and how often it tried."""

    def run(self) -> list[nodes.Node]:
        file = ResultFile.read("hostile", self.env)
        rows = [self._row(file, record) for record in file["records"]]
        return [node_table(("test", "trials", "what it found", "failed"), rows), _measured(file)]

    def _row(self, file: ResultFile, record: dict[str, Any]) -> tuple[str, ...]:
        words = {
            "partial": "{:,} came before the end",
            "seconds_99_percent": "99 in 100 within {} s",
            "taken": "{:,} taken, the others refused",
            "arguments": "arguments {}",
        }
        found = [text.format(record[key]) for key, text in words.items() if record.get(key)]
        name = member(record, "name", file.name).removeprefix("test_").replace(": test_", ": ")
        return (
            name.replace("_", " "),
            f"{record['inputs']:,}",
            ", ".join(found),
            ", ".join(record["failed"]) or "none",
        )


class _KillTable(SphinxDirective):
    """``{kill-table}``: the writer of a checkpoint, killed and resumed."""

    def run(self) -> list[nodes.Node]:
        file = ResultFile.read("kills", self.env)
        kills = file["kills"]
        right = sum(kill["sha256"] == file["sha256"] for kill in kills)
        partial = sum(any(kill["left"][key] for key in ("partial", "complete")) for kill in kills)
        row = (f"{file['bytes']:,}", f"{len(kills):,}", f"{partial:,}", f"{right:,}", file.commit)
        head = (
            "bytes of the checkpoint",
            "kills",
            "left unfinished files",
            "same SHA-256 when resumed",
            "commit",
        )
        return [node_table(head, [row])]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directives."""
    app.add_directive("bits-table", _BitsTable)
    app.add_directive("hostile-table", _HostileTable)
    app.add_directive("kill-table", _KillTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
