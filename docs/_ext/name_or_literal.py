"""Knows what a name in single backquotes is: a link where the reference documents it, else a literal.

It must not know any name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sphinx.domains.python import PyXRefRole

if TYPE_CHECKING:
    from docutils.nodes import Element, TextElement
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment
    from sphinx.util.typing import ExtensionMetadata

__all__ = ["setup"]

_MARK = "fanfill-may-be-literal"


class _NameOrLiteral(PyXRefRole):
    """A reference to a Python object that is allowed to lead nowhere, as an argument's name does."""

    def process_link(
        self, env: BuildEnvironment, refnode: Element, has_explicit_title: bool, title: str, target: str
    ) -> tuple[str, str]:
        refnode["refdomain"], refnode["reftype"], refnode[_MARK] = "py", "obj", True
        return super().process_link(env, refnode, has_explicit_title, title, target)


def _otherwise(app: Sphinx, env: BuildEnvironment, node: pending_xref, content: TextElement) -> Any:
    """Link a name that isn't of the module at hand to the package's, and leave others as they are."""
    if not node.get(_MARK):
        return None
    domain, name = env.domains.python_domain, f"fanfill.{node['reftarget']}"
    if name in domain.objects:
        return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", name, node, content)
    return content


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the role, which ``default_role`` names."""
    app.add_role("name-or-literal", _NameOrLiteral())
    app.connect("missing-reference", _otherwise)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
