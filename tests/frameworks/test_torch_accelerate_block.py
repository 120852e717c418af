"""Blocks under fanfill.torch.accelerate: nested, entered again, in threads; their seeds and reports."""

from __future__ import annotations

import pickle
import threading
import warnings
from collections.abc import Iterator

import numpy as np
import pytest

import fanfill as ff

pytestmark = pytest.mark.framework

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import torch
    from torch import nn

    from fanfill.torch import accelerate


def stream(like: torch.Tensor, law: ff.Law, key: int, seed: int = 0) -> torch.Tensor:
    return ff.fill_(torch.empty_like(like), law, seed=seed, key=key)


def test_nested_blocks_take_what_is_inside_of_them() -> None:
    with accelerate(seed=1) as outer:
        first = torch.randn(3)
        with accelerate(seed=2) as inner:
            inside = torch.randn(3)
            torch.randperm(3)
            torch.randn(3, generator=torch.Generator())
        second = torch.randn(3)
    assert torch.equal(first, stream(first, ff.Normal(), 0, seed=1))
    assert torch.equal(inside, stream(inside, ff.Normal(), 0, seed=2))
    assert torch.equal(second, stream(second, ff.Normal(), 1, seed=1))
    assert (outer.calls, inner.calls) == (2, 2)
    assert [each.function for each in inner.passed_on] == ["randperm"]
    assert [each.function for each in outer.passed_on] == ["randperm"]  # torch drew it inside of both


def test_a_block_may_be_entered_again_and_in_itself() -> None:
    block = accelerate(seed=4)
    with block as first:
        a = torch.randn(3)
        with block as nested:
            b = torch.randn(3)
        c = torch.randn(3)
    with block as second:
        d = torch.randn(3)
    assert torch.equal(a, b)
    assert torch.equal(a, d)
    assert not torch.equal(a, c)
    assert (first.calls, nested.calls, second.calls) == (2, 1, 1)


def test_as_a_decorator() -> None:
    @accelerate(seed=4)
    def build(size: int) -> torch.Tensor:
        return torch.randn(size)

    assert torch.equal(build(3), stream(torch.empty(3), ff.Normal(), 0, seed=4))
    assert torch.equal(build(3), build(3))


def test_functions_that_yield_or_await_are_no_blocks() -> None:
    def yields() -> Iterator[torch.Tensor]:
        yield torch.randn(3)

    async def awaits() -> torch.Tensor:
        return torch.randn(3)

    for function in (yields, awaits):
        with pytest.raises(
            TypeError, match=rf"{function.__name__} yields or awaits, .* enter a block inside"
        ):
            accelerate(seed=4)(function)


def test_a_block_says_what_it_is() -> None:
    assert repr(accelerate(seed=4)) == "accelerate(seed=4, threads=None)"
    assert repr(accelerate(threads=2)) == "accelerate(seed=None, threads=2)"


def test_exceptions_end_the_block_and_torch_is_as_before() -> None:
    of_torch = nn.init._no_grad_trunc_normal_
    block = accelerate(seed=0)

    def fail() -> None:
        with block:
            torch.randn(3)
            raise KeyError("from inside")

    with pytest.raises(KeyError, match="from inside"):
        fail()
    assert nn.init._no_grad_trunc_normal_ is of_torch
    before = torch.get_rng_state()
    nn.init.trunc_normal_(torch.empty(3))
    assert not torch.equal(before, torch.get_rng_state())
    before = torch.get_rng_state()
    torch.randn(3)
    assert not torch.equal(before, torch.get_rng_state())


def test_a_replacement_that_somebody_puts_back_too_late_does_no_harm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    of_torch = nn.init._no_grad_trunc_normal_
    try:
        with accelerate(seed=0):
            monkeypatch.setattr(nn.init, "_no_grad_trunc_normal_", lambda tensor, *_, **__: tensor)
        monkeypatch.undo()  # now it is that of the block again
        for _ in range(2):
            with accelerate(seed=0) as report:
                assert nn.init.trunc_normal_(torch.empty(3)).abs().max() <= 2
                nn.init.trunc_normal_(torch.empty(3, dtype=torch.float64).expand(3))
                with pytest.raises(ZeroDivisionError, match="division by zero"):
                    nn.init.trunc_normal_(torch.empty(3), std=0)  # which torch says
            assert report.calls == 2
        assert nn.init._no_grad_trunc_normal_ is of_torch
    finally:
        nn.init._no_grad_trunc_normal_ = of_torch


