"""A plan as a table for people.

It must not know how a plan is made or used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..printable import printable

if TYPE_CHECKING:
    from .param_spec import ParamSpec
    from .plan import Plan

__all__ = ["ROW_HEAD", "plan_row", "plan_table", "table_lines"]

ROW_HEAD = ("name", "shape", "dtype", "law", "std", "bounds", "fan_in")


def plan_table(plan: Plan) -> str:
    """Return one line per parameter under a head, and a last one with the totals."""
    lines = table_lines([ROW_HEAD, *map(plan_row, plan)])
    labels = [f"{key} {value}, " for key, value in (("model", plan.model), ("recipe", plan.recipe)) if value]
    buffers = f"{plan.buffer_numel:,} elements of buffers, " if plan.buffer_numel else ""
    lines.append(
        f"{len(plan)} tensors, {plan.numel - plan.buffer_numel:,} parameters, {buffers}{plan.nbytes:,} bytes"
        f"; {''.join(labels)}"
        f"seed {plan.seed}, contract version {plan.contract_version}, plan hash {plan.hash}"
    )
    lines[-1] = printable(lines[-1])
    return "\n".join(lines)


def table_lines(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return one line per row, its cells in columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        printable("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        for row in rows
    ]


def plan_row(spec: ParamSpec) -> tuple[str, ...]:
    """Return the cells of a parameter, those of `ROW_HEAD`."""
    fan_in = "-" if spec.fan_in is None else str(spec.fan_in)
    shape = "x".join(map(str, spec.shape)) or "scalar"
    columns = zip(*(_law_columns(law.to_dict()) for law in spec.laws), strict=True)
    law, std, bounds = (column[0] if len(set(column)) == 1 else " | ".join(column) for column in columns)
    if spec.padding_row is not None:
        law += f", row {spec.padding_row} zero"
    return (spec.name, shape, spec.dtype, law, std, bounds, fan_in)


def _law_columns(law: dict[str, Any]) -> tuple[str, str, str]:
    """Return a law's name, std and bounds."""
    kind = law["law"]
    if kind == "constant":
        return f"constant {law['value']:g}", "-", "-"
    if kind == "uniform":
        return kind, "-", f"[{law['low']:g}, {law['high']:g})"
    if kind == "log_uniform":
        drawn = "inverse softplus of log_uniform" if law["inverse_softplus"] else kind
        return drawn, "-", f"[{max(law['low'], law['floor']):g}, {law['high']:g}]"
    if kind == "arange":
        span = f"arange {law['start']:g} {law['stop']:g} {law['step']:g}"
        return (f"log of {span}" if law["log"] else span), "-", "-"
    if law["mean"] != 0.0:
        kind = f"{kind} mean {law['mean']:g}"
    std = f"{law['std']:g}"
    if "bounds" not in law:
        return kind, std, "-"
    low, high = law["bounds"]  # None where infinite
    interval = f"[{'-inf' if low is None else f'{low:g}'}, {'inf' if high is None else f'{high:g}'}]"
    return kind, std, interval + (" sigma" if law["unit"] == "sigma" else "")
