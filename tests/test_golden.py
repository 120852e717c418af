"""SHA-256 of 2^24 elements of every law and element type, on every instruction set of this machine.

It must not know how a value is made. ``python tests/test_golden.py`` writes the laws that the file lacks:
each once for a version of the contract.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import fanfill as ff
from fanfill import _core

FOLDER = Path(__file__).parent / "golden"
PATH = FOLDER / f"contract_v{ff.CONTRACT_VERSION}.json"

ELEMENTS = 1 << 24
SEED = 0x0123456789ABCDEF

LAWS: dict[str, ff.Law] = {
    "constant": ff.Constant(0.1),
    "uniform": ff.Uniform(-0.125, 0.75),
    "uniform_symmetric": ff.Uniform(-0.0375, 0.0375),
    "normal": ff.Normal(),
    "normal_scaled": ff.Normal(mean=0.5, std=0.02),
    "truncated": ff.TruncatedNormal(std=0.02, bounds=(-2.0, 2.0)),
    "truncated_corrected": ff.TruncatedNormal(std=0.02, bounds=(-2.0, 2.0), correct_variance=True),
    "truncated_absolute": ff.TruncatedNormal(mean=0.1, std=0.7, bounds=(-2.0, 2.0), unit="absolute"),
    "truncated_one_sided": ff.TruncatedNormal(bounds=(0.0, math.inf)),
    "truncated_asymmetric": ff.TruncatedNormal(bounds=(-1.0, 3.0)),
    "truncated_wide": ff.TruncatedNormal(bounds=(10.0, 11.0)),
    "log_uniform": ff.LogUniform(1e-3, 0.1),
    "log_uniform_of_softplus": ff.LogUniform(1e-3, 0.1, floor=1e-4, inverse_softplus=True),
    "arange": ff.Arange(1, 17, log=True),
}
DTYPES = {
    "float64": np.uint64, "float32": np.uint32, "bfloat16": np.uint16, "float16": np.uint16,
    "float8_e4m3fn": np.uint8, "float8_e5m2": np.uint8,
}  # fmt: skip
ISAS = [name for name, is_supported in ff.isas() if is_supported]


def digest(law: str, dtype: str) -> str:
    """Hash the elements of a law as they lie in memory, little-endian."""
    holder = DTYPES[dtype] if dtype not in ("float64", "float32", "float16") else np.dtype(dtype)
    out = np.empty(ELEMENTS, dtype=holder)
    ff.fill_(out, LAWS[law], seed=SEED, key=f"golden/{law}", dtype=dtype)
    return hashlib.sha256(out.view(np.uint8)).hexdigest()


def digests(law: str) -> dict[str, str]:
    return {dtype: digest(law, dtype) for dtype in DTYPES}


@pytest.fixture(params=ISAS)
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    assert _core.choose_isa(request.param) == _core.OK
    yield request.param
    assert _core.choose_isa(None) == _core.OK


@pytest.mark.parametrize("law", LAWS)
def test_golden_bits(law: str, isa: str) -> None:
    golden = json.loads(PATH.read_text())
    assert (golden["elements"], golden["seed"]) == (ELEMENTS, SEED)
    assert digests(law) == golden["sha256"][law], (
        f"the values of contract {ff.CONTRACT_VERSION} have changed on {isa}"
    )


def test_golden_file_holds_every_law_and_element_type() -> None:
    golden = json.loads(PATH.read_text())
    assert golden["contract"] == ff.CONTRACT_VERSION
    assert {law: set(found) for law, found in golden["sha256"].items()} == {law: set(DTYPES) for law in LAWS}


def write() -> int:
    """Add the laws that the golden file lacks; those it has are settled, unless the version changes."""
    settled = json.loads(PATH.read_text())["sha256"] if PATH.exists() else {}
    added = [law for law in LAWS if law not in settled]
    found: dict[str, dict[str, dict[str, str]]] = {}
    for name in ISAS:
        if _core.choose_isa(name) != _core.OK:
            raise RuntimeError(f"{name} cannot be chosen")
        found[name] = {law: digests(law) for law in added}
        if found[name] != found[ISAS[0]]:
            sys.stderr.write(f"{name} and {ISAS[0]} give different values; nothing is written\n")
            return 1
    sha256 = settled | found[ISAS[0]]
    body = {"contract": ff.CONTRACT_VERSION, "elements": ELEMENTS, "seed": SEED, "sha256": sha256}
    FOLDER.mkdir(exist_ok=True)
    PATH.write_text(json.dumps(body, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(write())
