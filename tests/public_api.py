"""The public interface as lines of text: every public name with its signature, members and bases.

It must not know what any of it does. ``python tests/public_api.py`` writes down a change that was meant.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

FILE = Path(__file__).parent / "golden" / "public_api.txt"
MODULES = ["fanfill", "fanfill.random"]


def signature(value: Any) -> str:
    try:
        return str(inspect.signature(value))
    except (TypeError, ValueError):
        return "(...)"


def members(cls: type) -> Iterator[str]:
    """The public attributes that the package itself defines."""
    for owner in reversed(cls.__mro__):
        if not owner.__module__.startswith("fanfill"):
            continue
        for name, value in sorted(vars(owner).items()):
            if name.startswith("_"):
                continue
            if isinstance(value, property):
                yield f"{name}: property"
            elif isinstance(value, (classmethod, staticmethod)):
                yield f"{name}{signature(value.__func__)} {type(value).__name__}"
            elif callable(value):
                yield f"{name}{signature(value)}"
            else:
                yield name


def modules() -> list[ModuleType]:
    return [importlib.import_module(name) for name in MODULES]


def lines() -> list[str]:
    found = []
    for name, module in zip(MODULES, modules(), strict=True):
        for public in sorted(module.__all__):
            value = getattr(module, public)
            where = f"{name}.{public}"
            if inspect.isclass(value):
                bases = ", ".join(base.__name__ for base in value.__bases__ if base is not object)
                found.append(f"class {where}({bases}){signature(value)}")
                found += sorted({f"  {where}.{member}" for member in members(value)})
            elif callable(value):
                found.append(f"{where}{signature(value)}")
            else:
                found.append(f"{where}: {type(value).__name__}")
    return found


if __name__ == "__main__":
    FILE.write_text("\n".join(lines()) + "\n", encoding="utf-8")
    sys.stdout.write(f"wrote {FILE}\n")
