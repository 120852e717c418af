"""Knows how fast a GPT-2-shaped model gets its weights: by torch, under `accelerate`, by `initialize_`.

It must not know how a value is made: ``python -m bench.torch_models`` prints what it finds.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import fanfill as ff
from bench.native import ROOT
from fanfill.benchmark import machine

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what frameworks say of themselves as they are imported
    import torch
    import transformers
    from torch import nn

    from fanfill.torch import accelerate, initialize_

GOAL = 8.0  # times torch's speed by wall time, on touched memory
_POSITIONS = 1024


@dataclass(frozen=True)
class Shape:
    """The extents of a GPT-2; by default those of gpt2-xl, 1.56 billion parameters."""

    layers: int = 48
    width: int = 1600
    vocabulary: int = 50257


class Block(nn.Module):
    """The parameters of one layer of GPT-2, as linear layers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.c_attn, self.attn_proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.c_fc, self.mlp_proj = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)


class PlainModel(nn.Module):
    """A GPT-2 of torch's modules, which then draws N(0, 0.02²) as GPT-2 does, with torch.nn.init."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.wte, self.wpe = (
            nn.Embedding(shape.vocabulary, shape.width),
            nn.Embedding(_POSITIONS, shape.width),
        )
        self.h = nn.ModuleList(Block(shape.width) for _ in range(shape.layers))
        self.ln_f = nn.LayerNorm(shape.width)
        self.reset()

    def reset(self) -> None:
        """Draw all weights anew, in place."""
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)


def _pretrained(shape: Shape) -> nn.Module:
    config = transformers.GPT2Config(
        n_layer=shape.layers,
        n_embd=shape.width,
        n_head=shape.width // 64,
        vocab_size=shape.vocabulary,
        bos_token_id=0,
        eos_token_id=0,
    )
    return transformers.AutoModelForCausalLM.from_config(config)


def _reset_pretrained(model: Any) -> None:
    with torch.no_grad():
        for module in model.modules():
            model._init_weights(module)


# Name: what builds the model, and what draws its weights anew in place.
MODELS: dict[str, tuple[Callable[[Shape], nn.Module], Callable[[Any], None]]] = {
    "torch modules": (PlainModel, lambda model: model.reset()),
    "transformers": (_pretrained, _reset_pretrained),
}
WAYS = ("torch", "accelerate", "initialize_")


def _construct(build: Callable[[Shape], nn.Module], shape: Shape, way: str) -> nn.Module:
    if way == "initialize_":
        with torch.device("meta"):
            model = build(shape)
        return initialize_(model, "hf-default", seed=0)
    if way == "accelerate":
        with accelerate(seed=0):
            return build(shape)
    return build(shape)


def _refill(reset: Callable[[Any], None], model: nn.Module, way: str) -> None:
    if way == "initialize_":
        initialize_(model, "hf-default", seed=0)
    elif way == "accelerate":
        with accelerate(seed=0):
            reset(model)
    else:
        reset(model)


def _timed(call: Callable[[], object]) -> tuple[float, float]:
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - cpu


def _round_times(name: str, memory: str, shape: Shape, rounds: int) -> list[dict[str, tuple[float, float]]]:
    """Return wall and CPU time of each way in each round; each round begins with another way."""
    build, reset = MODELS[name]
    if memory == "touched":
        model = _construct(build, shape, "accelerate")
        calls = {way: lambda way=way: _refill(reset, model, way) for way in WAYS}
    else:
        calls = {way: lambda way=way: _construct(build, shape, way) for way in WAYS}
    for call in calls.values():
        call()
    return [
        {way: _timed(calls[way]) for way in (*WAYS[turn % 3 :], *WAYS[: turn % 3])} for turn in range(rounds)
    ]


def _quartiles(values: list[float]) -> tuple[float, float, float]:
    low, _, high = quantiles(values, n=4)
    return low, median(values), high


def measure(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield a row for each dtype, model, memory and way."""
    shape = Shape(arguments.layers, arguments.width, arguments.vocabulary)
    for dtype in arguments.dtypes:
        torch.set_default_dtype(getattr(torch, dtype))
        for name in arguments.models:
            with torch.device("meta"):
                nbytes = sum(each.nbytes for each in MODELS[name][0](shape).parameters())
            for memory in arguments.memory:
                times = _round_times(name, memory, shape, arguments.rounds)
                for way in WAYS:
                    seconds = _quartiles([each[way][0] for each in times])
                    ratios = [[each["torch"][at] / each[way][at] for each in times] for at in (0, 1)]
                    yield {
                        "dtype": dtype,
                        "model": name,
                        "memory": memory,
                        "way": way,
                        "bytes": nbytes,
                        "rounds": len(times),
                        "seconds": seconds,
                        "ratio": _quartiles(ratios[0]),
                        "cpu_ratio": _quartiles(ratios[1]),
                        "bytes_per_s": nbytes / seconds[1],
                    }


