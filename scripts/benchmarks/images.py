"""Cost of images: speed, memory and recording against their number and size, code and batch.

    python scripts/benchmarks/images.py
    python scripts/benchmarks/images.py --long --plot docs/images/scaling.png

Trains on noise, one quantity changed at a time from `BASE`, each point in a process of its own. A
line has the images a second in the median of the epochs after the first, the largest resident
memory of the process, and its recording: the frames, the bytes of the file and those of a frame.
`--long` has more points and the convolutional model beside the dense one. `--from` draws a file
that `--json` kept.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

BASE = {"images": 8192, "side": 28, "code": 64, "batch": 128}
SHORT = {
    "images": (2048, 8192, 32768),
    "side": (14, 28, 56),
    "code": (16, 64, 256),
    "batch": (32, 128, 512),
}
LONG = {
    "images": (2048, 4096, 8192, 16384, 32768, 65536),
    "side": (14, 28, 42, 56, 84, 112),
    "code": (16, 32, 64, 128, 256, 512),
    "batch": (16, 32, 64, 128, 256, 512),
}
LABELS = {
    "images": "images",
    "side": "side of an image, pixels",
    "code": "numbers in the code",
    "batch": "images a batch",
}
BACKENDS = {"dense_autoencoder": "jax", "conv_autoencoder": "tensorflow"}  # the fastest on a CPU
MEASURES = {
    "speed": "images a second",
    "memory": "largest memory, MB",
    "frame": "recording, kB a frame",
}
SEEN = 16384  # images that every point is trained on at least, after the first epoch


def main() -> int:
    """Parse the command line, measure or read the points, print and draw them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--long", action="store_true", help="more points, and both models")
    parser.add_argument("--plot", type=Path, help="a PNG, PDF or SVG to draw")
    parser.add_argument("--json", type=Path, help="a file to keep the points in")
    parser.add_argument("--from", dest="earlier", type=Path, help="a file of points to draw again")
    parser.add_argument("--point", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.point:
        print(json.dumps(trained(**json.loads(arguments.point))))
        return 0
    if arguments.earlier:
        points = json.loads(arguments.earlier.read_text())
    else:
        models = list(BACKENDS) if arguments.long else ["dense_autoencoder"]
        points = [p for model in models for p in measured(model, LONG if arguments.long else SHORT)]
    if arguments.json:
        arguments.json.write_text(json.dumps(points, indent=1) + "\n")
    if arguments.plot:
        draw(points, arguments.plot)
    return 0


def measured(model: str, values: dict[str, tuple[int, ...]]) -> list[dict[str, Any]]:
    """Return the points of a model, and print a line of each."""
    print(f"\n{model:18}{'value':>8}{'images/s':>10}{'MB':>7}{'frames':>8}{'kB all':>9}{'kB':>8}")
    points: list[dict[str, Any]] = []
    for axis, row in values.items():
        for value in row:
            setting = {**BASE, axis: value}
            earlier = [one for one in points if one["setting"] == setting]
            point = earlier[0] if earlier else child(model, setting)
            points.append({**point, "model": model, "setting": setting, "axis": axis})
            line = f"{axis:18}{value:8,}{point['speed']:10,.0f}{point['memory']:7,.0f}"
            line += f"{point['frames']:8}{point['recording']:9,.0f}{point['frame']:8,.0f}"
            print(line, flush=True)
    return points


def child(model: str, setting: dict[str, int]) -> dict[str, Any]:
    """Return what one training in a process of its own reports."""
    backend = os.environ.get("KERAS_BACKEND", BACKENDS[model])
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": backend}
    point = json.dumps({"model": model, **setting})
    command = [sys.executable, __file__, "--point", point]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{model} {setting}: {done.stderr[-2000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def trained(model: str, images: int, side: int, code: int, batch: int) -> dict[str, Any]:
    """Train on noise, and return the speed, the memory in MB and the recording in kB."""
    import h5py
    import keras
    import numpy as np

    import ed_core

    class Epochs(keras.callbacks.Callback):
        """Marks the epochs, their validation among them."""

        marks: list[float] = []  # noqa: RUF012 - of the one training of this process

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.marks.append(time.perf_counter())

    noise = np.random.default_rng(0).random((images, side, side, 1), "float32")
    options: dict[str, Any] = {"latent": code}
    if model == "conv_autoencoder":  # three poolings of a side that is filled up to a multiple of 8
        options = {"filters": (16, 8, max(1, code // 16))}
    epochs = 1 + max(2, -(-SEEN // images))
    with tempfile.TemporaryDirectory() as out:
        arguments: dict[str, Any] = {"epochs": epochs, "batch_size": batch, "callbacks": [Epochs()]}
        run = ed_core.train(model, {"image": noise}, out=out, **arguments, **options)
        (segment,) = (run.path / "recording").iterdir()
        size = segment.stat().st_size
        with h5py.File(segment) as file:
            frames = len(file["index"])
            arrays = [array for probe in file["probes"].values() for array in probe.values()]
            stored = sum(array.id.get_storage_size() for array in arrays)
        samples = json.loads((run.path / "run.json").read_text())["samples"]
    seconds = statistics.median(np.diff(Epochs.marks))
    return {
        "speed": samples / seconds,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "frames": frames,
        "recording": size / 1000,
        "frame": stored / 1000 / frames,
    }


def draw(points: list[dict[str, Any]], path: Path) -> None:
    """Draw a row for each measure and a column for each quantity, a line for each model."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    from ed_core.figures.style import BLUE, GRID, MARKERS, STYLE, VERMILION, WIDTH, label_ends

    colours = dict(zip(BACKENDS, (BLUE, VERMILION), strict=True))
    with plt.rc_context(STYLE):
        size = {"figsize": (WIDTH, 0.68 * WIDTH), "layout": "constrained"}
        rows, columns = len(MEASURES), len(BASE)
        figure, grid = plt.subplots(rows, columns, sharex="col", sharey="row", **size)
        for row, (measure, words) in zip(grid, MEASURES.items(), strict=True):
            ends: list[tuple[float, str, str]] = []
            for axes, axis in zip(row, BASE, strict=True):
                axes.grid(color=GRID)
                axes.set_axisbelow(True)
                for marker, (model, colour) in zip(MARKERS, colours.items(), strict=False):
                    line = [p for p in points if p["model"] == model and p["axis"] == axis]
                    if not line:
                        continue
                    x, y = [p["setting"][axis] for p in line], [p[measure] for p in line]
                    axes.plot(x, y, color=colour, marker=marker)
                    if axis == "batch":
                        ends.append((y[-1], model.partition("_")[0], colour))
                axes.set_xscale("log", base=2)
                ticks = SHORT[axis]
                axes.set_xticks(ticks, [f"{value:,}" for value in ticks])
                axes.minorticks_off()
            row[0].set_ylim(bottom=0)  # once all lines are there: the row shares it
            row[0].set_ylabel(words)
            row[0].yaxis.set_major_formatter("{x:,.0f}")
            if len(ends) > 1:
                label_ends(figure, {row[-1]: ends})
        for axes, axis in zip(grid[-1], BASE, strict=True):
            axes.set_xlabel(LABELS[axis])
        figure.savefig(path)


if __name__ == "__main__":
    sys.exit(main())
