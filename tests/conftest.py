"""What the whole suite shares: the frameworks as fixtures and the refusal of skips.

It must not know what any test checks.
"""

from __future__ import annotations

import importlib
import signal
import warnings
from collections.abc import Generator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings

# The same examples every time, and no clock: a run on a busy machine must not differ.
settings.register_profile("fanfill", deadline=None, derandomize=True)
settings.load_profile("fanfill")

# A shell that starts us in the background has us ignore it, and tests press Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--forbid-skips",
        action="store_true",
        help="count a skipped test as failed: what was to be shown was not",
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    # These modules import frameworks at their top: a run that did not ask for them must not open them.
    asked = config.option.markexpr.replace("not framework", "")
    return (
        True if collection_path == Path(__file__).parent / "frameworks" and "framework" not in asked else None
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and item.config.getoption("--forbid-skips"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and skips are forbidden here: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if report.skipped and collector.config.getoption("--forbid-skips"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and skips are forbidden here: {report.longrepr}"
    return report


def _framework(name: str) -> ModuleType:
    # An absent framework is an error and not a skip. Its own deprecations at import are not ours to fail on.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


@pytest.fixture(scope="session")
def torch() -> ModuleType:
    return _framework("torch")


@pytest.fixture(scope="session")
def ml_dtypes() -> ModuleType:
    return _framework("ml_dtypes")


@pytest.fixture(scope="session")
def safetensors() -> ModuleType:
    _framework("safetensors.numpy")
    return _framework("safetensors")


@pytest.fixture(scope="session")
def transformers() -> ModuleType:
    return _framework("transformers")
