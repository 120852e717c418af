"""Knows how the notebooks of ``examples/tutorials`` become what myst-nb renders: run, and their links turned.

It must not know what a notebook teaches.
"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from nbclient import NotebookClient
from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

__all__ = ["setup"]

NOTEBOOKS = Path(__file__).parents[2] / "examples" / "tutorials"
_CELL_SECONDS = 300


def _run(source: Path, page: Path) -> None:
    """Run a notebook as a reader would, cell by cell in an empty folder; an exception stops the build.

    myst-nb would run it too, but breaks what a command prints into lines of 100 characters.
    """
    text = source.read_text(encoding="utf-8")
    digest = hashlib.sha256(text.encode()).hexdigest()
    if page.exists() and nbformat.read(page, as_version=4).metadata.get("source") == digest:
        return
    logging.getLogger(__name__).info("running %s", source.name)
    # A link that reads well beside the examples is one folder less deep in the site.
    notebook = nbformat.reads(text.replace("](../../docs/", "](../"), as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        NotebookClient(notebook, timeout=_CELL_SECONDS, coalesce_streams=True, resources=resources).execute()
    notebook.metadata["source"] = digest
    nbformat.write(notebook, page)


def _make_pages(app: Sphinx) -> None:
    """Make the pages that are new or changed; who wants all of them run again removes docs/tutorials."""
    folder = Path(app.srcdir) / "tutorials"
    folder.mkdir(exist_ok=True)
    sources = {path.name: path for path in sorted(NOTEBOOKS.glob("*.ipynb"))}
    for page in folder.glob("*.ipynb"):
        if page.name not in sources:
            page.unlink()
    for name, source in sources.items():
        _run(source, folder / name)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Make them before Sphinx looks for pages."""
    app.connect("builder-inited", _make_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
