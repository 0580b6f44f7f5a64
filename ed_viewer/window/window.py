"""The window: the stage in the middle, docks around it, and who tells whom."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QStatusTipEvent
from PySide6.QtWidgets import QMainWindow

from ed_viewer.curves.curves import Curves
from ed_viewer.panels.base import broken_panels
from ed_viewer.reading.jobs import BackgroundJobs
from ed_viewer.reading.messages import RunEntry, RunProgress
from ed_viewer.reading.reader import Reader
from ed_viewer.reading.run_names import absolute_path
from ed_viewer.session.session import Session
from ed_viewer.stage.central_area import CentralArea
from ed_viewer.style.theme import Theme
from ed_viewer.timeline.timeline import Timeline
from ed_viewer.timeline.transport import Transport
from ed_viewer.window.commands import bind
from ed_viewer.window.docks import Docks
from ed_viewer.window.feature import Feature
from ed_viewer.window.runs_list import RunsList
from ed_viewer.window.settings import Settings
from ed_viewer.window.status_bar import StatusLine, progress

P = TypeVar("P", bound=Feature)

_AGE = 200  # milliseconds between two updates of the last frame's age


class Window(QMainWindow):
    """One run on show.

    Args:
        reader: not started yet; the window starts it and stops it.
        theme: colours and type.
        root: the folder of runs, as it is called in messages.
        parts: the features, in the order of their tools.
        settings: what was kept from an earlier window, and what is kept of this one.

    Signals:
        layout_reset: everything goes back to where it was at first.

    Attributes:
        full: whether the stage and the timeline stand alone.
        tabbing: whether the Tab key moves the focus right now.
    """

    layout_reset = Signal()

    def __init__(
        self,
        reader: Reader,
        theme: Theme,
        root: str,
        parts: Sequence[type[Feature]] = (),
        settings: Settings | None = None,
    ) -> None:
        super().__init__()
        self.reader = reader
        self.theme = theme
        self.root = root
        self.settings = settings or Settings()
        self.errands = BackgroundJobs(self)
        theme.setParent(self)
        self.session = Session(reader, self)
        self.full = self.tabbing = False
        self.resize(QSize(1440, 900))
        self.setMinimumSize(QSize(640, 480))
        self._make_widgets(root)
        self.parts = [part(self) for part in parts]
        self.stage.set_tools([part.tool for part in self.parts if part.tool])
        self.docks = Docks(self)
        self._connect()
        self._bind()
        for part in self.parts:
            part.ready()
        self._show_title()
        self._clock = QTimer(self)
        self._clock.timeout.connect(self._show_age)
        self._clock.start(_AGE)
        reader.start()

    def open(self, path: Path) -> None:
        """Show a run; of the one that is open nothing is lost."""
        self.reader.add(absolute_path(path))
        if absolute_path(path) != self.session.path:
            self.session.open(absolute_path(path))

    def _make_widgets(self, root: str) -> None:
        self._middle = CentralArea(self.theme, root)
        self.stage, self.welcome = self._middle.stage, self._middle.welcome
        self.banner = self._middle.banner
        self.runs = RunsList(self.theme)
        self.curves = Curves(self.theme)
        self.timeline = Timeline(self.theme)
        self.transport = Transport(self.session, self.theme, self.stage.drawn)
        self.status = StatusLine(self.theme)
        self._middle.setAutoFillBackground(True)  # as the docks
        self.setCentralWidget(self._middle)
        self.statusBar().addWidget(self.status, 1)
        self.statusBar().setSizeGripEnabled(False)
        self.status.show_growth(None)
        self.status.show_message(broken_panels())

    def _connect(self) -> None:
        session, queued = self.session, Qt.ConnectionType.QueuedConnection
        session.opened.connect(self._on_opened)
        session.described.connect(self.stage.show_run)
        session.grew.connect(self._on_grew)
        session.drawn.connect(self._middle.show_frame)
        self.reader.listed.connect(self._on_listed, queued)
        self.reader.gathered.connect(self._on_gathered, queued)
        self.reader.failed.connect(self.status.show_message, queued)
        self.errands.said.connect(self.status.show_message, queued)
        self.runs.chosen.connect(self.open)
        self.stage.watched.connect(session.watch)
        self.stage.watched.connect(self.transport.refresh)
        self.stage.hovered.connect(self.status.show_value)

    def _bind(self) -> None:
        self._acts: dict[str, Callable[[int], None]] = {"tab": self.stage.setCurrentIndex}
        for part in self.parts:
            self._acts |= part.actions()
        bind(self, self._acts)

    def act(self, name: str, place: int = 0) -> None:
        """Do what a command of the table does."""
        self._acts[name](place)

    def part(self, kind: type[P]) -> P:
        """Return the part of a class."""
        return next(part for part in self.parts if isinstance(part, kind))

    def set_full(self, on: bool) -> None:
        """Show the stage, the timeline and the status line alone, with larger type."""
        if on == self.full:
            return
        self.full = on
        if on:
            self.docks.set_shelved(True)
        self.theme.set_lecture(on)
        if not on:  # larger type would leave the docks too high
            self.docks.set_shelved(False)
        self._show_title()

    def set_problem(self, of: str, problem: str) -> None:
        """Say in the banner what is wrong with something, or nothing any more."""
        self._middle.set_problem(of, problem)

    def _on_opened(self, path: Path) -> None:
        self._middle.show_opening(path)
        self.status.show_growth(None)
        self.runs.mark(path)
        self._show_title()

    def _on_grew(self, growth: RunProgress) -> None:
        self._show_age()
        self._middle.show_growth(self.session.path, growth, self.session.run is not None)

    def _on_listed(self, entries: list[RunEntry]) -> None:
        self.runs.show_entries(entries)
        if self.session.path is None and entries:
            self.open(entries[0].path)

        self._show_title()

    def _on_gathered(self, folder: Path, newest: Path) -> None:
        """Show the newest run of a folder that is none itself."""
        if self.session.path == folder:
            self.open(newest)

    def _show_age(self) -> None:
        growth, entry = self.session.growth, self.runs.entry(self.session.path)
        info = entry.info if entry else {}
        done = progress(growth, self.session.run, info) if growth and growth.live else []
        self.status.show_growth(growth, done, entry.problem if entry else "")

    def _show_title(self) -> None:
        """Name the run in the frame of the window and, where that or the list is gone, inside."""
        path = self.session.path
        self.setWindowTitle(f"{path.name} – edkit" if path else "edkit")
        alone = self.full or self.isFullScreen()
        self.status.show_name(self.runs.title(path) if path and alone else "")

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Note that the frame of the window comes or goes (called by Qt)."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange:
            self._show_title()

    def event(self, event: QEvent) -> bool:
        """Say in the status line what the mouse can do where it is (called by Qt)."""
        if isinstance(event, QStatusTipEvent):
            self.status.show_hint(event.tip())
            return True
        return super().event(event)

    def focusNextPrevChild(self, forward: bool) -> bool:  # noqa: N802
        """Note that it is the Tab key that moves the focus (called by Qt)."""
        here = self.focusWidget()
        self.tabbing = here is None or here.isVisible()  # else Qt leaves what has been hidden
        moved = super().focusNextPrevChild(forward)
        self.tabbing = False
        return moved

    def _keep(self) -> str:
        self.settings.save()
        return ""

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802, D102
        if not all(part.may_close() for part in self.parts):
            event.ignore()
            return
        self.hide()  # what follows may have to wait for a slow disk
        self._clock.stop()
        for part in self.parts:
            part.end()
        self.errands.run(self._keep, "Settings could not be saved")
        self.errands.wait()
        self.reader.stop()
        super().closeEvent(event)
