"""Knows that the reference is complete: a public name without an entry stops the build.

It must not know any name: the packages' own ``__all__`` say them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from sphinx.errors import ExtensionError

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment
    from sphinx.util.typing import ExtensionMetadata

__all__ = ["setup"]


def _public(package: str) -> set[str]:
    return {f"{package}.{name}" for name in import_module(package).__all__}


def _complete(app: Sphinx, env: BuildEnvironment) -> None:
    domain = env.domains.python_domain
    known = set(domain.objects) | set(domain.modules)
    wanted = {name for package in app.config.documented_packages for name in _public(package)}
    missing = sorted(wanted - known)
    if missing:
        raise ExtensionError(f"the reference has no entry for {', '.join(missing)}")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Check once all pages are read."""
    app.add_config_value("documented_packages", ["fanfill"], "env", types=frozenset({list}))
    app.connect("env-check-consistency", _complete)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
