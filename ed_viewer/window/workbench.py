"""The workbench: what the features of the window work with."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import eq
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Signal, SignalInstance
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMainWindow, QWidget

from ed_viewer.curves.curves import Curves
from ed_viewer.reading.jobs import BackgroundJobs
from ed_viewer.reading.reader import Reader
from ed_viewer.reading.run_names import absolute_path
from ed_viewer.session.session import Session
from ed_viewer.stage.central_area import CentralArea
from ed_viewer.style.theme import Theme
from ed_viewer.timeline.timeline import Timeline
from ed_viewer.timeline.transport import Transport
from ed_viewer.window.commands import MENUS
from ed_viewer.window.docks import Docks
from ed_viewer.window.runs_list import RunsList
from ed_viewer.window.settings import Settings
from ed_viewer.window.status_bar import StatusLine


@dataclass(frozen=True, slots=True)
class Aspect:
    """One part of the view that undo brings back.

    Attributes:
        name: for people, in the message of an undo.
        get: returns its value, None while it is not to be noted.
        set: brings a value back.
        changed: the signal after which it may be another.
        same: whether two values are equal.
        of_run: whether it belongs to the run on show, and is forgotten with it.
        merges: whether it is changed in many small moves, which are undone together.
    """

    name: str
    get: Callable[[], Any]
    set: Callable[[Any], None]
    changed: SignalInstance
    same: Callable[[Any, Any], bool] = eq
    of_run: bool = False
    merges: bool = False


class Workbench(QMainWindow):
    """The main window as its features know it: its widgets and its model, nothing wired.

    Args:
        reader: not started yet.
        theme: colours and type.
        root: the folder of runs, as it is called in messages.
        settings: what was kept from an earlier window, and what is kept of this one.

    Signals:
        layout_reset: everything goes back to where it was at first.
        full_changed: `full` is another.

    Attributes:
        session: the run on show.
        jobs: what runs off the thread of the window.
        centre: the middle; stage, welcome, banner: its three parts.
        runs, curves, timeline, transport, status: the widgets around it.
        docks: what these and the features stand in; filled when all features are made.
        tools: of the features, at the right of the stage's tabs.
        aspects: what undo brings back; each is added by the feature that it belongs to.
        full: whether the stage and the timeline stand alone.
        tabbing: whether the Tab key moves the focus right now.
    """

    layout_reset = Signal()
    full_changed = Signal()

    def __init__(
        self, reader: Reader, theme: Theme, root: str, settings: Settings | None = None
    ) -> None:
        super().__init__()
        self.reader = reader
        self.theme = theme
        self.root = root
        self.settings = settings or Settings()
        self.jobs = BackgroundJobs(self)
        theme.setParent(self)
        self.session = Session(reader, self)
        self.full = self.tabbing = False
        self.resize(QSize(1440, 900))
        self.setMinimumSize(QSize(640, 480))
        self.centre = CentralArea(theme, root)
        self.stage, self.welcome = self.centre.stage, self.centre.welcome
        self.banner = self.centre.banner
        self.runs = RunsList(theme)
        self.curves = Curves(theme)
        self.timeline = Timeline(theme)
        self.transport = Transport(self.session, theme, self.stage.drawn)
        self.status = StatusLine(theme)
        self.centre.setAutoFillBackground(True)  # as the docks
        self.setCentralWidget(self.centre)
        self.statusBar().addWidget(self.status, 1)
        self.statusBar().setSizeGripEnabled(False)
        self.docks = Docks(self)
        self.tools: list[QWidget] = []
        self.aspects: list[Aspect] = []
        self._menus = {name: self.menuBar().addMenu(f"&{name}") for name in MENUS}
        if not self.menuBar().isNativeMenuBar():  # what the window shows has its height
            self.menuBar().hide()

    def open(self, path: Path) -> None:
        """Show a run; of the one that is open nothing is lost."""
        self.reader.add(absolute_path(path))
        if absolute_path(path) != self.session.path:
            self.session.open(absolute_path(path))

    def add_command(self, action: QAction, menu: str) -> None:
        """Let a key and an entry of a menu do something."""
        self.addAction(action)
        self._menus[menu].addAction(action)

    @property
    def commands(self) -> list[QAction]:
        """All that the window can be told, in the order of the menus."""
        return [action for menu in self._menus.values() for action in menu.actions()]

    def action(self, name: str) -> QAction:
        """Return a command by its name."""
        return next(action for action in self.commands if action.objectName() == name)

    def act(self, name: str) -> None:
        """Do what a command does."""
        self.action(name).trigger()

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
        self.full_changed.emit()

    def set_problem(self, of: str, problem: str) -> None:
        """Say in the banner what is wrong with something, or nothing any more."""
        self.centre.set_problem(of, problem)
