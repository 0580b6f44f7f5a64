"""Measure the window at size: a 1 GB recording, 70,000 codes, a slow disk.

python scripts/benchmarks/scale.py [scrub] [scatter] [slow]
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtWidgets import QApplication

from ed_core.recording import ArrayInfo, Header, ProbeInfo, RecordingWriter, RunFolder
from ed_viewer.app import make_window
from ed_viewer.reading import tail
from ed_viewer.testing import write_example
from ed_viewer.window.window import Window

_SCRUBS = 200


def main() -> int:
    """Run the measurements that are named, or all."""
    app = QApplication(sys.argv[:1])
    for name in sys.argv[1:] or MEASUREMENTS:
        with tempfile.TemporaryDirectory() as folder:
            print(f"{name}: {MEASUREMENTS[name](app, Path(folder))}", flush=True)
    return 0


def scrub(app: QApplication, folder: Path) -> str:
    """Return how fast a recording of 1 GB opens, and how often a second it is redrawn."""
    run = _incompressible(folder, frames=1100, megabytes=1.0)
    size = sum(file.stat().st_size for file in run.rglob("*.h5"))
    with _window(app) as window:
        began = time.monotonic()
        drawn = _count_drawn(window)
        window.open(run)
        _until(app, lambda: bool(drawn))
        opened = time.monotonic() - began
        frames = np.random.default_rng(0).integers(0, 1100, _SCRUBS)
        drawn.clear()
        began = time.monotonic()
        for frame in frames:
            count = len(drawn)
            window.session.scrub(int(frame))
            _until(app, lambda count=count: len(drawn) > count)
        rate = _SCRUBS / (time.monotonic() - began)
    return f"{size / 1e9:.2f} GB opens in {opened:.2f} s, {rate:.0f} updates a second"


def scatter(app: QApplication, folder: Path) -> str:
    """Return how long a scatter of 70,000 codes takes to be drawn."""
    random = np.random.default_rng(0)
    codes = random.normal(size=(70_000, 2)).astype("f4")
    labels = (np.arange(70_000) % 10).astype("i8")
    info = {"codes": ArrayInfo(codes.shape, "<f4", ("sample", "unit"))}
    probe = ProbeInfo("codes", "latent_codes", info, {"label": "label"})
    fields = {"label": {"kind": "class", "classes": [str(n) for n in range(10)]}}
    run = RunFolder.create(folder, "codes")
    run.write({"status": "finished"})
    header = Header({"start_step": 0}, fields, (probe,), ("loss",))
    with RecordingWriter(run.recording, header, {"label": labels}) as writer:
        for number in range(30):
            moved = codes + random.normal(scale=0.05, size=codes.shape).astype("f4")
            writer.append(number, number, number, {"codes": {"codes": moved}})
    with _window(app) as window:
        times: list[float] = []
        draw = window.stage.show_frame

        def timed(frame: object) -> None:
            began = time.monotonic()
            draw(frame)  # type: ignore[arg-type]
            window.stage.repaint()
            times.append(time.monotonic() - began)

        window.session.drawn.disconnect(window.centre.show_frame)
        window.session.drawn.connect(timed)
        window.open(run.path)
        _until(app, lambda: bool(times))
        for number in range(30):
            count = len(times)
            window.session.scrub(number)
            _until(app, lambda count=count: len(times) > count)
    return f"{1000 * statistics.median(times[1:]):.0f} ms an update, painted, in the median"


def slow(app: QApplication, folder: Path) -> str:
    """Return the longest time without a turn of the event loop while every read takes 2 s."""
    run = write_example(folder)
    read = tail.Tail.read
    with _window(app) as window:
        drawn = _count_drawn(window)
        window.open(run)
        _until(app, lambda: bool(drawn))
        try:
            tail.Tail.read = _late(read)  # type: ignore[method-assign]
            gaps, last, end = [], time.monotonic(), time.monotonic() + 8
            while time.monotonic() < end:
                window.session.scrub(int(time.monotonic() * 10) % 40)
                app.processEvents()
                gaps.append(time.monotonic() - last)
                last = time.monotonic()
                time.sleep(0.002)
        finally:
            tail.Tail.read = read  # type: ignore[method-assign]
    return f"the window answered after {1000 * max(gaps):.0f} ms at the latest"


MEASUREMENTS: dict[str, Callable[[QApplication, Path], str]] = {
    "scrub": scrub,
    "scatter": scatter,
    "slow": slow,
}


def _late(read: Callable[..., object]) -> Callable[..., object]:
    def wait(self: tail.Tail, request: object) -> object:
        time.sleep(2)
        return read(self, request)

    return wait


def _incompressible(folder: Path, frames: int, megabytes: float) -> Path:
    """Write noise, of which nothing can be saved by compression."""
    random = np.random.default_rng(0)
    samples = int(megabytes * 1e6 / (4 * 28 * 28))
    images = random.random((samples, 28, 28, 1), dtype="f4")
    info = {"output": ArrayInfo(images.shape, "<f4", ("sample", "y", "x", "channel"))}
    probe = ProbeInfo("image", "reconstruction", info, {"field": "image"})
    run = RunFolder.create(folder, "large")
    run.write({"status": "finished"})
    fields = {"image": {"kind": "image", "shape": [28, 28, 1]}}
    header = Header({"start_step": 0}, fields, (probe,), ("loss",))
    with RecordingWriter(run.recording, header, {"image": images[:16]}) as writer:
        for number in range(frames):
            noise = random.random(images.shape, dtype="f4")
            writer.append(number, number / 100, number, {"image": {"output": noise}})
    return run.path


def _count_drawn(window: Window) -> list[float]:
    drawn: list[float] = []
    window.session.drawn.connect(lambda _: drawn.append(time.monotonic()))
    return drawn


@contextmanager
def _window(app: QApplication) -> Iterator[Window]:
    with tempfile.TemporaryDirectory() as nothing:
        window = make_window(app, root=nothing)
        window.show()
        yield window
        window.close()


def _until(app: QApplication, true: Callable[[], bool], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError("the window did not draw in time")
        app.processEvents()
        time.sleep(0.0005)


if __name__ == "__main__":
    sys.exit(main())
