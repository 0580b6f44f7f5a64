"""Compare two checkouts in loading data and checking it as a training does: time and memory.

python scripts/benchmarks/loading.py OTHER [--runs N] [--scratch FOLDER] [--only NAME ...]

OTHER is the root of another checkout, such as one made by `git worktree add OTHER COMMIT`. The
files (3 GB) are made in the scratch folder and stay there for the next time, if it is named. The
two take turns, each in a process of its own, whose first run does not count; a ratio below 1 says
that this checkout is the better one.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

import h5py
import numpy as np
from PIL import Image

HERE = Path(__file__).resolve().parent.parent
SIDE = 64  # pixels, of every image
BYTES = 800_000_000  # of an HDF5 file
CHILD = """
import json, os, resource, sys, time
from ed_core.data.checks import check_data
from ed_core.data.loading import load_data
from ed_core.data.selection import select
t, c = time.perf_counter(), os.times()
plan = {"seed": 0, "labels": {}, "stratified": False, "only": {}}
data = select(load_data(sys.argv[1]), [], plan)
fields = [name for name, field in data.fields.items() if not field.partial]
check_data(data, sys.argv[1], fields, [])
wall, now = time.perf_counter() - t, os.times()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([sum(now[:4]) - sum(c[:4]), wall, peak]))
"""


def main() -> int:
    """Parse the command line, make the files and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", type=Path, help="the root of the checkout to compare with")
    parser.add_argument("--runs", type=int, default=5, help="of each checkout and file")
    parser.add_argument("--scratch", type=Path, help="where the files are made, and kept")
    parser.add_argument("--only", nargs="+", choices=FILES, default=[*FILES], help="of the files")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = arguments.scratch or Path(made)
        for name in arguments.only:
            data = FILES[name](folder / name)
            compare(name, data, arguments.other, arguments.runs)
    return 0


def compare(name: str, data: str, other: Path, runs: int) -> None:
    """Print the medians of CPU seconds, seconds and MiB of both checkouts, and their ratios."""
    figures: dict[Path, list[list[float]]] = {other.resolve(): [], HERE: []}
    for root, found in [*figures.items()] * (runs + 1):
        found.append(_measure(root, data))
    before, now = (
        [median(column) for column in zip(*f[1:], strict=True)] for f in figures.values()
    )
    parts = zip(("cpu", "wall", "peak"), ("s", "s", "MiB"), before, now, strict=True)
    said = (
        f"{what} {was:7.2f} {is_:7.2f} {unit} {is_ / was:5.2f}" for what, unit, was, is_ in parts
    )
    print(f"{name:16}", *said, sep="  ", flush=True)


def _measure(root: Path, data: str) -> list[float]:
    """Return CPU seconds, those of its children too, seconds, and the peak of memory in MiB."""
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", CHILD, data]
    out = subprocess.run(command, cwd=root, env=environment, check=True, stdout=subprocess.PIPE)
    figures: list[float] = json.loads(out.stdout.splitlines()[-1])
    return figures


def _hdf5(kind: str, **storage: object) -> Callable[[Path], str]:
    """Return what makes a file of images of bytes, or of floats in 0..1, and says it as data."""

    def make(folder: Path) -> str:
        path = folder / "images.h5"
        if path.exists():
            return f"arrays:{path}"
        folder.mkdir(parents=True)
        samples = BYTES // (SIDE * SIDE * 3 * np.dtype(kind).itemsize)
        random = np.random.default_rng(0)
        with h5py.File(path, "w") as file:
            for split, count in (("train", samples * 9 // 10), ("test", samples // 10)):
                image = file.create_dataset(
                    f"{split}/image", (count, SIDE, SIDE, 3), kind, **storage
                )
                for first in range(0, count, 512):
                    shape = (min(512, count - first), SIDE, SIDE, 3)
                    pixels = random.integers(0, 256, shape, "uint8")
                    block = pixels if kind == "uint8" else pixels / np.float32(255)
                    image[first : first + 512] = block
                file[f"{split}/label"] = random.integers(0, 10, count, "uint8")
        return f"arrays:{path}"

    return make


def _pngs(folder: Path) -> str:
    """Make 20,000 PNG, of which a tenth is the test, and return them as data."""
    description, random = folder / "folder.toml", np.random.default_rng(0)
    if not description.exists():
        for split, count in (("train", 18_000), ("test", 2_000)):
            (folder / split / "image").mkdir(parents=True)
            for number in range(count):
                pixels = random.integers(0, 256, (SIDE, SIDE, 3), "uint8")
                Image.fromarray(pixels).save(folder / split / "image" / f"{number:05}.png")
        description.write_text("[fields.image]\n")
    return f"folder:{description}"


def _csv(folder: Path) -> str:
    """Make a table of 100 MB, a clock and eight channels, and return it as data."""
    path, random, rows = folder / "table.csv", np.random.default_rng(0), 10_000
    if not path.exists():
        folder.mkdir(parents=True)
        with path.open("w") as file:
            file.write("time," + ",".join(f"c{number}" for number in range(8)) + "\n")
            first = 0
            while file.tell() < 100_000_000:
                clock = (first + np.arange(rows)) * 0.01
                table = np.column_stack([clock, random.normal(size=(rows, 8))])
                np.savetxt(file, table, fmt="%.8g", delimiter=",")
                first += rows
    return f"signals:{path}"


FILES: dict[str, Callable[[Path], str]] = {
    "hdf5-bytes": _hdf5("uint8"),
    "hdf5-floats": _hdf5("float32"),
    "hdf5-chunked": _hdf5("float32", chunks=(16, SIDE, SIDE, 3)),
    "hdf5-packed": _hdf5("float32", chunks=(16, SIDE, SIDE, 3), compression="lzf"),
    "png": _pngs,
    "csv": _csv,
}


if __name__ == "__main__":
    sys.exit(main())
