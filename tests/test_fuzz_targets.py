"""Fuzzing for every run: the corpus, and files edited at random; it must not know what a target checks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import fanfill as ff
from fuzz.target import TARGETS

CORPUS = Path(__file__).parent / "fuzz" / "corpus"


@pytest.mark.parametrize("target", TARGETS)
def test_the_corpus_is_read_as_it_was(target: str) -> None:
    files = sorted((CORPUS / target).iterdir())
    assert len(files) > 1
    accepted = {file.name: TARGETS[target](file.read_bytes()) for file in files}
    assert any(accepted.values())


@settings(max_examples=150, deadline=None)
@given(st.data())
@pytest.mark.parametrize("target", TARGETS)
def test_edited_files_are_refused_or_hold_together(target: str, data: st.DataObject) -> None:
    seed = data.draw(st.sampled_from(sorted((CORPUS / target).iterdir()))).read_bytes()
    at = data.draw(st.integers(0, len(seed)))
    until = data.draw(st.integers(at, min(len(seed), at + 20)))
    piece = data.draw(
        st.binary(max_size=8) | st.sampled_from([b"1e999", b"true", b"null", b"[]", b"{}", b"-1"])
    )
    TARGETS[target](seed[:at] + piece + seed[until:])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["name", "shape", "dtype", "law", "layout", "parts", "batch_axes", "padding_row", "tie"]),
    json_values,
)
@example("law", {"law": ["normal"]})
@example("shape", [[2, 3]])
def test_any_json_in_a_plans_parameter_is_refused_or_fits(member: str, value: object) -> None:
    content: dict[str, Any] = json.loads(ff.Plan([ff.ParamSpec("w", (2, 3), ff.Normal())], seed=1).to_json())
    content["parameters"][0][member] = value
    TARGETS["plan"](json.dumps(content).encode())
