"""Knows what the pictures share: colours, names, which side is which, and the line that says where it was.

It must not know any one picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "LABELS", "OURS", "ROOF", "THEIRS", "best_isa", "finish", "found", "times"]

OURS, THEIRS, ROOF = "#0b6e6e", "#b9bec5", "#c0392b"
COLOURS = {
    "fanfill": OURS,
    "memset": ROOF,
    "numpy": "#4c72b0",
    "torch": "#e07b39",
    "jax": "#8e63b8",
    "tensorflow": "#c79a2b",
}
LABELS = {
    "fanfill": "fanfill",
    "memset": "memset",
    "numpy": "NumPy",
    "torch": "torch",
    "jax": "JAX",
    "keras-jax": "Keras on JAX",
    "keras-numpy": "Keras on NumPy",
    "keras-tensorflow": "Keras on TF",
    "keras-torch": "Keras on torch",
    "tensorflow": "TensorFlow",
    "mkl": "Intel MKL",
    "mkl_random": "mkl_random",
    "randomgen": "randomgen",
    "timm": "timm",
}


def found(report: dict[str, Any], task: str, **wanted: Any) -> Iterator[dict[str, Any]]:
    """Yield a task's comparisons whose left side has these members."""
    for one in report["comparisons"]:
        if one["task"] == task and all(one["left"][key] == value for key, value in wanted.items()):
            yield one


def best_isa(report: dict[str, Any]) -> str:
    """Return the instruction set that fanfill chooses by itself on that machine."""
    return str(report["machine"]["isa"])


def times(ratio: float) -> str:
    """Return a ratio as a talk has it."""
    return f"{ratio:.0f}×" if ratio >= 10.0 else f"{ratio:.1f}×" if ratio >= 2.0 else f"{ratio:.2f}×"


def finish(figure: Figure, report: dict[str, Any], title: str, rivals: set[str]) -> Figure:
    """Add the title and, at the foot, machine and versions; lay the figure out."""
    machine = report["machine"]
    said = [
        f"{machine['cpu']} (family/model {machine['family_model']}), {machine['usable_cores']} cores, "
        f"{machine['isa']}, {machine['libc']}, {machine['pages']}; fanfill {report['commit'][:10]}"
    ]
    versions = [
        f"{LABELS[name]} {text}"
        for name, text in report["versions"].items()
        if name in rivals - {"fanfill", "memset"}
    ]
    while versions:  # as many as a line holds
        line = versions.pop(0)
        while versions and len(line) + len(versions[0]) < 17 * figure.get_size_inches()[0]:
            line += f", {versions.pop(0)}"
        said.append(line)
    height = figure.get_size_inches()[1]
    foot = (0.16 * len(said) + 0.12) / height
    # Room for both is left by the rectangle below.
    head = figure.suptitle(title, x=0.012, ha="left", y=1.0 - 0.12 / height, va="top")
    note = figure.text(0.012, 0.06 / height, "\n".join(said), fontsize=7.5, color="#777777", va="bottom")
    head.set_in_layout(False)
    note.set_in_layout(False)
    figure.tight_layout(rect=(0.0, foot, 1.0, 1.0 - 0.45 / height))
    return figure
