import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ed_core.engine import installed_backends
from ed_viewer.app import make_window
from ed_viewer.example import Example, write_example
from ed_viewer.launch.catalogue import Catalogue
from ed_viewer.settings import Settings
from ed_viewer.theme import Theme
from ed_viewer.window import Window

Open = Callable[..., Window]


@pytest.fixture(scope="session")
def example() -> Example:
    return Example(samples=120, frames=8)


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """What the command really says can be trained."""
    if not installed_backends():
        pytest.skip("no backend is installed")
    command = [sys.executable, "-m", "ed_core.command", "list", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    return Catalogue.read(done.stdout)


@pytest.fixture
def finished(tmp_path: Path, example: Example) -> Path:
    return write_example(tmp_path / "runs", example, frames=8)


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    return Theme(qapp, "light")


@pytest.fixture
def open_window(qapp: QApplication, qtbot: QtBot, tmp_path: Path) -> Iterator[Open]:
    """Open windows; at the end none of their widgets or threads may be left."""
    before = set(QApplication.topLevelWidgets())
    threads = threading.active_count()
    opened: list[Window] = []

    def open_one(
        *paths: Path,
        root: Path | None = None,
        theme: str = "light",
        settings: Settings | None = None,
    ) -> Window:
        folder = str(root or tmp_path / "runs")
        names = [str(p) for p in paths]
        window = make_window(qapp, names, root=folder, theme=theme, settings=settings)
        opened.append(window)
        with qtbot.waitActive(window):
            window.show()
            window.activateWindow()  # keys reach only an active window
        return window

    yield open_one
    while opened:
        _end(opened.pop())
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    qapp.processEvents()
    gc.collect()
    assert set(QApplication.topLevelWidgets()) <= before
    assert threading.active_count() <= threads


def _end(window: Window) -> None:
    window.close()
    assert window.reader.isFinished()
    window.deleteLater()
