"""Measure how long single acts hold the window up: the longest turn of its event loop after each.

python scripts/benchmarks/turns.py [--rounds N]

A finished run is on show, then two side by side. Each figure is work, in milliseconds of the
processor that the window's thread took: on a busy machine the clock says more.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication

from ed_viewer import app as viewer
from ed_viewer.compare.feature import CompareFeature
from ed_viewer.testing import Example, write_example
from ed_viewer.window.window import Window

_SIZES = (QSize(1280, 720), QSize(1920, 1080), QSize(1440, 900))
_KEYS = ("theme", "full", "full", "logarithmic", "steer", "steer", "reset", "undo", "next")
_OF_TWO = ("swap", "difference", "difference")
_SETTLED = 1.0  # seconds after an act


def main() -> int:
    """Parse the command line and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="the longest turn of so many")
    arguments = parser.parse_args()
    app = QApplication(sys.argv[:1])
    with tempfile.TemporaryDirectory() as folder:
        one, other = (write_example(Path(folder), Example(samples=200), 40) for _ in "AB")
        window = viewer.make_window(app, [str(one), str(other)])
        viewer.collect_in_this_thread(window)
        window.show()
        print(f"opening a run: {_longest(app, lambda: None, 4.0):.0f} ms")
        alone = _measure(app, window, arguments.rounds)
        compare = _longest(app, partial(window.findChild(CompareFeature).choose, other), 4.0)
        both = _measure(app, window, arguments.rounds)
        print(f"choosing run B: {compare:.0f} ms\n\nact                  one run  two runs")
        for name, longest in both.items():
            print(f"{name:20} {_said(alone.get(name)):>7} {_said(longest):>9}")
        window.close()
    return 0


def _measure(app: QApplication, window: Window, rounds: int) -> dict[str, float]:
    """Return the longest turn after each act, in milliseconds."""
    longest: dict[str, float] = {}
    for _ in range(rounds):
        for name, act in _acts(window):
            took = _longest(app, act, _SETTLED)
            longest[name] = max(longest.get(name, 0.0), took)
    return longest


def _acts(window: Window) -> Iterator[tuple[str, Callable[[], None]]]:
    for size in _SIZES:
        yield f"to {size.width()} x {size.height()}", partial(window.resize, size)
    two = window.findChild(CompareFeature).pair is not None
    for name in (*_KEYS, *(_OF_TWO if two else ())):
        yield name, partial(window.act, name)
    for tab in (*range(1, window.stage.count()), 0):
        yield f"tab {window.stage.tabText(tab)}", partial(window.stage.setCurrentIndex, tab)


def _longest(app: QApplication, act: Callable[[], None], seconds: float) -> float:
    """Return how long the longest turn is, the act itself among them, in milliseconds."""
    began, turns = time.thread_time(), []
    act()
    turns.append(time.thread_time() - began)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.thread_time()
        app.processEvents()
        turns.append(time.thread_time() - began)
        time.sleep(0.001)
    return 1000 * max(turns)


def _said(longest: float | None) -> str:
    return "" if longest is None else f"{longest:.0f} ms"


if __name__ == "__main__":
    sys.exit(main())
