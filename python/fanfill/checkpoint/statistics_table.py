"""Tensors' statistics as a table for people.

It must not know how they are gathered.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..printable import printable
from .tensor_statistics import TensorStatistics

__all__ = ["statistics_table"]

_HEAD = ("tensor", "shape", "dtype", "mean", "std", "min", "max", "kurtosis", "z mean", "z std", "z kurt")
_FAR = 6.0


def statistics_table(statistics: Sequence[TensorStatistics]) -> str:
    """Return one line per tensor under a head, and a last one that counts those far from their laws.

    The columns ``z`` are distances from the law in standard errors; ``-`` where there is nothing to say.
    """
    rows = [_HEAD, *map(_row, statistics)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    lines += [f"{each.name}: {each.nonfinite:,} infinities or NaNs" for each in statistics if each.nonfinite]
    against = [each for each in statistics if each.z_mean is not None]
    if against:
        far = [each.name for each in against if any(abs(z) > _FAR for z in _distances(each))]
        closing = (
            f"{len(against)} tensors against their laws, {len(far)} more than {_FAR:g} standard errors away"
        )
        lines.append(f"{closing}{': ' * bool(far)}{', '.join(far[:10])}{', ...' * (len(far) > 10)}")
    return "\n".join(map(printable, lines))


def _distances(each: TensorStatistics) -> list[float]:
    return [z for z in (each.z_mean, each.z_std, each.z_kurtosis) if z is not None]


def _row(each: TensorStatistics) -> tuple[str, ...]:
    values = (each.mean, each.std, each.low, each.high, each.kurtosis)
    distances = (each.z_mean, each.z_std, each.z_kurtosis)
    return (
        each.name,
        "x".join(map(str, each.shape)) or "scalar",
        each.dtype,
        *("-" if value is None else f"{value:.6g}" for value in values),
        *("-" if value is None else f"{value:+.2f}" for value in distances),
    )
