"""Video bar: a slider over the frames of a video, with a play button."""

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from ed_viewer.style.text import muted, plain
from ed_viewer.style.theme import Theme
from ed_viewer.widgets.controls import Slider, Toggle

_INTERVAL = 120  # milliseconds from frame to frame


class VideoBar(QWidget):
    """Slider and play button; it loops while the button is on and it is visible.

    Signals:
        moved: another frame is `frame`.
    """

    moved = Signal()

    def __init__(self, frames: int, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.play = Toggle("play", "accent", theme)
        self.play.setToolTip("Play the video")
        self.play.setAccessibleName("Play the video")
        # Of two bars that follow each other the one that was clicked moves both sliders.
        self.play.clicked.connect(self._run)
        self.play.toggled.connect(self._rest)
        self.slider = Slider(theme)
        self.slider.setAccessibleName("Frame of the video")
        self.slider.setToolTip("Which frame of the video is shown")
        self.slider.setRange(0, max(frames - 1, 0))
        self.slider.setFixedWidth(120)
        self.slider.valueChanged.connect(self._on_moved)
        self._words = muted(plain(QLabel()))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for widget in (self.play, self.slider, self._words):
            row.addWidget(widget)
        self._timer = QTimer(self)
        self._timer.setInterval(_INTERVAL)
        self._timer.timeout.connect(self.advance)
        self._say()

    @property
    def playing(self) -> bool:
        """Whether it is this bar that moves the sliders."""
        return self._timer.isActive()

    @property
    def frame(self) -> int:
        """The frame of the video on show, from 0."""
        return self.slider.value()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802, D102
        self.play.setChecked(False)

    def _run(self, on: bool) -> None:
        if on:
            self._timer.start()

    def _rest(self, on: bool) -> None:
        if not on:
            self._timer.stop()

    def advance(self) -> None:
        """Show the next frame, after the last one the first."""
        self.slider.setValue((self.frame + 1) % (self.slider.maximum() + 1))

    def _on_moved(self) -> None:
        self._say()
        self.moved.emit()

    def _say(self) -> None:
        self._words.setText(f"frame {self.frame + 1} of {self.slider.maximum() + 1}")
