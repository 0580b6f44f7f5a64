import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QSize, Qt, QThread
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot
from support import patience

from ed_core.engine import installed_backends
from ed_core.recording import ArrayInfo, ProbeInfo
from ed_viewer import event_loop
from ed_viewer.app import make_window
from ed_viewer.compare.difference import subtract
from ed_viewer.compare.feature import CompareFeature
from ed_viewer.event_loop import Cover
from ed_viewer.new_run.catalogue import Catalogue
from ed_viewer.panels.base import Panel, panel_class
from ed_viewer.panels.context import PanelContext
from ed_viewer.panels.host import PanelHost
from ed_viewer.reading.messages import Frame
from ed_viewer.session.session import Session
from ed_viewer.stage.page import Page
from ed_viewer.stage.run_column import RunColumn
from ed_viewer.style.palette import Side
from ed_viewer.style.theme import Theme
from ed_viewer.testing import Example, write_example
from ed_viewer.window.settings import Settings
from ed_viewer.window.window import Window

Open = Callable[..., Window]
Make = Callable[..., Panel]
FAKE = Path(__file__).with_name("fake_decoder.py")


class PatientBot(QtBot):
    """Waits as long as a busy machine may take, unless told otherwise."""

    def rest(self, ms: int) -> None:
        """Let so many milliseconds pass, and then what a window does piece by piece be done."""
        self.wait(ms)
        self.waitUntil(event_loop.is_idle)

    def waitUntil(self, callback: Callable[[], object], **options: Any) -> None:  # noqa: N802
        super().waitUntil(callback, **{"timeout": patience.MILLISECONDS, **options})

    def waitSignal(self, signal: Any, **options: Any) -> Any:  # noqa: N802
        return super().waitSignal(signal, **{"timeout": patience.MILLISECONDS, **options})


@pytest.fixture
def qtbot(qapp: QApplication, request: pytest.FixtureRequest) -> QtBot:
    return PatientBot(request)


@pytest.fixture(scope="session")
def example() -> Example:
    return Example(samples=120, frames=8)


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """What the command really says can be trained."""
    if not installed_backends():
        pytest.skip("no backend is installed")
    command = [sys.executable, "-m", "ed_core.cli", "list", "--json"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=patience.OF_A_PROCESS
    )
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
    end = time.monotonic() + patience.SECONDS / 4
    while left := _left(qapp) - before:  # what goes may ask that others go, in the next turn
        assert time.monotonic() < end, f"these are left of a window: {left}"
    assert threading.active_count() <= threads


class _Paintings(QObject):
    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._count = 0
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        self._count += event.type() == QEvent.Type.Paint
        return False

    def __call__(self) -> int:
        return self._count


@pytest.fixture
def paintings() -> Callable[[QWidget], Callable[[], int]]:
    """Count how often a widget is painted from now on."""
    return _Paintings


@pytest.fixture
def uncover(qtbot: QtBot) -> Callable[[QWidget], None]:
    """Wait until every panel and curve has taken the theme."""

    def wait(widget: QWidget) -> None:
        covers = widget.findChildren
        qtbot.waitUntil(lambda: not any(c.isVisible() for c in covers(Cover)))

    return wait


@pytest.fixture
def shorter(tmp_path: Path) -> Path:
    """A run of five frames, at the steps of the first five of `finished`."""
    return write_example(tmp_path / "runs", Example(samples=120, frames=5), frames=5)


class ComparedRuns:
    """A window that compares two runs, and what stands in it."""

    def __init__(self, qtbot: QtBot, window: Window) -> None:
        self._qtbot = qtbot
        self.window = window
        self.part = window.findChild(CompareFeature)

    def choose(self, path: Path) -> None:
        """Choose run B and wait until both are drawn."""
        self._qtbot.waitUntil(lambda: self.window.session.run is not None)
        self.part.choose(path)
        self.settle()

    def session(self, name: str) -> Session:
        if name == "A":
            return self.window.session
        assert self.part.pair is not None
        return self.part.pair.beside.session

    def settle(self) -> None:
        """Wait until both runs have drawn the frames where their cursors are, on this tab."""
        self._qtbot.waitUntil(self._is_settled)

    def side(self, name: str) -> RunColumn:
        page = self.window.stage.currentWidget()
        assert isinstance(page, Page)
        found = page.side(Side(name))
        assert found is not None
        return found

    def host(self, name: str, probe: str) -> PanelHost:
        return self.side(name).hosts[probe]

    def panel(self, name: str, probe: str) -> Any:
        return self.host(name, probe).panel

    def where(self, name: str) -> str:
        """Return what the heading of a run says about the frame on show."""
        return self.side(name)._head._where.text()

    def _is_settled(self) -> bool:
        pair = self.part.pair
        if pair is None or self.session("B").run is None:
            return False
        return all(self._is_drawn(name, pair.comparison.runs[Side(name)].frame) for name in "AB")

    def _is_drawn(self, name: str, frame: Frame | None) -> bool:
        if frame is None or frame.request.frame != self.session(name).cursor.frame:
            return False
        hosts = self.side(name).hosts
        made = all(host.is_made for host in hosts.values())
        return made and hosts.keys() <= {*frame.arrays, *frame.damaged}


