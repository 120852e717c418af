"""Knows that a module's second sentence says what it must not know, which is for those who change it.

It must not know any module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

__all__ = ["setup"]


def _shorten(app: Sphinx, what: str, name: str, obj: object, options: Any, lines: list[str]) -> None:
    if what != "module":
        return
    paragraphs = "\n".join(lines).split("\n\n")
    kept = [paragraph for paragraph in paragraphs if "must not" not in paragraph]
    lines[:] = "\n\n".join(kept).split("\n")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Listen to autodoc."""
    app.connect("autodoc-process-docstring", _shorten)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
