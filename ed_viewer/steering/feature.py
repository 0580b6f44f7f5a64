"""Steering feature: a dock at the right with requests to the trainer of the open run."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt

from ed_core.recording import RunFolder
from ed_core.recording.control import Request
from ed_viewer.reading.jobs import RequestWriter
from ed_viewer.steering.panel import SteerPanel
from ed_viewer.steering.trainer_state import Waiting, trainer_of
from ed_viewer.widgets.controls import Toggle
from ed_viewer.widgets.tool_row import ToolRow
from ed_viewer.window.feature import Feature
from ed_viewer.window.workbench import Workbench

_STOP = "Stop the training after this epoch"


class SteerFeature(Feature):
    """Feature that writes requests and waits for the trainer's events about them."""

    name = "steer"
    title = "Steer"

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self.waiting = Waiting()
        self._asker = RequestWriter(self)
        self.panel = SteerPanel(bench.theme)
        self.button = Toggle("Steer", "accent", bench.theme)
        self.button.setToolTip("Pause, stop, learning rate and weights of a live run")
        self.dock, self.tool = self.panel, ToolRow()
        self.tool.add(self.button, "Steer the training")
        self.button.clicked.connect(self._show_dock)
        self.panel.shown.connect(self._on_shown)
        self.panel.asked.connect(self.ask)
        self._asker.failed.connect(self._on_failed, Qt.ConnectionType.QueuedConnection)
        session = bench.session
        session.opened.connect(self._forget)
        session.described.connect(self._forget)
        session.grew.connect(self._refresh)
        self._make_commands()

    def _make_commands(self) -> None:
        """Those that ask show the dock, which says what came of it."""
        panel, button = self.panel, self.button
        self.command(
            "steer",
            "Show or hide Steer, the controls of the training",
            "S",
            lambda: self._show_dock(not panel.isVisible()),
            menu="Training",
            buttons=[button],
            check=button,
        )
        for name, words, keys, ask, same in (
            ("pause", "Pause or resume the training", "Shift+Space", panel.ask_pause, panel.pause),
            ("stop", _STOP, "Ctrl+Shift+E", panel.ask_stop, panel.stop),
            ("save", "Save a checkpoint now", "Ctrl+S", panel.ask_save, panel.save),
        ):
            use = partial(self._use, ask)
            self.command(name, words, keys, use, menu="Training", buttons=[same])

    def ask(self, request: Request) -> None:
        """Ask the trainer of the open run."""
        session = self.bench.session
        if session.path is None or session.growth is None:
            return
        self.panel.say("")
        self.waiting.add(request, session.growth.events)
        self._asker.ask(RunFolder(session.path).control, request)
        self._refresh()

    def end(self) -> None:
        """Write what was asked, and end the thread."""
        self._asker.end()

    def _use(self, ask: Callable[[], None]) -> None:
        self._show_dock(True)
        ask()

    def _show_dock(self, on: bool) -> None:
        self.bench.docks[self.name].setVisible(on)
        self.bench.docks.fit()

    def _on_shown(self, on: bool) -> None:
        self.button.setChecked(on)
        if on:
            self._refresh()

    def _forget(self, _: object = None) -> None:
        """Another run, or another trainer: it was asked nothing."""
        self.waiting.clear()
        self.panel.say("")
        self._refresh()

    def _refresh(self, _: object = None) -> None:
        growth = self.bench.session.growth
        if growth is None or not growth.live:
            self.waiting.clear()
        elif self.waiting:
            self.waiting.see(growth.events)
        if self.panel.isVisible():
            self.panel.show_trainer(trainer_of(self.bench.session.run, growth), self.waiting)

    def _on_failed(self, request: Request, reason: str) -> None:
        self.waiting.drop(request)
        self.panel.say(reason)
        self._refresh()
