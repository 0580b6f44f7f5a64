"""Images a second in training: edkit, plain `fit` and PyTorch loops on equal models, alternated.

    EDKIT_DATA=../shared/data python scripts/benchmarks/training.py
    python scripts/benchmarks/training.py --model vae --way edkit-jax --way keras-jax --epochs 3

Each way trains the same network on the same images by the same loss at the same learning rate, in a
process of its own, one after the other, `--rounds` times. A row is the median over the epochs after
the first, with the smallest and the largest; the seconds of the processor for 1,000 images, which a
busy machine leaves alone (except PyTorch's, whose threads wait without giving it away); and the
loss on held-out images, marked where it is more than a tenth from the median of all: then the two
do not do the same work. `limit` is the products and convolutions of a step alone.
`training_ways.py` says what each way is.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

MODELS = ("dense", "conv", "vae", "unet")
BACKENDS = ("jax", "torch", "tensorflow")
KINDS = ("keras", "edkit", "unrecorded", "plain", "limit")
WAYS = (
    "loader",
    "loop",
    *(f"{kind}-{backend}" for backend in BACKENDS for kind in KINDS),
)
CHILD = Path(__file__).with_name("training_ways.py")
TOLERANCE = 0.1  # of the median of the losses


def main() -> int:
    """Parse the command line and print a table for each model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", action="append", choices=MODELS, help="all by default")
    parser.add_argument("--way", action="append", choices=WAYS, help="all by default")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--images", type=int, default=60_000, help="a tenth of them held out")
    arguments = parser.parse_args()
    for model in arguments.model or MODELS:
        results: dict[str, list[Any]] = defaultdict(list)
        for _ in range(arguments.rounds):
            for way in arguments.way or WAYS:
                results[way].append(measured(way, model, arguments.epochs, arguments.images))
        print(f"\n{model:18}{'images/s':>10}{'from':>9}{'to':>9}{'cpu s':>9}{'loss':>10}")
        print("\n".join(rows(results)), flush=True)
    return 0


def measured(way: str, model: str, epochs: int, images: int) -> Any:
    """Return what a way reports of one training in a process of its own."""
    backend = way.partition("-")[2] or "torch"
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": backend}
    command = [sys.executable, str(CHILD), way.partition("-")[0], model, str(epochs), str(images)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{way} {model}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def rows(results: dict[str, list[Any]]) -> list[str]:
    """Return a line of the table for each way."""
    losses = {way: [one["loss"] for one in runs] for way, runs in results.items()}
    every = [loss for some in losses.values() for loss in some if loss is not None]
    middle = statistics.median(every) if every else 0.0
    lines = []
    for way, runs in results.items():
        speeds = [speed for one in runs for speed in one["speeds"]]
        seconds = statistics.median(second for one in runs for second in one["seconds"])
        line = f"{way:18}{statistics.median(speeds):10,.0f}{min(speeds):9,.0f}{max(speeds):9,.0f}"
        line += f"{seconds:9.3f}"
        if losses[way][0] is not None:
            loss = statistics.median(losses[way])
            line += f"{loss:10.3f}{' *' * (abs(loss - middle) > TOLERANCE * middle)}"
        lines.append(line)
    return lines


if __name__ == "__main__":
    sys.exit(main())
