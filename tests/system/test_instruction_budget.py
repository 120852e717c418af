"""No kernel executes more instructions than its budget, nor takes more modelled cycles: no clock is asked.

It must not know a figure: budgets.json has them, and only ``python -m budget --update`` writes them.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable

import pytest

from budget.budget import (
    ALLOWANCE,
    COUNTED,
    FIGURES,
    PRESETS,
    configured,
    counted_figures,
    excess,
    listed_figures,
    read_budgets,
)
from budget.hot_loop import hot_loops
from budget.note import NOTE, with_tables

pytestmark = pytest.mark.system

FiguresOf = Callable[[str], dict[str, float]]

BUDGETS = read_budgets()
KINDS = [f"counted {isa}" for isa in COUNTED] + [f"listed {isa}" for isa in PRESETS]


def kind_of(name: str) -> str:
    """Which measurement a figure belongs to."""
    how = "counted" if name.endswith(": instructions per value") else "listed"
    return f"{how} {name.split()[0]}"


@pytest.fixture(scope="module")
def figures_of(cpp_build: Callable, tmp_path_factory: pytest.TempPathFactory) -> FiguresOf:
    """``figures_of(kind)``: every figure of one measurement, taken once."""

    @functools.cache
    def measure(kind: str) -> dict[str, float]:
        how, isa = kind.split()
        if how == "counted":
            return counted_figures(cpp_build("release").folder, isa)
        return listed_figures(configured(PRESETS[isa], tmp_path_factory.mktemp(isa)), isa)

    return measure


@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_has_a_budget(kind: str, figures_of: FiguresOf) -> None:
    assert set(figures_of(kind)) == {name for name in BUDGETS if kind_of(name) == kind}


@pytest.mark.parametrize("name", BUDGETS)
def test_within_budget(name: str, figures_of: FiguresOf) -> None:
    assert not excess(name, figures_of(kind_of(name))[name], BUDGETS[name])


def test_excess_is_named_beyond_the_allowance() -> None:
    assert ALLOWANCE == 0.03
    assert not excess("avx2 normal float32", 103.0, 100.0)
    assert excess("avx2 normal float32", 103.2, 100.0).startswith("avx2 normal float32: 103.200, +3.2% over")


def test_design_note_has_the_budgets() -> None:
    assert NOTE.read_text() == with_tables(NOTE.read_text(), json.loads(FIGURES.read_text()))


def test_every_budget_is_of_a_known_measurement() -> None:
    assert {kind_of(name) for name in BUDGETS} == set(KINDS)


X86_LOOP = """
	xorl	%eax, %eax
.L2:
	cmpl	%eax, %ebx
	je	.L3
	vpbroadcastq	%rdi, %zmm0
	vpbroadcastq	%rsi, %zmm1
.L3:
	vpmuludq	%zmm0, %zmm1, %zmm2
	vptest	%ymm0, %ymm0
	jne	.L9
.L4:
	vmovups	%zmm2, (%rdx)
	vpaddq	%zmm1, %zmm2, %zmm1
	addq	$64, %rdx
	cmpq	%rdx, %rcx
	jne	.L2
	ret
.L9:
	call	mend
	vpmuludq	%zmm0, %zmm1, %zmm2
	jmp	.L4
"""

ARM_LOOP = """
	b	.L3
.L2:
	umull	v0.2d, v1.2s, v2.2s
	umaxv	s3, v0.4s
	fmov	w0, s3
	cbnz	w0, .L7
.L5:
	str	q0, [x1], 16
	cmp	x1, x2
	bne	.L2
.L3:
	ret
.L7:
	tbl	v0.16b, {v4.16b}, v0.16b
	b	.L5
"""


def test_hot_loop_leaves_out_what_is_jumped_over() -> None:
    (loop,) = hot_loops(X86_LOOP.splitlines())
    mnemonics = [line.split("\t")[0] for line in loop.instructions]
    assert mnemonics == [
        "vpmuludq",
        "vptest",
        "jne",
        "vmovups",
        "vpaddq",
        "addq",
        "cmpq",
        "jne",
        "cmpl",
        "je",
    ]
    assert (loop.multiplies, loop.vector_operations, loop.streams) == (1, 3, False)


def test_hot_loop_of_arm() -> None:
    (loop,) = hot_loops(ARM_LOOP.splitlines())
    mnemonics = [line.split("\t")[0] for line in loop.instructions]
    assert mnemonics == ["umull", "umaxv", "fmov", "cbnz", "str", "cmp", "bne"]
    assert (loop.multiplies, loop.vector_operations) == (1, 3)