@pytest.fixture
def compare_runs(qtbot: QtBot, open_window: Open) -> Callable[[Path, Path], ComparedRuns]:
    """Open a window that compares two runs."""

    def open_both(one: Path, other: Path) -> ComparedRuns:
        made = ComparedRuns(qtbot, open_window(one, other))
        made.choose(other)
        return made

    return open_both


def _left(qapp: QApplication) -> set[QWidget]:
    """Return the windows and menus that are there after a turn of the event loop."""
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    qapp.processEvents()
    gc.collect()
    return set(QApplication.topLevelWidgets())


def _end(window: Window) -> None:
    window.close()
    for thread in [window.reader, *window.findChildren(QThread)]:
        assert thread.wait(patience.MILLISECONDS), f"{thread} runs on after its window was closed"
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
        before: dict[str, np.ndarray] | None = None,
    ) -> Panel:
        """Of two runs, `before` are the arrays of A and `arrays` those of B: the difference."""
        infos = {
            name: ArrayInfo(a.shape, str(a.dtype), tuple(f"axis {i}" for i in range(a.ndim)))
            for name, a in arrays.items()
        }
        probe = ProbeInfo(kind, kind, infos, options or {})
        signed = before is not None
        source = PanelContext(probe, fields or {}, reference or {}, theme, signed=signed)
        made = panel_class(probe)(source)
        qtbot.addWidget(made)
        kept.append(made)
        made.resize(QSize(700, 400))
        made.show()
        made.show_frame(subtract(probe, before, arrays) if signed else arrays)
        assert not made.grab().isNull()
        return made

    return make_panel


@pytest.fixture
def wide(tmp_path: Path) -> Path:
    """A run with a code of forty numbers."""
    return write_example(tmp_path / "runs", Example(latent=40, samples=60, frames=3), frames=3)


class CodeEditorDriver:
    """Does with the handle what a user does, and looks at what comes of it."""

    def __init__(self, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
        self._qtbot = qtbot
        self._monkeypatch = monkeypatch

    def pretend(self, size: int = 2, classes: int = 0, mode: str = "good") -> None:
        """Let the window start `fake_decoder.py` instead of the process that decodes."""
        command = [sys.executable, str(FAKE), str(size), str(classes), mode]
        self._monkeypatch.setattr("ed_viewer.decoding.client.worker_command", lambda path: command)

    def opened(self, open_window: Open, run: Path) -> tuple[Window, Any]:
        """Open a run whose decoder answers; return the window and its panel of codes."""
        self.pretend()
        window = open_window(run)
        panel = self.latent(window)
        self.ready(panel)
        return window, panel

    def latent(self, window: Window) -> Any:
        """Open the tab; return its panel of codes once it has drawn."""
        self._qtbot.waitUntil(lambda: bool(window.stage.panels))
        titles = [window.stage.tabText(tab) for tab in range(window.stage.count())]
        window.stage.setCurrentIndex(titles.index("Latent"))
        panel: Any = window.stage.panels[0]
        self._qtbot.waitUntil(lambda: panel.axes is not None)
        return panel

    def ready(self, panel: Any) -> None:
        self._qtbot.waitUntil(lambda: len(self.picture(panel)) > 0)

    def picture(self, panel: Any) -> np.ndarray:
        return panel.editor.picture.outputs

    def on_screen(self, panel: Any, point: np.ndarray) -> QPoint:
        """Return where a point of the plot is in the viewport that the mouse acts on."""
        view = panel.scatter.item.getViewBox()
        return panel.scatter.plot.mapFromScene(view.mapViewToScene(QPointF(*point)))

    def drag(self, panel: Any, by: QPoint) -> None:
        viewport, left = panel.scatter.plot.viewport(), Qt.MouseButton.LeftButton
        at = self.on_screen(panel, panel.axes.place(panel.handle.code))
        QTest.mouseMove(viewport, at)
        QTest.qWait(15)  # pyqtgraph leaves out a move less than 10 ms after the one before
        QTest.mousePress(viewport, left, pos=at)
        for part in (0.3, 0.6, 1.0):
            QTest.mouseMove(viewport, at + QPoint(int(by.x() * part), int(by.y() * part)))
            QTest.qWait(15)
        QTest.mouseRelease(viewport, left, pos=at + by)


@pytest.fixture
def code_editor(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> CodeEditorDriver:
    return CodeEditorDriver(qtbot, monkeypatch)
