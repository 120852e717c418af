"""The arguments of `fanfill raw`, and what reaches the reader of its pipe."""

from __future__ import annotations

import argparse
import subprocess
import sys

import pytest

from fanfill import random
from fanfill.commands.raw import add_arguments, run

PROGRAM = """
import argparse, sys
from fanfill.commands.raw import add_arguments, run
parser = argparse.ArgumentParser()
add_arguments(parser)
sys.exit(run(parser.parse_args()))
"""


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="fanfill raw")
    add_arguments(made)
    return made


def test_the_words_of_the_arguments(
    parser: argparse.ArgumentParser, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    arguments = ["--layout", "seeds", "--seed", "7", "--key", "layer.weight", "--count", "5000"]
    assert run(parser.parse_args(arguments)) == 0
    assert capfdbinary.readouterr().out == words_of("seeds", 7, "layer.weight", 5000)


def words_of(layout: str, seed: int, key: int | str, count: int) -> bytes:
    import io

    file = io.BytesIO()
    random.raw_to(file, layout, seed=seed, key=key, count=count)  # type: ignore[arg-type]
    return file.getvalue()


def test_by_default_the_words_of_stream_0_without_end(parser: argparse.ArgumentParser) -> None:
    arguments = parser.parse_args([])
    assert (arguments.layout, arguments.seed, arguments.key, arguments.count) == ("sequential", 0, 0, None)


def test_the_help_describes_every_layout(parser: argparse.ArgumentParser) -> None:
    text = parser.format_help()
    for name, entry in random.LAYOUTS.items():
        assert f"  {name} " in text
        assert entry.description in text


@pytest.mark.parametrize("size", [1, 4096, 10_000_000])
def test_a_reader_that_has_enough_ends_it_quietly(size: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        read = process.stdout.read(size)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0
    assert read == random.words(0, 0, 0, -(-size // 4)).astype("<u4").tobytes()[:size]


def test_a_reader_that_leaves_before_the_last_words_are_flushed_ends_it_quietly() -> None:
    done = subprocess.run(
        ["bash", "-c", f"'{sys.executable}' -c '{PROGRAM}' --count 10 | sleep 0; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_terminal_is_refused(
    parser: argparse.ArgumentParser,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with pytest.raises(ValueError, match="raw words are not for a terminal; pipe them"):
        run(parser.parse_args(["--count", "4"]))
    assert capfdbinary.readouterr().out == b""


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["--layout", "reversed"], "invalid choice: 'reversed'"),
        (["--seed", "-1"], r"-1 isn't in 0 ... 2\^64 - 1"),
        (["--seed", str(2**64)], r"isn't in 0 ... 2\^64 - 1"),
        (["--seed", "seven"], "'seven' isn't an integer"),
        (["--key", str(2**64)], r"isn't in 0 ... 2\^64 - 1"),
        (["--key", "-1"], r"-1 isn't in 0 ... 2\^64 - 1"),  # a number, and no name to be hashed
        (["--count", "-1"], r"-1 isn't in 0 ... 2\^64"),
        (["--count", "1e6"], "'1e6' isn't an integer"),
    ],
    ids=str,
)
def test_wrong_arguments(
    arguments: list[str], match: str, parser: argparse.ArgumentParser, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        parser.parse_args(arguments)
    assert left.value.code == 2
    import re

    assert re.search(match, capsys.readouterr().err)


def test_words_are_little_endian(
    parser: argparse.ArgumentParser, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    run(parser.parse_args(["--count", "1"]))
    assert int.from_bytes(capfdbinary.readouterr().out, "little") == 0x6627E8D5
