"""Measure the window: process start to first paint, and a frame written to the frame painted.

python scripts/benchmarks/viewer.py [--starts N] [--frames N]

A process of its own writes the frames.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

_RATE = 20  # frames a second
_FIRST = 20  # frames are written while the window starts

_CHILD = """
import sys, time
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication
from ed_viewer.app import make_window

class Watch(QObject):
    painted = False
    def eventFilter(self, target, event):
        if event.type() == QEvent.Type.Paint and not self.painted:
            self.painted = True
            print("window", time.time(), flush=True)
        return False

app = QApplication([])
watch = Watch()
app.installEventFilter(watch)
window = make_window(app, sys.argv[1:2])
def look():
    page = window.stage.currentWidget()
    if page and window.stage.drawn() and all(host.is_made for host in page.hosts):
        timer.stop()
        window.repaint()
        print("frame", time.time(), flush=True)
        window.close()
timer = QTimer()
timer.timeout.connect(look)
timer.start(1)
window.show()
app.exec()
"""


def main() -> int:
    """Parse the command line and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--starts", type=int, default=5, help="processes to start")
    parser.add_argument("--frames", type=int, default=400, help="frames to write, 20 a second")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        _bench_start(Path(folder), arguments.starts)
        _bench_latency(Path(folder), arguments.frames)
    return 0


def _bench_start(folder: Path, starts: int) -> None:
    from ed_viewer.testing import write_example

    run = write_example(folder)
    times: dict[str, list[float]] = {"window": [], "frame": []}
    for _ in range(starts):
        began = time.time()
        command = [sys.executable, "-c", _CHILD, str(run)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        for line in done.stdout.splitlines():
            name, at = line.split()
            times[name].append(float(at) - began)
    print(f"process start to first paint of the window: {_said(times['window'], 's')}")
    print(f"process start to first frame of the run:    {_said(times['frame'], 's')}")


def _bench_latency(folder: Path, frames: int) -> None:
    from PySide6.QtCore import QEvent, QObject, QTimer
    from PySide6.QtWidgets import QApplication

    from ed_core.recording import RunFolder
    from ed_viewer import app as viewer

    app = QApplication(sys.argv[:1])
    run = RunFolder.create(folder, "live")
    run.write({"status": "training"})
    script = str(Path(__file__).with_name("writer.py"))
    command = [sys.executable, script, str(run.path), "--frames", str(frames), "--rate", str(_RATE)]
    writer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    writer.stdout.readline()
    window = viewer.make_window(app, [str(run.path)])
    viewer.collect_in_this_thread(window)
    drawn: list[int] = []
    painted: dict[int, float] = {}

    class Watch(QObject):
        def eventFilter(self, target: QObject, event: QEvent) -> bool:  # noqa: N802
            if event.type() == QEvent.Type.UpdateRequest:  # all that has changed is painted next
                QTimer.singleShot(0, partial(note, drawn.copy()))
                drawn.clear()
            return False

    def note(frames: list[int]) -> None:
        painted.update(dict.fromkeys(frames, time.monotonic()))

    def look() -> None:
        if frames - 1 in painted or writer.poll() is not None:
            app.quit()

    window.session.drawn.connect(lambda frame: drawn.append(frame.request.frame))
    watch = Watch()
    window.installEventFilter(watch)
    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(50)
    window.show()
    app.exec()
    window.close()
    written = json.loads(writer.communicate()[0])
    late = [painted[number] - written[number] for number in sorted(painted) if number >= _FIRST]
    print(f"frame written to frame painted: {_said([t * 1000 for t in late], 'ms')}")
    print(f"frames written {frames}, painted {len(painted)} (the newest wins)")


def _said(values: list[float], unit: str) -> str:
    ordered = sorted(values)
    middle, worst = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
    return f"median {middle:.3g} {unit}, 99 % {worst:.3g} {unit} (n = {len(ordered)})"


if __name__ == "__main__":
    sys.exit(main())
