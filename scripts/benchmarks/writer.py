"""Write a live run for a bench, in a process of its own: the window that reads it has its own.

python scripts/benchmarks/writer.py FOLDER [--frames N] [--rate N] [--small]

It prints a line when the run is live, which it is until the standard input ends; then another one:
when each frame was written, in seconds as `time.monotonic` has them.
"""

import argparse
import json
import sys
import time
from pathlib import Path

from ed_core.recording import Event, RecordingWriter, RunFolder
from ed_viewer.testing import Example

_CHECKPOINT = 25  # frames
_PICTURES = 40  # frames are made before the first is written, then used again


def main() -> int:
    """Parse the command line and write the run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="of the run, already there")
    parser.add_argument("--frames", type=int, default=1000, help="frames to write")
    parser.add_argument("--rate", type=float, default=0, help="frames a second; 0: all it can")
    parser.add_argument("--small", action="store_true", help="small pictures: they spare the disk")
    arguments = parser.parse_args()
    example = Example(samples=60, size=(14, 14, 1)) if arguments.small else Example()
    times = write(arguments.folder, example, arguments.frames, arguments.rate)
    print(json.dumps(times))
    return 0


def write(folder: Path, example: Example, frames: int, rate: float) -> list[float]:
    """Write frames, scalars and checkpoints; returns when each frame was written."""
    arrays = [example.frame(number) for number in range(_PICTURES)]
    run, times = RunFolder(folder), []
    with run.hold(), RecordingWriter(run.recording, example.header(), example.reference) as writer:
        print("live", flush=True)
        began = time.monotonic()
        for number in range(frames):
            if rate:
                time.sleep(max(began + number / rate - time.monotonic(), 0.0))
            when = (number, number / 1000, number / 20)
            writer.append_scalars(*when, example.scalars(number % 400))
            writer.append(*when, arrays[number % len(arrays)])
            times.append(time.monotonic())
            if number % _CHECKPOINT == 0:
                writer.append_event(Event(*when, "checkpoint", f"checkpoint at step {number}"))
        sys.stdin.read()
    return times


if __name__ == "__main__":
    sys.exit(main())
