"""What the headers of a checkpoint say, in short: where it comes from, what it holds, by which laws.

It must not know how a header is read, nor read more than headers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..plan.param_spec import ParamSpec
from ..plan.table import ROW_HEAD, plan_row, table_lines
from .header import StoredTensor
from .stored_checkpoint import StoredCheckpoint
from .stored_laws import StoredLaws, kind_of

__all__ = ["TensorKind", "checkpoint_summary", "kinds_table", "tensor_kinds"]


@dataclass(frozen=True)
class TensorKind:
    """Tensors that differ in the numbers of their names alone, or a single one.

    Attributes
    ----------
    name : str
        With a star for each number, or the single tensor's own.
    tensors : int
        How many there are.
    first : StoredTensor
        The first one.
    spec : ParamSpec or None
        Its law and all else that the file says of it, if it does.
    """

    name: str
    tensors: int
    first: StoredTensor
    spec: ParamSpec | None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form: the spec's, or what the header says where there is none."""
        header = {"shape": list(self.first.shape), "dtype": self.first.dtype}
        described = header if self.spec is None else self.spec.to_dict()
        fan_in = None if self.spec is None else self.spec.fan_in
        return {**described, "name": self.name, "tensors": self.tensors, "fan_in": fan_in}

    def row(self) -> tuple[str, ...]:
        """Return the cells of the table."""
        if self.spec is not None:
            return (self.name, str(self.tensors), *plan_row(self.spec)[1:])
        shape = "x".join(map(str, self.first.shape)) or "scalar"
        return (self.name, str(self.tensors), shape, self.first.dtype, "-", "-", "-", "-")


def tensor_kinds(checkpoint: StoredCheckpoint, *, each: bool = False) -> list[TensorKind]:
    """Return the kinds of a checkpoint's tensors in the order of the files, or each tensor on its own.

    Raises
    ------
    ValueError
        If the laws in the metadata aren't what fanfill writes.
    """
    groups: dict[Any, list[StoredTensor]] = {}
    specs: dict[Any, ParamSpec | None] = {}
    for tensor, spec in _tensors_and_specs(checkpoint):
        member = None if spec is None else repr({**spec.to_dict(), "name": ""})
        key = tensor.name if each else (kind_of(tensor.name), tensor.dtype, tensor.shape, member)
        groups.setdefault(key, []).append(tensor)
        specs.setdefault(key, spec)
    return [
        TensorKind(own[0].name if len(own) == 1 else kind_of(own[0].name), len(own), own[0], specs[key])
        for key, own in groups.items()
    ]


def _tensors_and_specs(checkpoint: StoredCheckpoint) -> Iterator[tuple[StoredTensor, ParamSpec | None]]:
    text = checkpoint.metadata.get("laws")
    laws = StoredLaws({}) if text is None else StoredLaws.from_json(text)
    for file in checkpoint.files:
        for tensor in file.header.tensors:
            yield tensor, laws.spec(tensor.name, tensor.shape, tensor.dtype)


def kinds_table(kinds: list[TensorKind]) -> str:
    """Return one line per kind under a head."""
    return "\n".join(table_lines([(ROW_HEAD[0], "count", *ROW_HEAD[1:]), *(kind.row() for kind in kinds)]))


def checkpoint_summary(checkpoint: StoredCheckpoint) -> dict[str, Any]:
    """Return provenance and counts, the provenance None where the files don't say it.

    ``parameters`` are the floating-point elements that aren't declared to be buffers.
    """
    own = checkpoint.metadata
    dtypes: dict[str, dict[str, int]] = {}
    headers = [file.header for file in checkpoint.files]
    for header in headers:
        for tensor in header.tensors:
            counts = dtypes.setdefault(tensor.dtype, {"tensors": 0, "elements": 0})
            counts["tensors"] += 1
            counts["elements"] += tensor.numel
    floating = sum(counts["elements"] for dtype, counts in dtypes.items() if "F" in dtype)
    buffers = int(own.get("buffer_elements", 0))
    return {
        **{name: own.get(name) for name in ("model", "recipe")},
        **{name: int(own[name]) if name in own else None for name in ("seed", "contract_version")},
        "plan_hash": own.get("plan_hash"),
        "float8_scales": own.get("float8_scales"),
        "parameters": floating - buffers,
        "buffer_elements": buffers or None,
        "tensors": sum(len(header.tensors) for header in headers),
        "files": len(headers),
        "missing_files": len(checkpoint.missing_files) or None,
        "dtypes": dtypes,
        "data_bytes": sum(header.file_bytes - header.header_bytes for header in headers),
        "file_bytes": sum(header.file_bytes for header in headers),
    }
