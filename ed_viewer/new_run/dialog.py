"""Dialog of a new run: it waits for the catalogue, then shows the form."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ed_viewer.new_run.catalogue import Catalogue
from ed_viewer.new_run.command import as_typed
from ed_viewer.new_run.form import Form
from ed_viewer.reading.messages import RunEntry
from ed_viewer.stage.central_area import Banner
from ed_viewer.style.text import muted, plain, tip
from ed_viewer.style.theme import Theme
from ed_viewer.widgets.cards import Card
from ed_viewer.widgets.controls import ProgressLine

_LOADING = "Finding models and data sets (takes a few seconds) …"
_STARTING = "Starting: loading backend and data (takes a few seconds) …"
_SIZE = QSize(1120, 660)  # pixels; fits a projector


class Foot(QWidget):
    """The command as it is started, a line on how it goes, and Defaults, Close and Start."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._command = plain(QLabel())
        self._command.setWordWrap(True)
        self._command.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._command.setAccessibleName("Command")
        self._problem = Banner(theme)
        self._words = muted(plain(QLabel()))
        self._words.setWordWrap(True)
        self.copy = button("Copy", self._copy)
        self.defaults = button("Defaults")
        self.close_button = button("Close")
        self.start = button("Start")
        self.start.setToolTip("Start this training (Ctrl+Return)")
        self.start.setShortcut("Ctrl+Return")
        self._lay_out()
        theme.changed.connect(self._restyle)
        self._restyle()

    @property
    def command(self) -> str:
        """The command that is shown."""
        return self._command.text()

    @property
    def problem(self) -> str:
        """What it says is wrong, or ""."""
        return self._problem.text

    @property
    def words(self) -> str:
        """What it says on how it goes, or ""."""
        return self._words.text()

    def show_command(self, command: str) -> None:
        """Show another command."""
        self._command.setText(command)

    def say(self, words: str) -> None:
        """Say how it goes."""
        self._problem.say("")
        self._words.setText(words)
        tip(self._words, words)
        self._words.show()

    def say_problem(self, problem: str) -> None:
        """Say why it was not started."""
        self._words.hide()
        self._problem.say(problem)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.command)
        self.say("Command copied.")

    def _lay_out(self) -> None:
        card = Card(self._theme)
        inside = QHBoxLayout(card)
        inside.setContentsMargins(12, 6, 6, 6)
        inside.addWidget(self._command, 1)
        inside.addWidget(self.copy, 0, Qt.AlignmentFlag.AlignTop)
        status = QWidget()
        status.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        column = QVBoxLayout(status)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._problem)
        column.addWidget(self._words)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.defaults)
        row.addWidget(status, 1)
        row.addWidget(self.close_button)
        row.addWidget(self.start)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(card)
        layout.addLayout(row)

    def _restyle(self) -> None:
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        fixed.setPointSizeF(self._theme.points)
        self._command.setFont(fixed)


def button(words: str, pressed: Callable[[], object] | None = None) -> QPushButton:
    """Return a button that Return in a field does not press."""
    push = QPushButton(words)
    push.setAutoDefault(False)
    if pressed is not None:
        push.clicked.connect(pressed)
    return push


class NewRunDialog(QDialog):
    """Stays open beside the window, which goes on showing what it shows.

    Args:
        root: the folder of runs.
        theme: colours and type.
        parent: the window.

    Signals:
        asked: what can be trained is to be asked for again.
        started: train now.
        cancelled: do not train after all.
    """

    asked = Signal()
    started = Signal()
    cancelled = Signal()

    def __init__(self, root: str, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._root = root
        self._theme = theme
        self._starting = False
        self.form: Form | None = None
        self.setWindowTitle("New run")
        self.resize(_SIZE)
        self._stack = QStackedWidget()
        self._waiting = plain(QLabel())
        self._busy = ProgressLine(theme)
        self.retry = button("Try again", self.asked.emit)
        self._stack.addWidget(self._waiting_page())
        self.foot = Foot(theme)
        self.foot.start.clicked.connect(self._start_or_cancel)
        self.foot.close_button.clicked.connect(self.reject)
        self.foot.defaults.clicked.connect(self._reset)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 12, 16, 16)
        layout.setSpacing(12)
        layout.addWidget(self._stack, 1)
        layout.addWidget(self.foot)
        self.wait()

    def wait(self) -> None:
        """Say that the answer takes some seconds."""
        self._waiting.setText(_LOADING)
        self._busy.show()
        self.retry.hide()
        self._enable()

    def fail(self, problem: str) -> None:
        """Say why there is no form."""
        self._waiting.setText(problem)
        self._busy.hide()
        self.retry.show()

    def show_catalogue(self, catalogue: Catalogue, runs: Sequence[RunEntry]) -> None:
        """Show the form."""
        self.form = Form(catalogue, self._root, self._theme)
        self.form.show_runs(runs)
        self.form.changed.connect(self._show_command)
        self._stack.addWidget(self.form)
        self._stack.setCurrentWidget(self.form)
        self._show_command()
        broken = "; ".join(f"{name}: {why}" for name, why in catalogue.broken.items())
        if broken:
            self.foot.say_problem(f"Plugins that could not be imported: {broken}")
        self._enable()
        self.form.models.setFocus()

    def end(self) -> None:
        """Close it for good."""
        self.close()
        if self.form is not None:
            self.form.end()

    def set_starting(self, on: bool) -> None:
        """Show that a training is about to begin, or not any more."""
        self._starting = on
        self.foot.start.setText("Cancel start" if on else "Start")
        self.foot.say(_STARTING if on else "")
        self._enable()

    def _start_or_cancel(self) -> None:
        (self.cancelled if self._starting else self.started).emit()

    def _show_command(self) -> None:
        if self.form is not None:
            self.foot.show_command(as_typed(self.form.arguments()))
            self.foot.say("")

    def _reset(self) -> None:
        if self.form is not None:
            self.form.reset()

    def _enable(self) -> None:
        foot, idle = self.foot, self.form is not None and not self._starting
        foot.start.setEnabled(self.form is not None)
        foot.copy.setEnabled(self.form is not None)
        foot.defaults.setEnabled(idle)
        if self.form is not None:
            self.form.setEnabled(idle)

    def _waiting_page(self) -> QWidget:
        page = QWidget()
        self._waiting.setWordWrap(True)
        self._waiting.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        column = QVBoxLayout(page)
        column.setSpacing(16)
        column.addStretch(2)
        column.addWidget(self._waiting)
        for widget in (self._busy, self.retry):
            widget.setFixedWidth(240)
            column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)
        return page
