"""Render the window offscreen, in both themes and two sizes, to PNG.

    python scripts/screenshots.py OUT [RUN]           every tab
    python scripts/screenshots.py OUT RUN --beside RUN2   every tab of two runs, and the difference
    python scripts/screenshots.py --readme RUN        docs/window-light.png, docs/window-dark.png

Without RUN, a synthetic recording is shown.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication

from ed_viewer.app import make_window
from ed_viewer.compare import Compare
from ed_viewer.example import write_example
from ed_viewer.window import Window

SIZES = (QSize(1280, 720), QSize(1440, 900))
DEADLINE = 20.0  # seconds to wait for a frame


def main() -> int:
    """Parse the command line and write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", nargs="?", default="docs", help="folder of the pictures")
    parser.add_argument("run", nargs="?", help="run folder (default: a synthetic one)")
    parser.add_argument("--readme", metavar="RUN", help="only the README's two pictures, of RUN")
    parser.add_argument("--beside", metavar="RUN", help="a run to compare with")
    parser.add_argument("--frame", type=int, default=-1, help="which frame (default: the last)")
    arguments = parser.parse_args()
    app = QApplication(sys.argv[:1])
    with tempfile.TemporaryDirectory() as folder:
        run = arguments.readme or arguments.run or str(write_example(Path(folder)))
        out = Path("docs" if arguments.readme else arguments.out)
        out.mkdir(parents=True, exist_ok=True)
        for theme in ("light", "dark"):
            window = _open(app, run, theme, arguments.frame)
            if arguments.beside:
                _compare(app, window, Path(arguments.beside), out, theme)
                window.close()
                continue
            if arguments.readme:
                _shoot(app, window, out / f"window-{theme}.png", SIZES[1])
            else:
                _shoot_all(app, window, out, theme)
            window.close()
    return 0


def _open(app: QApplication, run: str, theme: str, frame: int) -> Window:
    window = make_window(app, [run], theme=theme)
    window.show()
    try:
        _settle(app, lambda: _drawn(window))
    except SystemExit:
        window.close()  # with its thread
        raise
    if frame >= 0:
        window.session.scrub(frame)
    return window


def _compare(app: QApplication, window: Window, beside: Path, out: Path, theme: str) -> None:
    part = window.part(Compare)
    part.choose(beside)
    pair = part.pair
    _settle(app, lambda: pair is not None and pair.beside.session.cursor.frame >= 0)
    for kind in ("compare", "difference"):
        part.set_signed(kind == "difference")
        _shoot_tabs(app, window, out, f"-{kind}-{theme}")


def _shoot_tabs(app: QApplication, window: Window, out: Path, ending: str) -> None:
    for size in SIZES:
        for tab in range(window.stage.count()):
            window.stage.setCurrentIndex(tab)
            title = window.stage.tabText(tab).lower().replace(" ", "-")
            _shoot(app, window, out / f"{title}{ending}-{size.width()}.png", size)


def _shoot_all(app: QApplication, window: Window, out: Path, theme: str) -> None:
    _shoot_tabs(app, window, out, f"-{theme}")
    window.stage.setCurrentIndex(0)
    window.set_full(True)
    _shoot(app, window, out / f"lecture-{theme}.png", SIZES[0])
    window.set_full(False)


def _shoot(app: QApplication, window: Window, path: Path, size: QSize) -> None:
    window.resize(size)
    until = time.monotonic() + 0.6  # the newest request, its answer, and a drawing
    _settle(app, lambda: time.monotonic() > until)
    window.grab().save(str(path))
    print(path)


def _drawn(window: Window) -> bool:
    return bool(window.stage.panels) and window.session.cursor.frame >= 0


def _settle(app: QApplication, done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit("the window showed no frame: is this a run folder?")
        app.processEvents()
        time.sleep(0.005)


if __name__ == "__main__":
    sys.exit(main())
