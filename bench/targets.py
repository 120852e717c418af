"""Knows the speeds that fanfill aims at, and reads from a run's results whether they are met.

It must not measure.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from fanfill.benchmark.table import aligned
from fanfill.benchmark.workload import CACHE_BYTES

__all__ = ["Verdict", "judge", "target_lines"]

_BEST = ("avx512", "avx2", "neon")


@dataclass(frozen=True)
class Verdict:
    """One target, and what was found: `figure` is None where nothing could be measured."""

    what: str
    target: float
    goal: float | None
    figure: float | None
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met."""
        return None if self.figure is None else self.figure >= self.target

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {**asdict(self), "is_met": self.is_met}


class _Reader:
    """Finds figures in a report."""

    def __init__(self, report: dict[str, Any]) -> None:
        self.report = report
        self.isa = next(isa for isa in (*_BEST, "scalar") if isa in report["machine"]["isas"])

    def ratio(self, law: str, dtype: str, rival: str, way: str = "", isa: str = "") -> float | None:
        """Return the ratio to the fastest of a rival's ways that begin so, in warm memory."""
        found = [
            one["ratio"]
            for one in self.report["comparisons"]
            if one["task"] == ("isa" if isa else "laws")
            and (one["left"]["way"], one["left"]["law"]) == (isa or self.isa, law)
            and one["left"]["dtype"] == dtype
            and one["right"]["rival"] == rival
            and one["right"]["way"].startswith(way)
            and one["left"]["size"] > CACHE_BYTES
        ]
        return min(found, default=None)

    def own(self, law: str, dtype: str) -> float | None:
        """Return the ratio to fanfill's own float32 normal, or of a narrow uniform to its float32 one."""
        return self.ratio(law, dtype, "fanfill")

    def cycles(self, law: str, isa: str) -> float | None:
        """Return the cycles of a float32 value in cache."""
        wanted = ("fanfill", isa, law, "float32")
        for one in self.report["in_cache"]:
            if (one["rival"], one["way"], one["law"], one["dtype"]) == wanted:
                return float(one["cycles_per_value"])
        return None

    def of_bound(self, law: str, isa: str) -> float | None:
        """Return the share of this CPU's port bound that is reached in cache."""
        cycles, wanted = self.cycles(law, isa), (isa, law, self.report["port_bound_cpu"])
        for one in self.report["port_bounds"]:
            if cycles is not None and (one["isa"], one["law"], one["cpu"]) == wanted:
                return float(one["cycles_per_value"]) / cycles
        return None


def judge(report: dict[str, Any]) -> list[Verdict]:
    """Return every target with its figure.

    Parameters
    ----------
    report : dict
        Of ``python -m bench``.
    """
    read, cpu = _Reader(report), report["port_bound_cpu"]
    cycles = read.cycles("normal", read.isa)
    normal, uniform = ("normal", "float32"), ("uniform", "float32")
    found = [
        Verdict("normal, times memset", 0.68, 0.78, read.ratio(*normal, "memset", "memset")),
        Verdict(
            "normal, share of the port bound in cache",
            0.95,
            None,
            read.of_bound("normal", read.isa),
            f"{cpu}",
        ),
        Verdict("normal, times the best of MKL", 1.15, 1.35, read.ratio(*normal, "mkl")),
        Verdict(
            "normal, times MKL's Philox ICDF", 1.35, 1.6, read.ratio(*normal, "mkl", "Philox4x32x10 ICDF")
        ),
        Verdict("normal, times torch", 7.0, None, read.ratio(*normal, "torch")),
        Verdict("normal, times NumPy's best", 13.0, None, read.ratio(*normal, "numpy")),
        Verdict("normal, times JAX's best", 30.0, None, read.ratio(*normal, "jax")),
        Verdict("normal in cache, 1e9/s per 3.4 GHz", 1.75, None, 3.4 / cycles if cycles else None),
        Verdict("truncated ±2σ, times the normal", 0.95, None, read.own("truncated", "float32")),
        Verdict("one-sided, times the normal", 0.5, None, read.own("one-sided", "float32")),
        Verdict("asymmetric, times the normal", 0.5, None, read.own("asymmetric", "float32")),
        Verdict("uniform, times memset", 1.05, 1.15, read.ratio(*uniform, "memset", "memset")),
        Verdict("uniform, times MKL's Philox", 2.0, None, read.ratio(*uniform, "mkl", "Philox")),
        Verdict("uniform, times torch", 7.0, None, read.ratio(*uniform, "torch")),
    ]
    for dtype, target in (("bfloat16", 0.9), ("float16", 0.9), ("float8_e4m3fn", 0.8), ("float8_e5m2", 0.8)):
        found.append(
            Verdict(f"normal {dtype}, times float32's values", target, None, read.own("normal", dtype))
        )
    mkl64 = read.ratio("normal", "float64", "mkl", "Philox4x32x10 ICDF")
    found.append(Verdict("normal float64, times MKL's Philox ICDF", 1.0, None, mkl64))
    forced = read.ratio(*normal, "memset", "memset", isa="avx2")
    found.append(Verdict("normal, avx2 forced, times memset", 0.28, 0.36, forced))
    found.append(
        Verdict(
            "normal, avx2 forced, share of the port bound in cache",
            0.95,
            None,
            read.of_bound("normal", "avx2"),
        )
    )
    return found


def target_lines(report: dict[str, Any]) -> list[str]:
    """Return the targets of a report as a table."""
    rows = [("target", "asked", "goal", "found", "")]
    for one in report["targets"]:
        figure = "-" if one["figure"] is None else f"{one['figure']:.3f}"
        verdict = {None: "not measured", True: "met", False: "missed"}[one["is_met"]]
        goal = "" if one["goal"] is None else f"{one['goal']:.2f}"
        rows.append((one["what"], f"{one['target']:.2f}", goal, figure, verdict))
    return aligned(rows)
