"""Measure the memory of `edkit encode` for a thousand files and for ten thousand.

python scripts/benchmarks/encode.py RUN [--files 1000 10000]

The files are grey PNG of 64 x 64 random pixels; each command is a process of its own, whose largest
resident memory the system says.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

_SIDE = 64  # pixels


def main() -> int:
    """Parse the command line and print a line for each number of files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", help="a run on images")
    parser.add_argument("--files", type=int, nargs="+", default=[1_000, 10_000])
    arguments = parser.parse_args()
    first = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for count in sorted(arguments.files):
            pictures = Path(folder) / "pictures"
            write(pictures, count)
            seconds, megabytes = encode(arguments.run, pictures, Path(folder) / f"{count}.csv")
            first = first or megabytes
            print(
                f"{count:7,} files: {megabytes:5.0f} MB at most, {megabytes / first:.2f} times the "
                f"first, {count / seconds:.0f} files/s",
                flush=True,
            )
    return 0


def write(folder: Path, count: int) -> None:
    """Fill a folder up to a number of files."""
    folder.mkdir(exist_ok=True)
    random = np.random.default_rng(0)
    for number in range(len(os.listdir(folder)), count):
        pixels = random.integers(0, 256, (_SIDE, _SIDE), "uint8")
        Image.fromarray(pixels).save(folder / f"{number:06d}.png")


def encode(run: str, folder: Path, output: Path) -> tuple[float, float]:
    """Return the seconds and the largest memory, in MB, of `edkit encode`."""
    command = [sys.executable, "-m", "ed_core.cli", "encode", run, str(folder), "-o", str(output)]
    began = time.monotonic()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(process.returncode)
    return time.monotonic() - began, usage.ru_maxrss / 1024


if __name__ == "__main__":
    raise SystemExit(main())
