"""What the package says of itself: instruction sets, versions, threads, and how fast it is imported."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version

import pytest

import fanfill as ff
from fanfill import _core


def test_isas_lists_name_and_support_and_ends_with_scalar() -> None:
    assert ff.isas()[-1] == ("scalar", True)
    assert all(isinstance(name, str) and isinstance(supported, bool) for name, supported in ff.isas())


def test_show_config_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    ff.show_config()
    shown = json.loads(capsys.readouterr().out)
    assert shown == ff.show_config("dicts")
    assert shown["isa"] in dict(ff.isas())
    assert shown["threads"] == ff.get_num_threads()


@pytest.mark.parametrize(
    ("status", "said"), [("UNKNOWN_ISA", "'AVX2' is no"), ("UNSUPPORTED_ISA", "lacks AVX2")]
)
def test_show_config_says_why_there_is_no_instruction_set(
    status: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FANFILL_ISA", "AVX2")
    monkeypatch.setattr(_core, "chosen_isa", lambda: (getattr(_core, status), None))
    shown = ff.show_config("dicts")["isa"]
    assert shown.startswith("none: FANFILL_ISA: ")
    assert said in shown
    assert ", ".join(name for name, is_supported in ff.isas() if is_supported) in shown


def test_the_message_about_an_unknown_instruction_set_lists_the_names() -> None:
    words = _core.message(_core.UNKNOWN_ISA).replace(",", "").split()
    assert set(words) >= {name for name, _ in ff.isas()}


def test_show_config_refuses_an_unknown_mode() -> None:
    with pytest.raises(ValueError, match="mode must be 'stdout' or 'dicts'"):
        ff.show_config("yaml")  # type: ignore[call-overload]


def test_versions() -> None:
    assert ff.__version__ == version("fanfill")
    assert ff.CONTRACT_VERSION == 1


def test_every_public_name_exists_and_is_listed() -> None:
    assert all(getattr(ff, name) is not None for name in ff.__all__)
    assert dir(ff) == sorted(ff.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'he_cauchy_'"):
        _ = ff.he_cauchy_


def test_import_brings_numpy_and_nothing_heavy() -> None:
    script = "import sys, numpy; before = set(sys.modules); import fanfill; print(*set(sys.modules) - before)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    names = {name.partition(".")[0] for name in loaded.split()}
    forbidden = {"importlib_metadata", "email", "torch", "jax", "ml_dtypes", "scipy", "tomllib", "argparse"}
    assert not names & forbidden
    assert not {"fanfill.plan.plan", "fanfill.recipe", "fanfill.models", "importlib.metadata"} & set(
        loaded.split()
    )
