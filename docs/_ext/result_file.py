"""Knows how a figure is read from a result file: what lacks a file, a key or a commit stops the build.

It must not know what was measured, nor how a figure is shown.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx.errors import ExtensionError

if TYPE_CHECKING:
    from sphinx.environment import BuildEnvironment

__all__ = ["ResultFile", "member"]

FOLDER = Path(__file__).parents[1] / "results"


@dataclass(frozen=True)
class ResultFile:
    """One JSON file of ``docs/results``."""

    name: str
    content: dict[str, Any]

    @classmethod
    def read(cls, name: str, env: BuildEnvironment | None = None) -> ResultFile:
        """Return the file of a name without ``.json``; the page being read depends on it from then on.

        Raises
        ------
        ExtensionError
            If there is no such file, or it is no JSON object with a commit.
        """
        path = FOLDER / f"{name}.json"
        if env is not None:
            env.note_dependency(str(path))
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ExtensionError(
                f"docs/results/{name}.json can't be read, and a page shows it: {error}"
            ) from error
        if not isinstance(content, dict):
            raise ExtensionError(f"docs/results/{name}.json must hold an object")
        file = cls(name, content)
        if not isinstance(file["commit"], str) or len(file["commit"]) < 7:
            raise ExtensionError(f"docs/results/{name}.json names no commit, so nobody could repeat it")
        return file

    def __getitem__(self, key: str) -> Any:
        return member(self.content, key, self.name)

    @property
    def commit(self) -> str:
        """The commit that was measured, short."""
        return str(self["commit"])[:10]


def member(content: Any, key: str, name: str) -> Any:
    """Return ``content["a"]["b"]`` for the key ``a.b``, or stop the build."""
    for step in key.split("."):
        if not isinstance(content, dict) or step not in content:
            raise ExtensionError(f"docs/results/{name}.json lacks {key!r}, and a page shows it")
        content = content[step]
    return content
