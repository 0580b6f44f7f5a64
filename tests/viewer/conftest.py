import gc
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QSize
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ed_core.recording import ArrayInfo, ProbeInfo
from ed_viewer.app import make_window
from ed_viewer.example import Example, write_example
from ed_viewer.panel import Panel, Source, panel_class
from ed_viewer.theme import Theme
from ed_viewer.window import Window

Open = Callable[..., Window]
Make = Callable[..., Panel]


@pytest.fixture(scope="session")
def example() -> Example:
    return Example(samples=120, frames=8)


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

    def open_one(*paths: Path, root: Path | None = None, theme: str = "light") -> Window:
        folder = str(root or tmp_path / "runs")
        window = make_window(qapp, [str(p) for p in paths], root=folder, theme=theme)
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


@pytest.fixture
def make(qtbot: QtBot, theme: Theme) -> Make:
    """Make a panel for a probe of a kind, and show one frame in it."""
    kept: list[Panel] = []

    def make_panel(
        kind: str,
        arrays: dict[str, np.ndarray],
        reference: dict[str, np.ndarray] | None = None,
        fields: dict | None = None,
        options: dict | None = None,
    ) -> Panel:
        infos = {
            name: ArrayInfo(a.shape, str(a.dtype), tuple(f"axis {i}" for i in range(a.ndim)))
            for name, a in arrays.items()
        }
        probe = ProbeInfo(kind, kind, infos, options or {})
        made = panel_class(probe)(Source(probe, fields or {}, reference or {}, theme))
        qtbot.addWidget(made)
        kept.append(made)
        made.resize(QSize(700, 400))
        made.show()
        made.show_frame(arrays)
        assert not made.grab().isNull()
        return made

    return make_panel
