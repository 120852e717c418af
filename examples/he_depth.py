"""He's scale and Glorot's in deep ReLU networks on scikit-learn's digits: 22 layers, and 30.

It knows a network, a training loop and what is written down; it must not know how weights are drawn.

    pip install fanfill scikit-learn
    python examples/he_depth.py --out he_depth.json

He, Zhang, Ren and Sun (2015, section 2.2) trained a ReLU network of 22 layers from both scales, and one of
30 from theirs alone. This is that experiment made small: 8 by 8 pictures of digits, dense layers, SGD with
momentum, in NumPy, and one learning rate and one number of epochs for all four. The seeds 0, 1 and 2 give
both the weights and the order of the data.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

import fanfill as ff

RULES = {"He": ff.he_normal_, "Glorot": ff.glorot_normal_}
DEPTHS = (22, 30)
SEEDS = (0, 1, 2)
RATE, EPOCHS = 0.003, 40
WIDTH, BATCH, MOMENTUM, TRAINED_ON = 256, 64, 0.9, 1437
CHANCE = math.log(10.0)  # the loss of who guesses among ten digits

Arrays = list[np.ndarray[Any, np.dtype[np.float32]]]


def digits() -> tuple[Any, Any, Any, Any]:
    """Return pictures and digits to train on, then those to test on; pictures of mean 0 and variance 1."""
    from sklearn.datasets import load_digits

    found = load_digits()
    order = np.random.default_rng(0).permutation(len(found.target))
    pictures, target = found.data[order].astype(np.float32), found.target[order]
    pictures -= pictures[:TRAINED_ON].mean(axis=0)
    pictures /= pictures[:TRAINED_ON].std()
    return pictures[:TRAINED_ON], target[:TRAINED_ON], pictures[TRAINED_ON:], target[TRAINED_ON:]


def new_weights(rule: str, depth: int, seed: int, width: int) -> Arrays:
    """Return the weights of a net that takes 64 numbers, is so wide and gives 10."""
    widths = [64, *[width] * (depth - 1), 10]
    weights = [np.empty((out, into), np.float32) for into, out in pairwise(widths)]
    for at, weight in enumerate(weights):
        RULES[rule](weight, seed=seed, key=f"layers.{at}.weight")
    return weights


def forward(pictures: Any, weights: Arrays, biases: Arrays) -> tuple[Arrays, Any]:
    """Return what each layer takes, and the probabilities of the digits."""
    inputs = [pictures]
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        inputs.append(np.maximum(inputs[-1] @ weight.T + bias, 0))
    logits = inputs[-1] @ weights[-1].T + biases[-1]
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return inputs, powers / powers.sum(axis=1, keepdims=True)


def gradients(inputs: Arrays, probabilities: Any, target: Any, weights: Arrays) -> tuple[Arrays, Arrays]:
    """Return the gradients of weights and biases of the mean cross entropy."""
    back = probabilities.copy()
    back[np.arange(len(target)), target] -= 1.0
    back /= len(target)
    of_weights: Arrays = []
    of_biases: Arrays = []
    for at in range(len(weights) - 1, -1, -1):
        of_weights.append(back.T @ inputs[at])
        of_biases.append(back.sum(axis=0))
        back = (back @ weights[at]) * (inputs[at] > 0)
    return of_weights[::-1], of_biases[::-1]


def loss(probabilities: Any, target: Any) -> float:
    """Return the mean cross entropy."""
    return float(-np.log(probabilities[np.arange(len(target)), target] + 1e-30).mean())


def train(data: Any, rule: str, depth: int, rate: float, seed: int, epochs: int) -> dict[str, Any]:
    """Return the loss on the training pictures before and after each epoch, and the test accuracy."""
    pictures, target, test_pictures, test_target = data
    weights = new_weights(rule, depth, seed, WIDTH)
    biases: Arrays = [np.zeros(len(weight), np.float32) for weight in weights]
    parameters = [*weights, *biases]
    speeds = [np.zeros_like(each) for each in parameters]
    generator = np.random.default_rng(seed)
    losses = [loss(forward(pictures, weights, biases)[1], target)]
    with np.errstate(all="ignore"):
        for _ in range(epochs):
            order = generator.permutation(len(target))
            for start in range(0, len(order) - BATCH + 1, BATCH):
                chosen = order[start : start + BATCH]
                inputs, probabilities = forward(pictures[chosen], weights, biases)
                found = gradients(inputs, probabilities, target[chosen], weights)
                for each, speed, slope in zip(parameters, speeds, [*found[0], *found[1]], strict=True):
                    speed *= MOMENTUM
                    speed -= rate * slope
                    each += speed
            losses.append(loss(forward(pictures, weights, biases)[1], target))
            if not math.isfinite(losses[-1]):
                break
    right = forward(test_pictures, weights, biases)[1].argmax(axis=1) == test_target
    diverged = not math.isfinite(losses[-1])
    return {
        "rule": rule, "depth": depth, "seed": seed, "diverged": diverged,
        "losses": [round(each, 4) for each in losses if math.isfinite(each)],
        "accuracy": None if diverged else round(float(right.mean()), 4),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, help="write all runs to this JSON file")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--rate", type=float, default=RATE, help="learning rate")
    arguments = parser.parse_args()
    data, begin, runs = digits(), time.monotonic(), []
    for depth in DEPTHS:
        for rule in RULES:
            for seed in SEEDS:
                run = train(data, rule, depth, arguments.rate, seed, arguments.epochs)
                runs.append(run)
                print(
                    f"{depth} layers, {rule:<6} seed {seed}: loss {run['losses'][-1]:.4f} after "
                    f"{len(run['losses']) - 1} epochs (chance {CHANCE:.4f}), test accuracy {run['accuracy']}"
                )
                sys.stdout.flush()
    if arguments.out:
        commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
        facts = {
            "commit": commit.stdout.strip(), "command": "python examples/he_depth.py", "width": WIDTH,
            "batch": BATCH, "momentum": MOMENTUM, "epochs": arguments.epochs, "seeds": list(SEEDS),
            "rate": arguments.rate, "train_examples": TRAINED_ON, "test_examples": len(data[3]),
            "numpy": np.__version__, "seconds": round(time.monotonic() - begin, 1), "runs": runs,
        }  # fmt: skip
        arguments.out.write_text(json.dumps(facts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
