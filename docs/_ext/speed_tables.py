"""Knows the directives that show speeds: each figure beside what it was taken from, and where.

It must not know a figure; all come from a result file of ``nox -s bench``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docutils import nodes
from node_table import node_table
from result_file import FOLDER, ResultFile
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

__all__ = ["setup"]

_ITEMSIZE = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2, "float8_e4m3fn": 1, "float8_e5m2": 1}
_LAWS = {
    "normal": "normal",
    "truncated": "truncated normal, ±2σ",
    "one-sided": "truncated normal, one-sided",
    "asymmetric": "truncated normal, asymmetric",
    "uniform": "uniform",
}
_NAMES = {
    "memset": "libc's",
    "numpy": "NumPy",
    "torch": "torch",
    "jax": "JAX",
    "keras-jax": "Keras on JAX",
    "keras-numpy": "Keras on NumPy",
    "keras-tensorflow": "Keras on TensorFlow",
    "keras-torch": "Keras on torch",
    "tensorflow": "TensorFlow",
    "mkl": "Intel MKL",
    "mkl_random": "mkl_random",
    "randomgen": "randomgen",
    "timm": "timm",
}
# What each further picture of a run shows.
_PICTURES = {
    "sizes": "Speed by the number of values of one call, from Python, one thread",
    "threads": "Speed by the number of threads, wall time",
    "memory": "New memory, allocated, filled and freed, beside zeroing as much and beside warm memory",
    "roofline": "The kernels under the limits of memory and of the busiest execution port, one thread",
}
_BEST = ("avx512", "avx2", "neon", "scalar")


def _where(file: ResultFile) -> str:
    machine = file["machine"]
    kind = " virtual machine" if machine["virtual"] else ""
    cpu = f"{machine['cpu']} (family/model {machine['family_model']}){kind}"
    sizes = {one["left"]["size"] for one in _laws(file)}
    versions = ", ".join(
        f"{_NAMES[name]} {text}"
        for name, text in file["versions"].items()
        if name in _NAMES and name != "memset"
    )
    return (
        f"One thread of an {cpu}, {machine['libc']}; warm buffers of "
        f"{max(sizes) / 2**20:.0f} MiB. {versions}. {_file(file)}"
    )


def _file(file: ResultFile) -> str:
    changed = " with changes" if file["core_differs"] else ""
    return f"Commit {file.commit}{changed}, docs/results/{file.name}.json."


def _laws(file: ResultFile) -> list[dict[str, Any]]:
    """Return what was compared in warm memory, one thread."""
    return [one for one in file["comparisons"] if one["task"] == "laws"]


def _own_isa(file: ResultFile) -> str:
    ways = {one["left"]["way"] for one in _laws(file) if one["left"]["rival"] == "fanfill"}
    return next(isa for isa in _BEST if isa in ways)


def _times(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 100 else f"{ratio:.1f}" if ratio >= 2 else f"{ratio:.2f}"


def _closest(file: ResultFile, law: str, dtype: str, rival: str) -> dict[str, Any]:
    """Return the comparison with the rival's fastest way."""
    found = [
        one
        for one in _laws(file)
        if (one["left"]["rival"], one["left"]["way"]) == ("fanfill", _own_isa(file))
        and (one["left"]["law"], one["left"]["dtype"]) == (law, dtype)
        and one["right"]["rival"] == rival
    ]
    if not found:
        raise ExtensionError(f"docs/results/{file.name}.json holds no {law} {dtype} against {rival}")
    closest: dict[str, Any] = min(found, key=lambda one: one["ratio"])
    return closest


def _ratio_row(file: ResultFile, law: str, dtype: str, rival: str) -> tuple[str, ...]:
    one = _closest(file, law, dtype, rival)
    # Against memory the ratio is one of bytes, and the other side's element type means nothing.
    other = _NAMES[rival] + " " + one["right"]["way"]
    return (
        f"{_LAWS[law]}, {dtype}",
        f"{one['left']['values_per_s'] / 1e9:.2f}",
        other,
        f"{_times(one['ratio'])} ×",
        f"{_times(one['low'])} … {_times(one['high'])}",
        f"{one['rounds']} × {one['left']['size'] // _ITEMSIZE[dtype]:,}",
    )


class _SpeedTable(SphinxDirective):
    """``{speed-table} FILE``, one line ``LAW DTYPE RIVAL`` for each row."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        file = ResultFile.read(self.arguments[0], self.env)
        head = ("fanfill's law", "10⁹ values/s", "beside", "as fast", "middle half", "rounds × values")
        rows: list[tuple[str, ...]] = []
        for line in self.content:
            law, dtype, rival = line.split()
            rows.append(_ratio_row(file, law, dtype, rival))
        return [node_table(head, rows), _source(_file(file))]


class _CacheTable(SphinxDirective):
    """``{cache-table} FILE``: fanfill's speed where the memory is no limit."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        file = ResultFile.read(self.arguments[0], self.env)
        head = ("law", "dtype", "instruction set", "10⁹ values/s", "cycles a value", "values")
        return [node_table(head, self._rows(file)), _source(_file(file))]

    def _rows(self, file: ResultFile) -> Iterator[tuple[str, ...]]:
        for one in file["in_cache"]:
            if one["rival"] != "fanfill" or one["dtype"] not in ("float64", "float32", "bfloat16"):
                continue
            yield (
                _LAWS[one["law"]],
                one["dtype"],
                one["way"],
                f"{one['values_per_s'] / 1e9:.2f}",
                f"{one['cycles_per_value']:.2f}",
                f"{one['size'] // _ITEMSIZE[one['dtype']]:,}",
            )


class _SpeedPlot(SphinxDirective):
    """``{speed-plot} FILE``: the picture of laws and libraries that the same run drew."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        file = ResultFile.read(self.arguments[0], self.env)
        return [_picture(file, "speed", "Speed of fanfill and others by law, one thread", _where(file))]


class _SpeedPictures(SphinxDirective):
    """``{speed-pictures} FILE``: the run's other pictures, as many as it drew."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        file = ResultFile.read(self.arguments[0], self.env)
        drawn = [name for name in _PICTURES if name in file["pictures"]]
        return [_picture(file, name, _PICTURES[name], f"{_PICTURES[name]}. {_file(file)}") for name in drawn]


def _picture(file: ResultFile, name: str, alt: str, caption: str) -> nodes.figure:
    folder = file.name.rpartition("/")[0]
    path = f"{folder}/{name}.png"
    if not (FOLDER / path).exists():
        raise ExtensionError(f"docs/results/{path} is missing, and a page shows it")
    image = nodes.image(uri=f"/results/{path}", alt=alt)
    return nodes.figure("", image, nodes.caption(text=caption), classes=["plot"])


def _source(text: str) -> nodes.paragraph:
    return nodes.paragraph(text=text, classes=["source"])


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directives."""
    app.add_directive("speed-table", _SpeedTable)
    app.add_directive("cache-table", _CacheTable)
    app.add_directive("speed-plot", _SpeedPlot)
    app.add_directive("speed-pictures", _SpeedPictures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
