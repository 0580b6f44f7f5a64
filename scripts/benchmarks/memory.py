"""Measure a window that follows a long run: its memory, and how long its event loop is held up.

python scripts/benchmarks/memory.py [--frames N]

A process of its own writes the frames, as fast as it can, so the numbers are the window's alone.
Every tab is on show in turn. `wall` is the time between two turns of the event loop, `cpu` what of
it this thread worked: on a busy machine the rest is waiting for a processor.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

_MARKS = (1_000, 10_000, 25_000, 50_000, 75_000, 100_000)
_LOOK_AROUND = 2.0  # seconds on each tab


def main() -> int:
    """Parse the command line and print a line at every mark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=100_000, help="frames to stream")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        follow(Path(folder), arguments.frames)
    return 0


@dataclass
class Turns:
    """The event loop's turns since the last mark: seconds between two, in all and worked."""

    last: tuple[float, float] = (0.0, 0.0)
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def note(self) -> None:
        """Take note of a turn."""
        now = (time.monotonic(), time.thread_time())
        if self.last[0]:
            self.wall.append(now[0] - self.last[0])
            self.cpu.append(now[1] - self.last[1])
        self.last = now

    def said(self) -> str:
        """Return the longest turns in words, and begin anew."""
        text = "  ".join(
            f"{name}: 99 % {1000 * sorted(values)[int(len(values) * 0.99)]:4.0f} ms,"
            f" longest {1000 * max(values):4.0f} ms"
            for name, values in (("wall", self.wall), ("cpu", self.cpu))
        )
        self.wall, self.cpu = [], []
        return text


def follow(folder: Path, frames: int) -> None:
    """Follow the writer's run in a window and print how it fares."""
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from ed_core.recording import RunFolder
    from ed_viewer import app as viewer

    app = QApplication(sys.argv[:1])
    run = RunFolder.create(folder, "live")
    run.write({"status": "training"})
    script = Path(__file__).with_name("writer.py")
    command = [sys.executable, str(script), str(run.path), "--frames", str(frames), "--small"]
    writer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    window = viewer.make_window(app, [str(run.path)])
    viewer.collect_in_this_thread(window)
    window.show()
    turns, began = Turns(), time.monotonic()
    marks = [mark for mark in _MARKS if mark < frames] + [frames]

    def look() -> None:
        turns.note()
        count = window.session.cursor.count
        if marks and count >= marks[0]:
            seconds = time.monotonic() - began
            print(f"{count:7} frames {seconds:5.0f} s  {_megabytes():4.0f} MB  {turns.said()}")
            sys.stdout.flush()
            while marks and count >= marks[0]:
                marks.pop(0)
        if not marks or writer.poll() is not None:
            app.quit()

    def next_tab() -> None:
        window.stage.setCurrentIndex((window.stage.currentIndex() + 1) % window.stage.count())

    timers = []
    for act, milliseconds in ((look, 0), (next_tab, int(1000 * _LOOK_AROUND))):
        timer = QTimer()
        timer.timeout.connect(act)
        timer.start(max(milliseconds, 2))
        timers.append(timer)
    window.session.follow()
    app.exec()
    window.close()
    writer.communicate()


def _megabytes() -> float:
    """Return how much memory this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    sys.exit(main())
