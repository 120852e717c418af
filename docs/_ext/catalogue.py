"""Knows the directives that list the recipes, the models and the element types, from the code itself.

It must not know any of them by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes
from node_table import node_table
from sphinx.util.docutils import SphinxDirective

from fanfill import models, recipes
from fanfill.commands.arguments import covering
from fanfill.dtype import DTYPES

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

__all__ = ["setup"]


class _RecipeTable(SphinxDirective):
    """``{recipe-table}``: name, source, and the models that it covers."""

    def run(self) -> list[nodes.Node]:
        covers: dict[str, list[str]] = {name: [] for name in recipes.names()}
        for model in models.names():
            for name in covering(models.find(model)):
                covers[name].append(model)
        rows = [
            (nodes.literal(text=name), recipes.find(name).citation, ", ".join(listed) or "models of your own")
            for name, listed in covers.items()
        ]
        return [node_table(("recipe", "source", "covers"), rows, (17, 48, 35))]


class _ModelTable(SphinxDirective):
    """``{model-table}``: name, size, published dtype, default recipe and source."""

    def run(self) -> list[nodes.Node]:
        found = [models.find(name) for name in models.names()]
        rows = [
            (
                nodes.literal(text=model.name),
                f"{model.numel:,}",
                model.dtype,
                nodes.literal(text=model.recipe or ""),
                model.source,
            )
            for model in found
        ]
        return [
            node_table(
                ("model", "parameters", "dtype", "recipe", "names and shapes from"),
                rows,
                (16, 17, 10, 12, 45),
            )
        ]


class _DTypeTable(SphinxDirective):
    """``{dtype-table}``: the element types, and who has a type for them."""

    def run(self) -> list[nodes.Node]:
        rows = [
            (
                nodes.literal(text=dtype.name),
                str(dtype.itemsize),
                nodes.literal(text=dtype.safetensors_name),
                "NumPy" if dtype.in_numpy else "ml_dtypes, or torch",
            )
            for dtype in DTYPES
        ]
        return [node_table(("dtype", "bytes", "in safetensors", "arrays of it come from"), rows)]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directives."""
    app.add_directive("recipe-table", _RecipeTable)
    app.add_directive("model-table", _ModelTable)
    app.add_directive("dtype-table", _DTypeTable)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
