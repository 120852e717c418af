"""Knows what code a page of the documentation holds, and runs it as a reader would: in order, in one session.

It must not know any page, nor what fanfill does.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fanfill import cli

ROOT = Path(__file__).parents[1]
PAGES = [
    path
    for path in sorted((ROOT / "docs").rglob("*.md"))
    if path.relative_to(ROOT / "docs").parts[0] not in ("design", "results") and path.name != "contract.md"
]
# What a fence may be: run, checked by its words alone (`sh`), or not code at all.
LANGUAGES = {"python", "console", "sh", "text", "json"}
# Importing these needs the framework of their name.
FRAMEWORK_PACKAGES = {"torch", "jax", "keras"}
_FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
_FENCE = re.compile(
    r"^(?:<!-- needs: (?P<needs>[\w, ]+) -->\n)?(?:<!-- exit: (?P<exit>\d+) -->\n)?"
    r"(?P<fence>```+|:::+)(?P<language>[^\n`]*)\n(?P<code>.*?)^(?P=fence)$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """One fenced block, the line it begins on, the frameworks it needs, and its commands' exit status."""

    language: str
    code: str
    line: int
    needs: frozenset[str]
    status: int


@dataclass(frozen=True)
class Command:
    """One line of a console, and what it prints."""

    line: str
    output: str


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page, in order; directives of Sphinx are none."""
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        if found["language"].startswith("{"):
            continue
        needs = frozenset(filter(None, re.split(r"[, ]+", found["needs"] or "")))
        line = text.count("\n", 0, found.start("fence")) + 1
        yield Block(found["language"].strip(), found["code"], line, needs, int(found["exit"] or 0))


def needs(page: Path) -> frozenset[str]:
    """All frameworks that some block of a page needs."""
    return frozenset().union(*(block.needs for block in blocks(page)))


def commands(code: str) -> list[Command]:
    """The commands of a console block: a line after ``$``, continued by backslashes, and what follows."""
    joined = code.replace("\\\n", "")
    found = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", joined, re.MULTILINE)
    assert joined.startswith("$ "), "a console block begins with a command"
    return [Command(line, output) for line, output in found]


def run_page(page: Path, frameworks: frozenset[str]) -> int:
    """Run a page in the current folder, without the blocks that need other frameworks; return how many ran.

    With frameworks, what follows the last block that needs one is left to the run without.
    """
    namespace: dict[str, Any] = {"__name__": "__main__"}
    ran = 0
    listed = list(blocks(page))
    while frameworks and listed and not listed[-1].needs:
        listed.pop()
    for block in listed:
        where = f"{page.relative_to(ROOT)}:{block.line}"
        if not block.needs <= frameworks or block.language not in ("python", "console"):
            continue
        ran += 1
        if block.language == "console":
            for command in commands(block.code):
                status, printed = _printed(command)
                assert status == block.status, f"{where}: {command.line}: exit {status}\n{printed}"
                _check_output(where, command.line, command.output, printed)
        elif block.code.startswith(">>> "):
            _run_session(where, block, namespace)
        else:
            exec(compile("\n" * block.line + block.code, where, "exec"), namespace)
    return ran


def _run_session(where: str, block: Block, namespace: dict[str, Any]) -> None:
    test = doctest.DocTestParser().get_doctest(block.code, namespace, where, where, block.line)
    report = io.StringIO()
    result = doctest.DocTestRunner(optionflags=_FLAGS).run(test, out=report.write, clear_globs=False)
    assert result.attempted > 0, where
    assert result.failed == 0, f"{where}\n{report.getvalue()}"
    namespace.update(test.globs)


def _printed(command: Command) -> tuple[int, str]:
    """Exit status and output of a command, its errors among it."""
    if command.line.startswith("fanfill ") and not re.search(r"[|;&<>$*]", command.line):
        output = io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            status = cli.main(shlex.split(command.line)[1:])
        return status, output.getvalue()
    done = subprocess.run(
        ["bash", "-c", command.line],
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def _check_output(where: str, line: str, wanted: str, printed: str) -> None:
    matches = doctest.OutputChecker().check_output(wanted, printed, _FLAGS)
    assert matches, f"{where}: {line}\nshown:\n{wanted}\nprinted:\n{printed}"
