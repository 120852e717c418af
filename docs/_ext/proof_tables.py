"""Knows the directives that show what was proven: on how many inputs, at which commit, and what failed.

It must not know a figure; all come from result files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docutils import nodes
from node_table import node_table
from result_file import ResultFile, member
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

__all__ = ["setup"]

_WORDS = {
    "finite": "finite",
    "bounds": "within bounds",
    "monotone": "|z| never rises with p",
    "mirror": "mirror words opposite",
    "equal_isas": "instruction sets equal",
    "equal_machines": "equal under emulation",
    "negative_count": "share of each side",
    "rounded_once": "rounded once",
    "total_variation": "total variation",
    "cell_edges": "|F − Φ| at cell edges",
    "reach": "reach",
    "accuracy": "error against 200 bits",
    "converter": "equal to integer reference",
}


def _spelled(checks: Iterable[str]) -> str:
    # The checks of the tails have names that begin so, and are one thing to a reader.
    kinds = ("tails" if check.startswith("tail_") else check for check in checks)
    return ", ".join(dict.fromkeys(_WORDS.get(kind, kind.replace("_", " ")) for kind in kinds))


def _records(file: ResultFile, kind: str) -> list[dict[str, Any]]:
    found = [record for record in file["records"] if record["check"] == kind]
    if not found:
        raise ExtensionError(f"docs/results/{file.name}.json holds no record of {kind!r}")
    return found


def _commit(file: ResultFile) -> str:
    return file.commit + (", sources changed since" if file["changed_since"] else "")


class _ProofDirective(SphinxDirective):
    """Lists result files, one name a line."""

    has_content = True

    def files(self) -> Iterator[ResultFile]:
        for line in self.content:
            yield ResultFile.read(line.strip(), self.env)


class _ProofTable(_ProofDirective):
    """``{proof-table}``: what was swept, and whether anything failed."""

    def run(self) -> list[nodes.Node]:
        head = ("what", "inputs", "checked", "failed", "instruction sets", "commit")
        return [node_table(head, [self._row(file) for file in self.files()])]

    def _row(self, file: ResultFile) -> tuple[str, ...]:
        checks = [check for record in file["records"] for check in record["checks"]]
        return (
            file["title"].partition(": ")[2].replace("_", " "),
            f"{file['inputs']:,}",
            _spelled(checks),
            ", ".join(file["failed"]) or "none",
            ", ".join(file["isas"]),
            _commit(file),
        )


class _MassTable(_ProofDirective):
    """``{mass-table}``: the probability of every code of the narrow dtypes."""

    def run(self) -> list[nodes.Node]:
        head = (
            "law",
            "dtype",
            "total variation",
            "against the plain normal",
            "its floor",
            "|F − Φ|",
            "words",
            "commit",
        )
        return [node_table(head, [row for file in self.files() for row in self._rows(file)])]

    def _rows(self, file: ResultFile) -> Iterator[tuple[str, ...]]:
        for record in _records(file, "mass"):
            keys = ("total_variation", "total_variation_plain", "plain_floor", "largest_cell_edge_error")
            yield (
                record["law"],
                record["dtype"],
                *(f"{member(record, key, file.name):.1e}" for key in keys),
                f"{record['inputs']:,}",
                _commit(file),
            )


class _PlantedTable(_ProofDirective):
    """``{planted-table}``: errors put in on purpose, and the checks that saw them."""

    def run(self) -> list[nodes.Node]:
        head = ("planted error", "caught by", "commit")
        return [node_table(head, [row for file in self.files() for row in self._rows(file)])]

    def _rows(self, file: ResultFile) -> Iterator[tuple[str, ...]]:
        for record in _records(file, "planted_error"):
            caught = _spelled(record["caught_by"]) or "nothing, as it should be"
            yield (record["error"], caught, _commit(file))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directives."""
    app.add_directive("proof-table", _ProofTable)
    app.add_directive("mass-table", _MassTable)
    app.add_directive("planted-table", _PlantedTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
