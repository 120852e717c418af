"""Knows the directives that show fanfill beside the initializers of torch, JAX and Keras.

It must not know a measured figure; result files of ``bench.torch_models`` and ``bench.jax_keras`` have them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docutils import nodes
from node_table import node_table
from result_file import ResultFile, member
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

__all__ = ["setup"]


def _ratio(quartiles: Sequence[float]) -> str:
    low, middle, high = quartiles
    return f"{middle:.1f} ({low:.1f}–{high:.1f})"


class _Models(SphinxDirective):
    """``{torch-models} NAME``: whole models in torch, by each way of filling them."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        file = ResultFile.read(self.arguments[0], self.env)
        threads = file["threads"]
        head = ("model", "dtype", "memory", "way", "seconds", "times torch's own")
        return [
            node_table(head, [self._row(row, file.name) for row in file["rows"]]),
            nodes.paragraph(
                "",
                f"Medians, with the quartiles over the rounds. torch {file['torch']}, transformers "
                f"{file['transformers']}, {threads['fanfill']} and {threads['torch']} threads; commit "
                f"{file.commit}, load average {file['load_average'][0]:.1f} at the beginning.",
            ),
        ]

    def _row(self, row: Any, name: str) -> tuple[str, ...]:
        words = tuple(str(member(row, key, name)) for key in ("model", "dtype", "memory", "way"))
        ratio = "1" if words[-1] == "torch" else _ratio(member(row, "ratio", name))
        return (*words, f"{member(row, 'seconds', name)[1]:.2f}", ratio)


class _Initializers(SphinxDirective):
    """``{framework-initializers} NAME``: single tensors, by JAX's and Keras' own initializers and by ours."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        file = ResultFile.read(self.arguments[0], self.env)
        head = ("framework", "initializer", "law", "its own, ms", "ours, ms", "times its own")
        return [
            node_table(head, [self._row(row, file.name) for row in file["rows"]]),
            nodes.paragraph("", f"Medians, with the quartiles over the rounds; commit {file.commit}."),
        ]

    def _row(self, row: Any, name: str) -> tuple[str, ...]:
        ratio = [float(member(row, key, name)) for key in ("low", "ratio", "high")]
        times = (1e3 * float(member(row, f"{side}.median_s", name)) for side in ("right", "left"))
        words = (str(member(row, key, name)) for key in ("side", "initializer", "left.law"))
        return (*words, *(f"{each:.1f}" for each in times), _ratio(ratio))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directives."""
    app.add_directive("torch-models", _Models)
    app.add_directive("framework-initializers", _Initializers)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
