"""The public interface as lines of text: every public name with its signature, members and bases.

It must not know what any of it does. ``python tests/public_api.py`` writes down a change that was
meant, for which it needs torch, JAX and Keras.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import os
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

GOLDEN = Path(__file__).parent / "golden"
# File: the modules whose names it holds.
FILES = {
    "public_api.txt": ["fanfill", "fanfill.random"],
    "public_api_frameworks.txt": [
        "fanfill.jax",
        "fanfill.jax.initializers",
        "fanfill.keras",
        "fanfill.torch",
        "fanfill.torch.init",
    ],
}


def is_ours(value: Any) -> bool:
    return str(getattr(value, "__module__", "")).startswith("fanfill")


def signature(value: Any) -> str:
    """Of a class that leaves its construction to a framework's, that framework says it."""
    if inspect.isclass(value):
        maker = next(
            owner for owner in value.__mro__ if owner is object or {"__init__", "__new__"} & {*vars(owner)}
        )
        if maker is not object and not is_ours(maker):
            return f" constructed as {maker.__module__.partition('.')[0]}'s"
    try:
        # As Python 3.14 prints the annotations of a named tuple.
        return re.sub(r"ForwardRef\('(\w+)'\)", r"\1", str(inspect.signature(value)))
    except (TypeError, ValueError):
        return "(...)"


def members(cls: type) -> Iterator[str]:
    """The public attributes that the package itself defines."""
    for owner in reversed(cls.__mro__):
        if not is_ours(owner):
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


def imported(names: list[str]) -> list[ModuleType]:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the frameworks' own
        return [importlib.import_module(name) for name in names]


def lines(file: str) -> list[str]:
    found = []
    for name, module in zip(FILES[file], imported(FILES[file]), strict=True):
        for public in sorted(module.__all__):
            value = getattr(module, public)
            where = f"{name}.{public}"
            if inspect.isclass(value):
                bases = ", ".join(base.__name__ for base in value.__bases__ if base is not object)
                found.append(f"class {where}({bases}){signature(value)}")
                found += sorted({f"  {where}.{member}" for member in members(value)})
            elif callable(value) and not is_ours(value) and inspect.isfunction(value):
                found.append(f"{where}: {value.__module__.partition('.')[0]}'s")
            elif callable(value):
                found.append(f"{where}{signature(value)}")
            else:
                found.append(f"{where}: {type(value).__name__}")
    return found


def change(file: str) -> str:
    """What is not as it was written down, and what to do about it; empty where all is."""
    written = (GOLDEN / file).read_text(encoding="utf-8").splitlines()
    found = list(difflib.unified_diff(written, lines(file), "written down", "found", lineterm="", n=0))
    advice = ["", "If this was meant: a line in CHANGELOG.md, then `python tests/public_api.py`."]
    return "\n".join([*found, *advice]) if found else ""


if __name__ == "__main__":
    for each in FILES:
        (GOLDEN / each).write_text("\n".join(lines(each)) + "\n", encoding="utf-8")
        sys.stdout.write(f"wrote {GOLDEN / each}\n")
