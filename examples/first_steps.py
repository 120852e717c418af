"""How long the statistics of He's start last: a ReLU network on scikit-learn's digits, watched as it trains.

It knows which numbers are taken at which step; it must not know the network, which is that of he_depth.py.

    python examples/first_steps.py --out first_steps.json
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path
from typing import Any

import he_depth as net
import numpy as np

DEPTH, WIDTH, RATE = 12, 128, 0.01
WATCHED = (0, 1, 3, 10, 30, 100, 300)
WATCHED_ON = 256  # the training pictures that the statistics are taken on


def statistics(data: Any, weights: net.Arrays, biases: net.Arrays) -> dict[str, list[float]]:
    """Return, layer by layer, what the theory speaks of."""
    pictures, target = data[0][:WATCHED_ON], data[1][:WATCHED_ON]
    inputs, probabilities = net.forward(pictures, weights, biases)
    found: dict[str, list[float]] = {"pre_activation": [], "pre_activation_mean": [], "correlation": []}
    for x, weight, bias in zip(inputs[:-1], weights[:-1], biases[:-1], strict=True):
        y = (x @ weight.T + bias).astype(np.float64)
        squares = (y**2).sum()
        found["pre_activation"].append(float((y**2).mean()))
        found["pre_activation_mean"].append(float(y.mean()))
        found["correlation"].append(float(((y.sum(axis=0) ** 2).sum() - squares) / (len(y) - 1) / squares))
    of_weights, _ = net.gradients(inputs, probabilities, target, weights)
    found["weight_gradient"] = [float((each.astype(np.float64) ** 2).mean()) for each in of_weights[:-1]]
    found["loss"] = [net.loss(probabilities, target)]
    return found


def watch(data: Any, seed: int) -> list[dict[str, Any]]:
    """Return the statistics at each watched step of one run of SGD with momentum."""
    pictures, target = data[0], data[1]
    weights = net.new_weights("He", DEPTH, seed, WIDTH)
    biases: net.Arrays = [np.zeros(len(weight), np.float32) for weight in weights]
    parameters = [*weights, *biases]
    speeds = [np.zeros_like(each) for each in parameters]
    generator, found = np.random.default_rng(seed), []
    for step in range(max(WATCHED) + 1):
        if step in WATCHED:
            found.append({"step": step, "seed": seed, **statistics(data, weights, biases)})
        chosen = generator.integers(0, len(target), net.BATCH)
        inputs, probabilities = net.forward(pictures[chosen], weights, biases)
        slopes = net.gradients(inputs, probabilities, target[chosen], weights)
        for each, speed, slope in zip(parameters, speeds, [*slopes[0], *slopes[1]], strict=True):
            speed *= net.MOMENTUM
            speed -= RATE * slope
            each += speed
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, help="write the statistics to this JSON file")
    arguments = parser.parse_args()
    data = net.digits()
    runs = [entry for seed in net.SEEDS for entry in watch(data, seed)]
    for entry in runs:
        q = entry["pre_activation"]
        print(f"seed {entry['seed']}, step {entry['step']:>3}: loss {entry['loss'][0]:.3f}, "
              f"variance {q[0]:.2f} ... {q[-1]:.2f}")  # fmt: skip
    if arguments.out:
        commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
        facts = {
            "commit": commit.stdout.strip(), "command": "python examples/first_steps.py", "depth": DEPTH,
            "width": WIDTH, "rate": RATE, "momentum": net.MOMENTUM, "batch": net.BATCH,
            "seeds": list(net.SEEDS), "examples": WATCHED_ON, "runs": runs,
        }  # fmt: skip
        arguments.out.write_text(json.dumps(facts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
