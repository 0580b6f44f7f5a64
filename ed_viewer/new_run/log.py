"""Log of a training: its follower thread, its view and its dock."""

import re
import threading
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QThread, Signal
from PySide6.QtGui import QFontDatabase, QHideEvent, QShowEvent
from PySide6.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from ed_core.recording import RunFolder
from ed_viewer.style.theme import Theme
from ed_viewer.widgets.cards import Card
from ed_viewer.widgets.controls import push_button
from ed_viewer.window.feature import Feature
from ed_viewer.window.workbench import Workbench

_POLL = 0.25  # seconds
_LIMIT = 256 * 1024  # bytes that are read at once; of a longer log, the end
_LONGEST = 1000  # letters of a line
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[^\n]*\r(?!\n)|[\x00-\x08\x0b-\x1f]")
_LINES = 5000  # that are kept
_NONE = "No run is open"
_WIDTH = 440  # pixels
_NO_LOG = (
    "No log in the folder of this run. What its training says stands where it was started: in a "
    "terminal, a notebook, or the file that its output goes to."
)


class LogTail(QThread):
    """Thread that follows one file, which may be missing, truncated or replaced.

    Signals:
        began: what was read before is of another file (the path, None for none).
        said: more text.
    """

    began = Signal(object)
    said = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bell = threading.Event()
        self._stopping = False
        self._path: Path | None = None

    def follow(self, path: Path | None) -> None:
        """Read another file, from its end."""
        if not self.isRunning():
            self.start()
        self._path = path
        self._bell.set()

    def stop(self) -> bool:
        """End the thread; returns whether it ended within two seconds."""
        self._stopping = True
        self._bell.set()
        return self.wait(2000)

    def run(self) -> None:
        """Read until stopped (called by Qt, in the thread)."""
        path: Path | None = None
        at = 0
        while not self._stopping:
            self._bell.clear()
            if path != self._path or at < 0:
                path, at = self._path, 0
                self.began.emit(path)
            try:
                at = self._read(path, at) if path else 0
            except OSError:  # it is not there yet, or not any more
                at = 0
            self._bell.wait(_POLL if path else None)

    def _read(self, path: Path, at: int) -> int:
        """Emit the text after `at`; return where it ends, or -1 if the file has shrunk."""
        if not path.is_file():
            return 0  # opening a pipe could last for ever
        with open(path, "rb") as file:
            size = file.seek(0, 2)
            if size < at:
                return -1
            start = max(at, size - _LIMIT)
            file.seek(start)
            data = file.read(_LIMIT)
        whole = data[: data.rfind(b"\n") + 1]  # a line, or a letter, may be half written
        if whole:
            self.said.emit(cleaned(whole.decode(errors="replace")))
        return start + len(whole)


def cleaned(text: str) -> str:
    """Return text without what moves a terminal's cursor, or was overwritten; lines are cut."""
    lines = _CONTROL.sub("", text.replace("\r\n", "\n")).split("\n")
    return "\n".join(line[:_LONGEST] for line in lines)


class LogView(QWidget):
    """View of the end of a log, which is read only while this is visible.

    Attributes:
        view: its lines.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._path: Path | None = None
        self._tail = LogTail(self)
        self.view = QPlainTextEdit()
        self.view.setReadOnly(True)
        self.view.setUndoRedoEnabled(False)
        self.view.setMaximumBlockCount(_LINES)
        self.view.setPlaceholderText(_NONE)
        self.view.setAccessibleName("Log")
        self.view.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self.view.viewport().setAutoFillBackground(False)  # the card is behind it
        card = Card(theme)
        inside = QVBoxLayout(card)
        inside.setContentsMargins(8, 6, 2, 2)
        inside.addWidget(self.view)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 0, 8, 0)
        layout.addWidget(card)
        self._tail.began.connect(self._begin)
        self._tail.said.connect(self._add)
        theme.changed.connect(self._restyle)
        self._restyle()

    @property
    def text(self) -> str:
        """What it shows."""
        return self.view.toPlainText()

    def follow(self, path: Path | None, otherwise: str = "") -> None:
        """Show another log, or none; and say something as long as there is nothing in it."""
        self._path = path
        self.view.setPlaceholderText(otherwise or _NONE)
        self.view.viewport().update()  # Qt goes on showing the words of before
        if self.isVisible():
            self._tail.follow(path)

    def stop(self) -> None:
        """End the thread that reads."""
        self._tail.stop()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802, D102
        super().showEvent(event)
        self._tail.follow(self._path)

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802, D102
        super().hideEvent(event)
        if self._tail.isRunning():
            self._tail.follow(None)

    def _begin(self, path: Path | None) -> None:
        self.view.clear()

    def _add(self, text: str) -> None:
        self.view.appendPlainText(text.removesuffix("\n"))  # stays at the end if it is there

    def _restyle(self) -> None:
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        fixed.setPointSizeF(self._theme.points)
        self.view.setFont(fixed)


class TrainingLog(Feature):
    """Dock with the log of the open run, or of one that is about to open."""

    name = "log"
    title = "Training log"
    area = Qt.DockWidgetArea.BottomDockWidgetArea

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self.dock = self.log = LogView(bench.theme)
        about = "What the training of this run says"
        self.runs_tool = push_button("Log", about, bench.theme)
        self.runs_tool.clicked.connect(self.toggle)
        self._sized = False
        bench.session.opened.connect(self._on_opened)
        self.command(
            "log",
            "Training log: show or hide",
            "Ctrl+L",
            self.toggle,
            menu="Training",
            buttons=[self.runs_tool],
        )

    def toggle(self) -> None:
        """Show the log of the open run, or hide it."""
        dock = self.bench.docks[self.name]
        dock.setVisible(dock.isHidden())
        if not self._sized:  # a dock that is hidden has no size yet
            self.bench.resizeDocks([dock], [_WIDTH], Qt.Orientation.Horizontal)
        self._sized = True

    def end(self) -> None:
        """End the thread that reads."""
        self.log.stop()

    def _on_opened(self, path: Path) -> None:
        self.log.follow(RunFolder(path).log, f"{_NO_LOG}\n\n{path}")
