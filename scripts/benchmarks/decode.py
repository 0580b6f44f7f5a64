"""Measure decoding by hand: requests a second of the process, and drag to picture in the window.

python scripts/benchmarks/decode.py [--requests N] [--drags N] [--backend NAME ...]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np

from ed_core.decoding.wire import Message, Unpacker, pack
from ed_core.engine import BACKENDS, installed_backends

MODELS = ("dense_autoencoder", "vae", "conv_vae")
SIDE = 60.0  # pixels of the circle on which the handle is dragged


def main() -> int:
    """Parse the command line and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=500, help="to the process, one by one")
    parser.add_argument("--drags", type=int, default=200, help="moves of the handle")
    parser.add_argument("--backend", action="append", choices=BACKENDS, help="default: all")
    arguments = parser.parse_args()
    print("backend      model               requests a second   drag to picture")
    with tempfile.TemporaryDirectory() as folder:
        for backend in arguments.backend or installed_backends():
            for model in MODELS:
                run = _train(Path(folder) / f"{backend}-{model}", backend, model)
                rate = _rate(run, arguments.requests)
                late = _drag_times(run, arguments.drags)
                middle, worst = np.quantile(late, (0.5, 0.99)) * 1000
                said = f"median {middle:.1f} ms, 99 % {worst:.1f} ms"
                print(f"{backend:12} {model:19} {rate:17.0f}   {said}", flush=True)
    return 0


def _train(out: Path, backend: str, model: str) -> Path:
    """Train for one epoch on the embedded digits: how well it decodes does not matter here."""
    command = [sys.executable, "-m", "ed_core.cli", "train", model, "--backend", backend]
    command += ["--data", "digits", "--epochs", "1", "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    return next(out.iterdir())


def _rate(run: Path, requests: int) -> float:
    """Return how many codes a second the process decodes, each asked for after the last answer."""
    command = [sys.executable, "-P", "-m", "ed_core.decoding.worker", str(run)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        unpacker = Unpacker()

        def answer() -> Message:
            while True:
                for message in unpacker.feed(process.stdout.read1(2**16)):  # type: ignore[union-attr]
                    return message

        size = answer().facts["size"]
        codes = np.random.default_rng(0).normal(size=(requests + 10, 1, size))
        for number, code in enumerate(codes):
            if number == 10:  # the first ones compile
                began = time.monotonic()
            facts = {"ask": "decode", "topic": "bench", "number": number, "step": 0}
            process.stdin.write(pack(facts, {"codes": code}))
            process.stdin.flush()
            assert "why" not in answer().facts
        seconds = time.monotonic() - began
    return requests / seconds


def _drag_times(run: Path, drags: int) -> np.ndarray:
    """Return seconds from a mouse move in the window to the painted picture, move by move."""
    from PySide6.QtWidgets import QApplication

    from ed_viewer.app import make_window

    app = QApplication.instance() or QApplication(sys.argv[:1])
    window = make_window(app, [str(run)])  # type: ignore[arg-type]
    window.show()
    _until(app, lambda: bool(window.stage.panels))
    titles = [window.stage.tabText(tab) for tab in range(window.stage.count())]
    window.stage.setCurrentIndex(titles.index("Latent"))
    panel: Any = window.stage.panels[0]
    _until(app, lambda: len(panel._hand.picture.outputs) > 0)
    _until(app, lambda: len(panel._between.row.outputs) > 0)
    try:
        return np.array(_drag(app, panel, drags))
    finally:
        window.close()


def _drag(app: Any, panel: Any, drags: int) -> list[float]:
    from PySide6.QtCore import QPoint, QPointF, Qt
    from PySide6.QtTest import QTest

    view = panel._scatter.item.getViewBox()
    viewport = panel._scatter._plot.viewport()
    place = panel._axes.place(panel._held.code)
    centre = panel._scatter._plot.mapFromScene(view.mapViewToScene(QPointF(*place)))
    QTest.mouseMove(viewport, centre)
    _wait(app, 0.2)
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=centre)
    times = []
    for number in range(drags):
        angle = 2 * np.pi * number / 40
        offset = QPoint(int(SIDE * np.cos(angle)), int(SIDE * np.sin(angle)))
        _wait(app, 0.015)  # pyqtgraph leaves out a move less than 10 ms after the one before
        before = panel._hand.picture.outputs
        began = time.monotonic()
        QTest.mouseMove(viewport, centre + offset)
        _until(app, lambda before=before: panel._hand.picture.outputs is not before)
        panel._hand.picture.repaint()
        times.append(time.monotonic() - began)
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=centre)
    return times[10:]


def _wait(app: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    _until(app, lambda: time.monotonic() > end)


def _until(app: Any, done: Any) -> None:
    deadline = time.monotonic() + 120
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit("the window did not decode")
        app.processEvents()
        time.sleep(0.0002)


if __name__ == "__main__":
    sys.exit(main())
