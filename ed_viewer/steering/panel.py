"""Steering panel: the trainer's state, three buttons, a field a number."""

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ed_core.recording.control import Request
from ed_viewer.steering.numbers import Numbers
from ed_viewer.steering.trainer_state import TrainerState, Waiting
from ed_viewer.style.icons import icon
from ed_viewer.style.text import plain
from ed_viewer.style.theme import Theme
from ed_viewer.window.status_bar import Dot


class SteerPanel(QScrollArea):
    """Panel of requests to the trainer and of its actual state.

    Signals:
        asked: a Request.
        shown: whether it has come into view or gone.
    """

    asked = Signal(object)
    shown = Signal(bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._trainer = TrainerState()
        self._going_on = self._pausing = True
        self._dot = Dot(theme)
        self._state = plain(QLabel())
        self._state.setWordWrap(True)
        self._state.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.pause = QPushButton()
        self.pause.setIconSize(QSize(18, 18))
        self.stop = QPushButton()
        self.save = QPushButton()
        self.numbers = Numbers(theme)
        self._problem = plain(QLabel())
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Steer")
        self._arrange()
        self.pause.clicked.connect(self.ask_pause)
        self.stop.clicked.connect(self.ask_stop)
        self.save.clicked.connect(self.ask_save)
        self.numbers.asked.connect(self.asked)
        self.numbers.refused.connect(self.say)
        theme.changed.connect(self._restyle)
        self.show_trainer(self._trainer, Waiting())

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """As wide as what stands in it: nothing is cut at its right (called by Qt)."""
        inner = self.widget()
        wide = inner.minimumSizeHint().width() if inner is not None else 0
        bar = self.verticalScrollBar().sizeHint().width()
        return QSize(wide + bar, super().minimumSizeHint().height())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Ask for more room where larger type or other heads need it (called by Qt)."""
        if watched is self.widget() and event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)

    def show_trainer(self, trainer: TrainerState, waiting: Waiting) -> None:
        """Show how the training stands, and what was asked and not done yet."""
        self._trainer = trainer
        usable = not trainer.reason
        state = "Paused" if trainer.paused else "Training"
        self._state.setText(trainer.reason or state)
        self._dot.setVisible(usable)
        self._dot.set_colour("accent" if trainer.paused else "live")
        asked = waiting.get("pause")
        self._going_on = asked.kind == "resume" if asked else not trainer.paused
        doing = "Resuming …" if self._going_on else "Pausing …"
        self.pause.setText(doing if asked else "Pause" if self._going_on else "Resume")
        self._pausing = self._going_on != bool(asked)
        stop = "Stops after this epoch" if trainer.stopping else "Stop after this epoch"
        self.stop.setText("Stopping …" if waiting.get("stop") else stop)
        self.save.setText("Saving …" if waiting.get("save") else "Save a checkpoint now")
        self.pause.setEnabled(usable)
        self.stop.setEnabled(usable and not trainer.stopping and not waiting.get("stop"))
        self.save.setEnabled(usable and not waiting.get("save"))
        self.numbers.show_trainer(trainer, waiting)
        self._restyle()

    def say(self, problem: str) -> None:
        """Say why a request could not be made, or nothing."""
        self._problem.setText(problem)
        self._problem.setVisible(bool(problem))

    def ask_pause(self) -> None:
        """Ask for a pause, or for its end."""
        self._ask("pause" if self._going_on else "resume", self.pause)

    def ask_stop(self) -> None:
        """Ask to stop after the epoch."""
        self._ask("stop", self.stop)

    def ask_save(self) -> None:
        """Ask for a checkpoint."""
        self._ask("save", self.save)

    def _ask(self, kind: str, button: QPushButton) -> None:
        if button.isEnabled():
            self.asked.emit(Request(kind))

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._dot)
        head.addWidget(self._state, 1)
        inner = QWidget()
        layout = QVBoxLayout(inner)
        layout.setContentsMargins(12, 6, 12, 12)
        layout.setSpacing(8)
        layout.addLayout(head)
        for button, words in _BUTTONS.items():
            widget: QPushButton = getattr(self, button)
            widget.setToolTip(words)
            widget.setAutoDefault(True)  # Enter presses it: Space belongs to the player
            widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            layout.addWidget(widget)
        layout.addSpacing(8)
        layout.addWidget(self.numbers)
        self._problem.setWordWrap(True)
        layout.addWidget(self._problem)
        layout.addStretch(1)
        self.setWidget(inner)
        self.viewport().setAutoFillBackground(False)
        inner.setAutoFillBackground(False)
        self._problem.hide()

    def _restyle(self) -> None:
        colours = self._theme.colour("text"), self._theme.colour("done")
        self.pause.setIcon(icon("pause" if self._pausing else "play", *colours))
        self._state.setFont(self._theme.font(bold=not self._trainer.reason))

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802, D102
        super().showEvent(event)
        self.shown.emit(True)

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802, D102
        super().hideEvent(event)
        self.shown.emit(False)


_BUTTONS: Mapping[str, str] = {
    "pause": "Pause or resume the training",
    "stop": "Stop after this epoch; the run can be resumed",
    "save": "Save a checkpoint now",
}