def test_each_thread_has_its_own_blocks() -> None:
    values: dict[int, torch.Tensor] = {}
    started = threading.Barrier(3)

    def build(seed: int) -> None:
        with accelerate(seed=seed) as report:
            started.wait()
            for _ in range(50):
                values[seed] = nn.init.trunc_normal_(torch.empty(4))
            assert report.calls == 50

    def plain() -> None:
        started.wait()
        values[0] = torch.randn(4, generator=torch.Generator().manual_seed(1))

    with accelerate(seed=9) as outer:
        workers = [threading.Thread(target=build, args=(seed,)) for seed in (1, 2)]
        workers.append(threading.Thread(target=plain))
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert outer.calls == 0
    assert torch.equal(values[0], torch.randn(4, generator=torch.Generator().manual_seed(1)))
    for seed in (1, 2):
        law = ff.TruncatedNormal(unit="absolute")
        assert torch.equal(values[seed], stream(values[seed], law, 49, seed=seed))


def test_same_bits_for_any_number_of_threads() -> None:
    built = []
    for threads in (1, 2, 5):
        with accelerate(seed=0, threads=threads):
            built.append(nn.Linear(700, 900))
    for layer in built[1:]:
        assert torch.equal(layer.weight, built[0].weight)
        assert torch.equal(layer.bias, built[0].bias)


def test_without_a_seed_manual_seed_governs_the_block() -> None:
    drawn = []
    for _ in range(2):
        torch.manual_seed(8)
        for _ in range(2):
            with accelerate():
                drawn.append(torch.randn(4))
    assert torch.equal(drawn[0], drawn[2])
    assert torch.equal(drawn[1], drawn[3])
    assert not torch.equal(drawn[0], drawn[1])


def test_seed_sequences_and_bad_arguments() -> None:
    sequence = np.random.SeedSequence(5)
    with accelerate(seed=sequence) as report:
        pass
    assert report.seed == int(sequence.generate_state(1, "uint64")[0])
    for arguments, kind, match in (
        ({"seed": -1}, ValueError, "seed must be in"),
        ({"seed": 1.5}, TypeError, "seed must be an int"),
        ({"seed": 0, "threads": 0}, ValueError, "threads must be at least 1"),
    ):
        with pytest.raises(kind, match=match):
            accelerate(**arguments)


def test_the_report_prints_itself() -> None:
    with accelerate(seed=12) as report:
        assert "passed on to torch: nothing" in repr(report)
        nn.Linear(100, 1000)
        torch.randn(5)
        torch.randperm(5)
    text = repr(report)
    assert text.splitlines()[0] == "FillReport of seed 12: 3 fills drawn by fanfill"
    assert "uniform_      2   101,000" in text
    assert "in all        3   101,005" in text
    assert "  randperm  1 calls, 5 elements: no fill with one normal or uniform law" in text
    assert report.total == report.fills["uniform_"] + report.fills["randn"]
    copied = pickle.loads(pickle.dumps(report))
    assert repr(copied) == text
    with pytest.raises(TypeError):
        report.fills["randn"] = report.total  # type: ignore[index]


def test_a_block_ends_in_its_own_thread() -> None:
    block = accelerate(seed=0)
    with block:
        caught: list[str] = []

        def leave() -> None:
            try:
                block.__exit__(None, None, None)
            except RuntimeError as error:
                caught.append(str(error))

        other = threading.Thread(target=leave)
        other.start()
        other.join()
        assert "leave the block in the thread that entered it" in caught[0]
        drawn = torch.randn(3)
    assert torch.equal(drawn, stream(drawn, ff.Normal(), 0))
