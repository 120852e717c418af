"""Knows how a diagnosis is drawn and written: a figure, an HTML file with its table, a picture.

It must not know what is good or bad; matplotlib is imported when a figure is asked for.
"""

from __future__ import annotations

import html
import io
import math
from pathlib import Path
from typing import TYPE_CHECKING

from ..checkpoint.atomic_file import AtomicFile

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .diagnosis import Diagnosis

__all__ = ["diagnosis_figure", "save_report"]

_ENDINGS = (".html", ".png", ".svg")
_HEAD = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<style>
body {{ font: 15px/1.45 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
th, td {{ padding: .2rem .7rem; text-align: right; border-bottom: 1px solid #ddd; }}
th:first-child, td:first-child, th:nth-child(2), td:nth-child(2), td:last-child {{ text-align: left; }}
tr.fault {{ background: #fdecdc; }}
svg {{ max-width: 100%; height: auto; }}
.wide {{ overflow-x: auto; }}
</style></head><body>
"""
_ALT = "The root mean square of each layer's output and of its gradient; the table below has the numbers."
_COLUMNS = {
    "mean": "mean",
    "rms": "rms",
    "correlation": "alike",
    "saturated": "saturated",
    "gradient_rms": "gradient rms",
    "weight_gradient_rms": "weight gradient rms",
    "gain": "gain",
}


def diagnosis_figure(found: Diagnosis) -> Figure:
    """Return the figure: outputs and gradients over the layers, those at fault marked."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        raise ImportError("a diagnosis' plot needs matplotlib: pip install matplotlib") from error
    count = len(found.layers)
    figure = Figure(figsize=(max(6.0, min(10.0, 2.0 + 0.22 * count)), 4.6), layout="constrained")
    axes = figure.subplots()
    for attribute, label, colour, word in (
        ("rms", "output, rms", "#12908e", ""),
        ("gradient_rms", "gradient of the output, rms", "#c8731a", "gradient "),
    ):
        values = [getattr(layer, attribute) for layer in found.layers]
        drawn = [value if value > 0.0 else math.nan for value in values]
        axes.plot(range(count), drawn, marker="o", markersize=3.5, linewidth=1.4, color=colour, label=label)
        bad = [
            at
            for at, layer in enumerate(found.layers)
            if {f"{word}vanishes", f"{word}explodes"} & set(layer.faults) and drawn[at] > 0.0
        ]
        axes.plot(
            bad,
            [drawn[at] for at in bad],
            "o",
            markersize=8,
            markerfacecolor="none",
            markeredgecolor="#c0201f",
        )
    axes.set_yscale("log")
    axes.set_title(f"{found.model}: {repr(found).partition(': ')[2][:-1]}", fontsize=11)
    step = max(1, math.ceil(count / 40))
    axes.set_xticks(
        range(0, count, step),
        [found.layers[at].name or found.model for at in range(0, count, step)],
        rotation=90,
        fontsize=7,
    )
    axes.legend(frameon=False, fontsize=9)
    return figure


def save_report(found: Diagnosis, path: Path) -> None:
    """Write the report that the ending of the path asks for."""
    if path.suffix not in _ENDINGS:
        raise ValueError(f"path must end in {', '.join(_ENDINGS)}, not {path.name!r}")
    drawing = io.BytesIO()
    kind = "svg" if path.suffix == ".html" else path.suffix[1:]
    diagnosis_figure(found).savefig(drawing, format=kind, dpi=130)
    content = drawing.getvalue()
    if path.suffix == ".html":
        content = _page(found, content.decode()).encode()
    with AtomicFile(path, len(content), replace=True) as file:
        file.write_at(content, 0)
        file.commit()


def _page(found: Diagnosis, drawing: str) -> str:
    title = html.escape(f"{found.model}: diagnosis")
    rows = []
    for layer in found.layers:
        cells = [layer.name or found.model, layer.kind, "×".join(map(str, layer.shape))]
        for name in _COLUMNS:
            value = getattr(layer, name)
            cells.append("" if math.isnan(value) else f"{value:.3g}")
        cells.append(", ".join(layer.faults))
        marked = ' class="fault"' if layer.faults else ""
        rows.append(f"<tr{marked}>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>")
    head = "".join(f"<th>{name}</th>" for name in ("layer", "kind", "output", *_COLUMNS.values(), ""))
    return (
        _HEAD.format(title=title)
        + f"<h1>{title}</h1>\n<p>{html.escape(found.suggestion)}</p>\n"
        + f'<div role="img" aria-label="{html.escape(_ALT)}">'
        + drawing[drawing.index("<svg") :]
        + f'</div>\n<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>\n'
        + "\n".join(rows)
        + "\n</tbody></table></div></body></html>\n"
    )
