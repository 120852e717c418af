"""Knows which files and functions of this folder pytest-benchmark times.

It must not know what they do.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Collect ``bench_*`` instead of ``test_*``, without the filters and the marks of the test suite."""
    config.addinivalue_line("python_files", "bench_*.py")
    config.addinivalue_line("python_functions", "bench_*")


@pytest.fixture(autouse=True)
def own_isa() -> Iterator[None]:
    """Fills choose instruction sets; the process gets its own back."""
    from fanfill import _core

    yield
    _core.choose_isa(None)