def _line(row: dict[str, Any]) -> str:
    low, middle, high = row["ratio"]
    text = (
        f"{row['dtype']:<9} {row['model']:<14} {row['memory']:<8} {row['way']:<12} "
        f"{row['seconds'][1] * 1e3:10.1f} ms ({row['seconds'][0] * 1e3:.1f}-{row['seconds'][2] * 1e3:.1f}) "
        f"{row['bytes_per_s'] / 1e9:7.2f} GB/s"
    )
    if row["way"] == "torch":
        return text
    text += f"  {middle:6.2f} x torch ({low:.2f}-{high:.2f}), {row['cpu_ratio'][1]:.2f} x by CPU time"
    if row["memory"] == "touched":
        text += f"  goal {GOAL:.0f}: {'met' if middle >= GOAL else 'missed'}"
    return text


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.torch_models", description=__doc__)
    xl = Shape()
    parser.add_argument("--layers", type=int, default=xl.layers, help=f"default: {xl.layers}, gpt2-xl's")
    parser.add_argument("--width", type=int, default=xl.width, help=f"a multiple of 64; default: {xl.width}")
    parser.add_argument("--vocabulary", type=int, default=xl.vocabulary, help=f"default: {xl.vocabulary}")
    parser.add_argument(
        "--dtypes", nargs="+", default=["float32", "bfloat16"], choices=["float32", "bfloat16"]
    )
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--memory", nargs="+", default=["new", "touched"], choices=["new", "touched"])
    parser.add_argument("--rounds", type=int, default=7, help="at least 3 (default: 7)")
    parser.add_argument("--threads", type=int, help="of fanfill and of torch (default: each its own)")
    parser.add_argument("--out", type=Path, help="where to write the rows as JSON")
    arguments = parser.parse_args(argv)
    if arguments.rounds < 3:
        parser.error("--rounds: fewer than 3 have no spread")
    if arguments.width % 64 or min(arguments.layers, arguments.width, arguments.vocabulary) < 1:
        parser.error("--layers, --width, --vocabulary: must be positive, and the width a multiple of 64")
    return arguments


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark."""
    arguments = _arguments(argv)
    if arguments.threads is not None:
        ff.set_num_threads(arguments.threads)
        torch.set_num_threads(arguments.threads)
    head = {
        "command": " ".join(["python -m bench.torch_models", *(sys.argv[1:] if argv is None else argv)]),
        **machine.commit(ROOT / "CMakeLists.txt"),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "threads": {"fanfill": ff.get_num_threads(), "torch": torch.get_num_threads()},
        "load_average": os.getloadavg(),
    }
    for key, value in head.items():
        print(f"{key}: {value}")
    rows = []
    for row in measure(arguments):
        rows.append(row)
        print(_line(row), flush=True)
    if arguments.out is not None:
        arguments.out.write_text(json.dumps({**head, "rows": rows}, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
