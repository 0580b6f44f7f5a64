"""The log of a training that was started from the window: its dock, its button, its key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from ed_viewer.launch.log_view import LogView
from ed_viewer.launch.trainer import LOG
from ed_viewer.part import Part
from ed_viewer.widgets.toggle import push_button

if TYPE_CHECKING:
    from ed_viewer.window import Window

_WIDTH = 440  # pixels


class TrainingLog(Part):
    """Shows the log of the run that is open, or that is about to be."""

    name = "log"
    title = "Training log"
    area = Qt.DockWidgetArea.BottomDockWidgetArea

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self.dock = self.log = LogView(window.theme)
        about = "Log of a run started in this window (Ctrl+L)"
        self.runs_tool = push_button("Log", about, window.theme)
        self.runs_tool.clicked.connect(self.toggle)
        self._sized = False
        window.session.opened.connect(self._on_opened)

    def actions(self) -> Mapping[str, Callable[[int], None]]:
        """Return what Ctrl+L does."""
        return {"log": lambda _: self.toggle()}

    def toggle(self) -> None:
        """Show the log of the open run, or hide it."""
        dock = self.window.docks[self.name]
        dock.setVisible(dock.isHidden())
        if not self._sized:  # a dock that is hidden has no size yet
            self.window.resizeDocks([dock], [_WIDTH], Qt.Orientation.Horizontal)
        self._sized = True

    def end(self) -> None:
        """End the thread that reads."""
        self.log.stop()

    def _on_opened(self, path: Path) -> None:
        self.log.follow(path / LOG)
