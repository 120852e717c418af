"""The migration and the name tables: torch, Keras and JAX draw the laws that the rows state.

It must not know a row: the pages say what is called and what comes out.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from law_table import FAN_IN, FAN_OUT, NAMES, StatedLaw, drawn, rows

pytestmark = pytest.mark.framework

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import jax
    import keras
    import torch

# Of the seeds of Keras on torch, one under which no value of this size is beyond two sigmas.
SEED_WITHOUT_ESCAPE, SEED_WITH_ESCAPE = 2, 0


def with_torch(call: str) -> np.ndarray[Any, Any]:
    torch.manual_seed(0)
    w = torch.empty(FAN_OUT, FAN_IN)
    eval(call, {**vars(torch.nn.init), **NAMES, "w": w})
    return w.numpy()


def with_keras(call: str) -> np.ndarray[Any, Any]:
    keras.utils.set_random_seed(SEED_WITHOUT_ESCAPE)
    make = eval(call, {**vars(keras.initializers), **NAMES})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a conversion inside Keras, that NumPy deprecates
        array: np.ndarray[Any, Any] = keras.ops.convert_to_numpy(make((FAN_IN, FAN_OUT)))
    return array


def with_jax(call: str) -> np.ndarray[Any, Any]:
    make = eval(call, {**vars(jax.nn.initializers), **NAMES})
    return np.asarray(make(jax.random.key(0), (FAN_IN, FAN_OUT), "float32"))


LIBRARIES: dict[str, Callable[[str], np.ndarray[Any, Any]]] = {
    "torch": with_torch,
    "Keras": with_keras,
    "JAX": with_jax,
}
ROWS = [(library, *row) for library in LIBRARIES for row in rows("migration.md", library)]
# A column is one law: fanfill's call, then those of the libraries in their order.
NAME_COLUMNS = [
    (heading, *column)
    for heading in ("He", "Glorot", "LeCun", "Without a scale")
    for column in list(zip(*rows("names.md", heading), strict=True))[1:]
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[1]}")
def test_the_library_draws_the_law_of_the_row(row: tuple[str, ...]) -> None:
    library, theirs, law, std, values, _ = row
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of bounds that are far from the mean
        sample = LIBRARIES[library](theirs)
    StatedLaw.of(law, std, values).check(sample)


@pytest.mark.parametrize("column", NAME_COLUMNS, ids=lambda column: column[1])
def test_the_calls_of_a_column_are_one_law(column: tuple[str, ...]) -> None:
    _, ours, *theirs = column
    mine = np.sort(drawn(ours, (FAN_OUT, FAN_IN)).ravel())
    compared = 0
    for library, call in zip(LIBRARIES, theirs, strict=True):
        if call == "none":
            continue
        sample = np.sort(LIBRARIES[library](call).ravel())
        assert sample.std() == pytest.approx(mine.std(), rel=0.01), library
        # Kolmogorov and Smirnov's two-sample distance, at 99.9 %.
        places = np.searchsorted(sample, mine, side="right") / sample.size
        distance = abs(places - np.arange(1, mine.size + 1) / mine.size).max()
        assert distance * (mine.size / 2) ** 0.5 < 1.95, library
        if "truncated" in ours or "uniform" in ours:
            assert sample[-1] == pytest.approx(mine[-1], rel=0.02), library
        compared += 1
    assert compared >= 2


def test_keras_on_torch_lets_some_values_past_its_bounds() -> None:
    assert keras.backend.backend() == "torch"
    keras.utils.set_random_seed(SEED_WITH_ESCAPE)
    sample = keras.initializers.TruncatedNormal(stddev=1.0)((FAN_IN, FAN_OUT))
    assert float(abs(sample).max()) > 2.0
