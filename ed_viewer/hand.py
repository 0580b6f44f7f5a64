"""The code in the hand: its decoded picture, its class, its units."""

import numpy as np
from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ed_viewer.decoder import Answer, Decoder, State
from ed_viewer.theme import Theme
from ed_viewer.widgets.outputs import Outputs
from ed_viewer.widgets.text import grouped, muted, plain
from ed_viewer.widgets.units import Units

_TOPIC = "hand"
_WIDTH = 216  # pixels, at least


class Hand(QWidget):
    """Shows what the decoder makes of one code, and lets its numbers be set.

    Signals:
        edited: the code (latent,) that the user has set by its numbers.
        relabelled: another class was chosen; `label` says which.
        hovered: the value under the mouse, in words.
    """

    edited = Signal(object)
    relabelled = Signal()
    hovered = Signal(str)

    def __init__(self, decoder: Decoder, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._decoder = decoder
        self.code = np.empty(0)
        self.picture = Outputs(theme)
        self.picture.setMinimumSize(64, 64)
        self.picture.hovered.connect(self.hovered)
        self._weights = muted(plain(QLabel()))
        self._weights.setWordWrap(True)
        self._classes = QComboBox()
        self._classes.setAccessibleName("Class given to the decoder")
        self._classes.setToolTip("Class given to the decoder")
        self._classes.currentIndexChanged.connect(self._relabel)
        self._told = QWidget()
        told = QHBoxLayout(self._told)
        told.setContentsMargins(0, 0, 0, 0)
        told.addWidget(muted(plain(QLabel("class"))))
        told.addWidget(self._classes, 1)
        self._told.hide()
        self.units = Units(theme)
        self.units.edited.connect(self._edit)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.picture, 3)
        layout.addWidget(self._weights)
        layout.addWidget(self._told)
        layout.addWidget(self.units, 2)
        layout.addStretch()
        decoder.changed.connect(self._on_change)
        decoder.answered.connect(self._on_answer)
        self._on_change()

    def resizeEvent(self, event: object) -> None:  # noqa: N802, D102
        # A picture seldom is higher than wide; what stands below it stays close to it.
        self.picture.setMaximumHeight(max(self.width(), _WIDTH))

    def minimumSizeHint(self) -> QSize:  # noqa: N802, D102
        least = super().minimumSizeHint()
        return least.expandedTo(QSize(_WIDTH, 0))

    @property
    def label(self) -> int:
        """The number of the class that the decoder is told."""
        return max(self._classes.currentIndex(), 0)

    def show_code(self, code: np.ndarray) -> None:
        """Take a code (latent,) and ask for its picture."""
        self.code = code
        self.units.show_code(code)
        self.ask()

    def ask(self) -> None:
        """Ask for the picture of the code, with the weights of the step where the cursor is."""
        if len(self.code):
            self._decoder.decode(_TOPIC, self.code[None], self.label)

    def restyle(self) -> None:
        """Take colours and type from the theme."""
        self.picture.restyle()

    def _edit(self, unit: int, value: float) -> None:
        self.code = np.array(self.code)
        self.code[unit] = value
        self.edited.emit(self.code)

    def _relabel(self) -> None:
        self.ask()
        self.relabelled.emit()

    def _on_change(self) -> None:
        decoder = self._decoder
        if decoder.state is State.READY and self._classes.count() != len(decoder.classes):
            self._classes.blockSignals(True)
            self._classes.clear()
            self._classes.addItems(decoder.classes)
            self._classes.blockSignals(False)
            self._told.setVisible(len(decoder.classes) > 0)
        self.picture.say(decoder.words)
        if decoder.words and len(self.picture.outputs):
            self._weights.setText(decoder.words)

    def _on_answer(self, answer: Answer) -> None:
        if answer.topic != _TOPIC:
            return
        if answer.why:
            self.picture.say(answer.why)
            self._weights.setText(answer.why if len(self.picture.outputs) else "")
            return
        self.picture.show_outputs(answer.arrays["outputs"])
        self._weights.setText(said_of(answer.step, self._decoder.step))


def said_of(step: int | None, wanted: int) -> str:
    """Return which weights were used, in words."""
    if step is None:
        return "decoded with the final weights"
    said = f"decoded with checkpoint {grouped(step)}"
    return said if step == wanted else f"{said} (step {grouped(wanted)} not kept)"
