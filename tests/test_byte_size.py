"""Sizes as people write them; it must not know what is of that size."""

from __future__ import annotations

from typing import Any

import pytest

from fanfill.byte_size import byte_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("5GB", 5 * 10**9),
        ("5gb", 5 * 10**9),
        ("5G", 5 * 10**9),
        (" 1.5 GiB ", 3 * 2**29),
        ("0.1MB", 100_000),
        ("7", 7),
        ("7B", 7),
        ("2TiB", 2**41),
        (4096, 4096),
    ],
)
def test_a_size_is_read(text: int | str, size: int) -> None:
    assert byte_size(text) == size


@pytest.mark.parametrize("text", ["", "GB", "5XB", "-5GB", "5,5GB", "5GBB", "1e9", "٥GB", "0", "0.1B", 0, -1])
def test_what_is_no_size_is_refused(text: int | str) -> None:
    with pytest.raises(ValueError, match="max_shard_size must be"):
        byte_size(text, "max_shard_size")


@pytest.mark.parametrize("size", [1.5, None, True, b"5GB"])
def test_what_is_no_number_is_refused(size: Any) -> None:
    with pytest.raises(TypeError, match="max_shard_size"):
        byte_size(size, "max_shard_size")
