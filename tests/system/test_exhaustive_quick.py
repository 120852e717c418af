"""The exhaustive proof on a sample of its inputs; and each of its checks catches an error planted for it.

It must not know how a check works; `nox -s exhaustive` runs all inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from exhaustive import planted_error, proof
from exhaustive.tool import Report, Tool, built_in, under_qemu

pytestmark = pytest.mark.system


@pytest.fixture(scope="session")
def tool(cpp_build: Callable) -> Tool:
    return Tool((str(built_in(cpp_build("release").folder)),))


def failures(records: Iterable[Report]) -> list[tuple[object, ...]]:
    return [
        (record["check"], record.get("law"), record.get("dtype"), record.get("set"), record["failed"])
        for record in records
        if record["failed"]
    ]


def test_every_law_holds_on_a_sample(tool: Tool) -> None:
    records = [record for law in tool.about["laws"] for record in proof.law_records(tool, law, proof.QUICK)]
    assert {"avx512", "avx2", "neon", "scalar"} >= set(tool.isas) >= {"scalar"}
    assert failures(records) == []


def test_every_converter_holds_on_a_sample(tool: Tool) -> None:
    assert failures(proof.converter_records(tool, proof.QUICK)) == []


def test_arm_gives_the_same_values(tool: Tool, cpp_build: Callable) -> None:
    there = under_qemu(built_in(cpp_build("aarch64").folder))
    assert there.isas == ["neon", "scalar"]
    laws = tool.about["laws"]
    records = [record for law in laws for record in proof.elsewhere_records(tool, there, law, proof.QUICK)]
    assert failures(records) == []
    assert failures(proof.converter_records(there, proof.QUICK)) == []


def test_a_copy_without_an_error_passes(tmp_path: Path) -> None:
    assert proof.failures(planted_error.built_with(None, tmp_path)) == set()


@pytest.mark.parametrize(
    "error", planted_error.PLANTED_ERRORS, ids=lambda error: error.name.replace(" ", "_")
)
def test_a_planted_error_is_caught_by_name(error: planted_error.PlantedError, tmp_path: Path) -> None:
    assert error.caught_by in proof.failures(planted_error.built_with(error, tmp_path))
