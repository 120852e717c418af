"""The planted errors: each can still be planted, and some of every kind are killed by the tests they name.

It must not know what an error changes; `nox -s mutants` builds and tries them all.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from exhaustive.tool import ROOT
from mutants.__main__ import records_of
from mutants.killer import COSTLY, KILLERS
from mutants.mutant import MUTANTS, Mutant

pytestmark = pytest.mark.system

# One of the cipher, of the regions, of the values and of the environment.
SOME = (
    "Philox of 3 rounds",
    "one block twice at a shard's edge",
    "tail cut at 5.77 sigma",
    "subnormal numbers flushed to zero",
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name.replace(" ", "_"))
def test_the_sources_hold_what_an_error_changes(mutant: Mutant, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "csrc", tmp_path / "csrc")
    for edit in mutant.edits:
        before = (tmp_path / "csrc" / edit.file).read_text()
        edit.apply(tmp_path / "csrc")
        assert (tmp_path / "csrc" / edit.file).read_text() != before


def test_there_are_many_with_names_of_their_own_and_of_tests_that_exist() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 20
    assert all(mutant.killed_by for mutant in MUTANTS)
    assert {name for mutant in MUTANTS for name in mutant.killed_by} <= {*KILLERS, *COSTLY}


def test_the_sound_core_passes_and_errors_are_killed_by_the_tests_they_name(tmp_path: Path) -> None:
    chosen = [mutant for mutant in MUTANTS if mutant.name in SOME]
    assert len(chosen) == len(SOME)
    found = list(records_of(chosen, tmp_path))
    assert [record["error"] for record in found] == ["none", *(mutant.name for mutant in chosen)]
    assert [record["failed"] for record in found] == [{}] * len(found)
    assert [bool(record["caught_by"]) for record in found] == [False, *[True] * len(chosen)]
