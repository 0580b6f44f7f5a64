"""The main window: its features, and who tells whom."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QResizeEvent, QStatusTipEvent

from ed_viewer.event_loop import later
from ed_viewer.panels.base import broken_panels
from ed_viewer.reading.messages import RunEntry, RunProgress
from ed_viewer.reading.reader import Reader
from ed_viewer.style.text import ValueTip
from ed_viewer.style.theme import Theme
from ed_viewer.window.docks import TimelineRow, side_by_side
from ed_viewer.window.feature import Feature
from ed_viewer.window.settings import Settings
from ed_viewer.window.status_bar import progress
from ed_viewer.window.workbench import Workbench

_AGE = 200  # milliseconds between two updates of the last frame's age


class Window(Workbench):
    """One run on show; it knows no feature by name.

    Args:
        reader: not started yet; the window starts it and stops it.
        theme: colours and type.
        root: the folder of runs, as it is called in messages.
        features: makes the features, in the order of their tools.
        settings: what was kept from an earlier window, and what is kept of this one.
    """

    def __init__(
        self,
        reader: Reader,
        theme: Theme,
        root: str,
        features: Callable[[Workbench], Sequence[Feature]] = lambda _: (),
        settings: Settings | None = None,
    ) -> None:
        super().__init__(reader, theme, root, settings)
        self.status.show_growth(None)
        self.status.show_message(broken_panels())
        self.features = features(self)
        self._lay_out()
        self._connect()
        for feature in self.features:
            feature.ready()
        self._show_title()
        self._clock = QTimer(self)
        self._clock.timeout.connect(self._show_age)
        self._clock.start(_AGE)
        reader.start()

    def _lay_out(self) -> None:
        self.tools = [feature.tool for feature in self.features if feature.tool]
        self.stage.set_tools(self.tools)
        heads = [feature.runs_tool for feature in self.features if feature.runs_tool]
        curves = self.curves
        scales = side_by_side((curves.all, curves.over, curves.log), 8)
        self.docks.add("runs", "Runs", self.runs, tools=side_by_side(heads, 4))
        self.docks.add("curves", "Curves", curves, about=curves.about, tools=scales)
        self.docks.add("timeline", "", TimelineRow(self.transport, self.timeline))
        for feature in self.features:
            if feature.dock:
                self.docks.add(feature.name, feature.title, feature.dock, area=feature.area)
        self.docks.reset()

    def _connect(self) -> None:
        session, queued = self.session, Qt.ConnectionType.QueuedConnection
        session.opened.connect(self._on_opened)
        session.described.connect(self.stage.show_run)
        session.grew.connect(self._on_grew)
        session.drawn.connect(self.centre.show_frame)
        self.reader.listed.connect(self._on_listed, queued)
        self.reader.gathered.connect(self._on_gathered, queued)
        self.reader.failed.connect(self.status.show_message, queued)
        self.jobs.said.connect(self.status.show_message, queued)
        self.runs.chosen.connect(self.open)
        self.stage.watched.connect(session.watch)
        self.stage.watched.connect(self.transport.refresh)
        self.full_changed.connect(self._show_title)

    def _on_opened(self, path: Path) -> None:
        self.centre.show_opening(path)
        self.status.show_growth(None)
        self.runs.mark(path)
        self._show_title()

    def _on_grew(self, growth: RunProgress) -> None:
        self._show_age()
        self.centre.show_growth(self.session.path, growth, self.session.run is not None)

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

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Let the docks stand where they have room (called by Qt)."""
        super().resizeEvent(event)
        later(self, self.docks.fit)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Note that the frame of the window comes or goes (called by Qt)."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange:
            self._show_title()

    def event(self, event: QEvent) -> bool:
        """Say in the status line what is under the mouse, and what it can do (called by Qt)."""
        if isinstance(event, ValueTip):
            self.status.show_value(event.tip())
            return True
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
        if not all(feature.may_close() for feature in self.features):
            event.ignore()
            return
        self.hide()  # what follows may have to wait for a slow disk
        self._clock.stop()
        for feature in self.features:
            feature.end()
        self.jobs.run(self._keep, "Settings could not be saved")
        self.jobs.wait()
        self.reader.stop()
        super().closeEvent(event)
