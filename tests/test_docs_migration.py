"""The migration table: fanfill draws the law of each row, and the rows of TF1 and Caffe are their sources'.

It must not import a framework; those that can be installed are asked in tests/frameworks.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from law_table import FAN_IN, FAN_OUT, StatedLaw, drawn, rows

SHAPES = {
    "torch": (FAN_OUT, FAN_IN),
    "Keras": (FAN_IN, FAN_OUT),
    "JAX": (FAN_IN, FAN_OUT),
    "TensorFlow 1": (FAN_IN, FAN_OUT),
    "Caffe": (FAN_OUT, FAN_IN),
}
ROWS = [(library, *row) for library in SHAPES for row in rows("migration.md", library)]

AVERAGE = (FAN_IN + FAN_OUT) / 2.0
# As tensorflow/contrib/layers/python/layers/initializers.py has it, read at commit 1681cd91c209: uniform ends
# sqrt(3 factor / n), and truncated_normal(stddev=sqrt(1.3 factor / n)), which redraws beyond ±2 stddev.
TF1 = {
    "xavier_initializer()": ("uniform", math.sqrt(3.0 * 1.0 / AVERAGE)),
    "xavier_initializer(False)": ("truncated", math.sqrt(1.3 * 1.0 / AVERAGE)),
    "variance_scaling_initializer()": ("truncated", math.sqrt(1.3 * 2.0 / FAN_IN)),
    'variance_scaling_initializer(2.0, "FAN_IN", True)': (
        "uniform",
        math.sqrt(3.0 * 2.0 / FAN_IN),
    ),
    'variance_scaling_initializer(1.0, "FAN_IN", True)': (
        "uniform",
        math.sqrt(3.0 * 1.0 / FAN_IN),
    ),
    'variance_scaling_initializer(1.0, "FAN_AVG", True)': (
        "uniform",
        math.sqrt(3.0 * 1.0 / AVERAGE),
    ),
}
# As include/caffe/filler.hpp has it, read at commit 03f897b045fd: n is count / shape[0], count / shape[1] or
# their mean; xavier is uniform on ±sqrt(3 / n), msra Gaussian of std sqrt(2 / n).
CAFFE = {
    'type: "xavier"': ("uniform", math.sqrt(3 / FAN_IN)),
    'type: "xavier" variance_norm: AVERAGE': ("uniform", math.sqrt(3 / AVERAGE)),
    'type: "xavier" variance_norm: FAN_OUT': ("uniform", math.sqrt(3 / FAN_OUT)),
    'type: "msra"': ("normal", math.sqrt(2 / FAN_IN)),
    'type: "msra" variance_norm: AVERAGE': ("normal", math.sqrt(2 / AVERAGE)),
    'type: "msra" variance_norm: FAN_OUT': ("normal", math.sqrt(2 / FAN_OUT)),
    'type: "gaussian" std: 0.01': ("normal", 0.01),
    'type: "uniform" min: -0.1 max: 0.1': ("uniform", 0.1),
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[1]}")
def test_fanfill_draws_the_law_of_the_row(row: tuple[str, ...]) -> None:
    library, _, law, std, values, call = row
    StatedLaw.of(law, std, values).check(drawn(call, SHAPES[library]))


@pytest.mark.parametrize(
    ("library", "source"), [("TensorFlow 1", TF1), ("Caffe", CAFFE)], ids=["TF1", "Caffe"]
)
def test_the_row_states_the_law_of_its_source(library: str, source: dict[str, tuple[str, float]]) -> None:
    table = {row[0]: row[1:] for row in rows("migration.md", library)}
    assert table.keys() == source.keys()
    for call, (kind, number) in source.items():
        stated = StatedLaw.of(*table[call][:3])
        assert stated.kind == kind
        if kind == "normal":
            assert stated.std == pytest.approx(number, rel=1e-12)
            assert math.isinf(stated.high)
        elif kind == "uniform":
            assert stated.high == pytest.approx(number, rel=1e-12)
            assert stated.std == pytest.approx(number / math.sqrt(3), rel=1e-12)
        else:
            assert stated.high == pytest.approx(2 * number, rel=1e-12)
            assert stated.std == pytest.approx(0.87962566103423978 * number, rel=1e-4)


@pytest.mark.parametrize("wrong", ["scale", "mean", "spike", "shape"])
def test_a_wrong_law_is_seen(wrong: str) -> None:
    sample = drawn("ff.he_normal_(w)", SHAPES["torch"]).astype(np.float64)
    stated = StatedLaw.of("normal", "sqrt(2/I)", "all")
    stated.check(sample)
    if wrong == "scale":
        sample *= 1.02
    elif wrong == "mean":
        sample += 0.02 * stated.std
    elif wrong == "spike":
        sample[:8] = -2 * stated.std
    else:
        sample = drawn("ff.he_truncated_normal_(w)", SHAPES["torch"])
    with pytest.raises(AssertionError):
        stated.check(sample)
