"""Measure the start of `ed_core` and of the command, and the time to the first training step.

python scripts/benchmarks/startup.py [--rounds N] [--backend NAME ...] [--processor]

The start is compared with that of Python with numpy and h5py; `edkit train` with a program that
imports Keras, builds, compiles and fits an equal network on arrays, both in a first run and in a
later one, whose compiled code JAX has kept. `--processor` measures processor time, which other
programs on the machine change less.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ed_core.engine import BACKENDS, installed_backends

LIGHT = {
    "python, numpy and h5py": ["-c", "import numpy, h5py"],
    "import ed_core": ["-c", "import ed_core"],
    "edkit --help": ["-m", "ed_core.cli", "--help"],
    "edkit train --help": ["-m", "ed_core.cli", "train", "--help"],
}
# The network of `dense_autoencoder`, its optimizer and its batches, by Keras alone.
KERAS = """
import time
import keras, numpy
from keras import layers
began = time.time()

class First(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 0:
            print("first step", time.time(), time.process_time(), flush=True)

image = keras.Input((32, 32, 1))
x = layers.Flatten()(image)
for units in (512, 256, 64, 256, 512):
    x = layers.Dense(units, "relu")(x)
x = layers.Reshape((32, 32, 1))(layers.Dense(1024, "sigmoid")(x))
model = keras.Model(image, x)
model.compile("adam", "mse")
data = numpy.random.default_rng(0).random((1280, 32, 32, 1), "float32")
model.fit(data, data, batch_size=128, verbose=0, callbacks=[First()])
"""
# A plugin file is loaded before the training; this one tells when the first step has ended.
PLUGIN = """
import time
from ed_core.training.callbacks import Order

def on_train_batch_end(self, batch, logs=None):
    if batch == 0:
        print("first step", time.time(), time.process_time(), flush=True)

Order.on_train_batch_end = on_train_batch_end
"""


def main() -> int:
    """Parse the command line and print the seconds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="each, in turn")
    parser.add_argument("--backend", action="append", choices=BACKENDS, help="default: all")
    parser.add_argument("--processor", action="store_true", help="seconds of the processors")
    arguments = parser.parse_args()
    processor = arguments.processor
    with tempfile.TemporaryDirectory() as folder:
        # A first round, which is not counted, compiles all modules, and into no folder of others.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        _print_starts(arguments.rounds, processor)
        print(f"\nseconds to the first step{'':4s} Keras  edkit  later: Keras  edkit")
        for backend in arguments.backend or installed_backends():
            steps = _first_steps(backend, arguments.rounds, processor)
            print(f"{backend:28s}", "".join(f"{seconds:7.2f}" for seconds in steps), flush=True)
    return 0


def _print_starts(rounds: int, processor: bool) -> None:
    times: dict[str, list[float]] = {name: [] for name in LIGHT}
    for _ in range(1 + rounds):
        for name, command in LIGHT.items():
            times[name].append(_seconds(command, processor))
    floor = statistics.median(times["python, numpy and h5py"][1:])
    for name, values in times.items():
        middle = statistics.median(values[1:])
        print(f"{name:28s} {middle:6.2f} s  {middle / floor:5.2f}")


def _first_steps(backend: str, rounds: int, processor: bool) -> list[float]:
    """Return the seconds to the first step of Keras alone and of edkit: at first, and later."""
    times: dict[tuple[str, str], list[float]] = {}
    for _ in range(1 + rounds):
        with tempfile.TemporaryDirectory() as folder:
            plugin = Path(folder, "first_step.py")
            plugin.write_text(PLUGIN)
            train = ["-m", "ed_core.cli", "train", "dense_autoencoder", "--epochs", "1"]
            train += ["--backend", backend, "--out", folder, "--plugin", str(plugin)]
            for name in ("first", "later"):
                for what, command in (("keras", ["-c", KERAS]), ("edkit", train)):
                    seconds = _seconds_to_first_step(command, backend, folder)[processor]
                    times.setdefault((name, what), []).append(seconds)
    return [statistics.median(values[1:]) for values in times.values()]


def _seconds(command: list[str], processor: bool) -> float:
    """Return the seconds that a process takes, by the clock or of the processors."""
    began = time.perf_counter(), _processor_seconds()
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
    ended = time.perf_counter(), _processor_seconds()
    return ended[processor] - began[processor]


def _processor_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _seconds_to_first_step(command: list[str], backend: str, cache: str) -> tuple[float, float]:
    """Return the seconds from the start of a process to its first step, and of the processors."""
    began = time.time()
    done = subprocess.run(
        [sys.executable, *command],
        check=True,
        env={**os.environ, "KERAS_BACKEND": backend, "XDG_CACHE_HOME": cache},
        capture_output=True,
        text=True,
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith("first step"))
    ended, processor = map(float, line.split()[-2:])
    return ended - began, processor


if __name__ == "__main__":
    sys.exit(main())
