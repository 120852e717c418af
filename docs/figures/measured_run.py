"""Knows how a figure reads what an example has measured and written into docs/results.

It must not know what was measured.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "results"


def measured(name: str) -> Any:
    """Return the content of a result file."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
