"""Latent interpolation between two samples, as a strip of decoded images."""

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSpinBox, QVBoxLayout, QWidget

from ed_viewer.decoding.client import DecoderAnswer, DecoderClient
from ed_viewer.panels.latent.decoded_view import DecodedView
from ed_viewer.style.text import muted, plain
from ed_viewer.style.theme import Theme
from ed_viewer.widgets.labels import ElidingLabel

STEPS = 8  # both ends included
_ENDS, _ROW = "ends", "between"
_HEIGHT = 64  # pixels of the pictures, at least
_ROOMY = 300  # pixels: a narrower one says less
_LONG, _BRIEF = "Interpolate: sample", "Sample"


class InterpolationStrip(QWidget):
    """Choice of two samples, and decoded images on the line between their codes.

    Args:
        decoder: of the run.
        theme: colours and type.
        names: the class of each sample, () where there are none.
        columns: the names of the columns of the table whose rows are decoded, () for none.

    Signals:
        chosen: the code (latent,) of a picture that was clicked.
    """

    chosen = Signal(object)

    def __init__(
        self,
        decoder: DecoderClient,
        theme: Theme,
        names: tuple[str, ...],
        columns: tuple[str, ...] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._decoder = decoder
        self._names = names
        self._label = 0
        self.codes = np.empty((0, 0))
        self.row = DecodedView(theme, STEPS, columns)
        self.row.setToolTip("Click an image to decode its code")
        self.row.clicked.connect(self._choose)
        self.row.setMinimumHeight(_HEIGHT)
        self.row.setMaximumHeight(2 * _HEIGHT)
        self.ends = (QSpinBox(), QSpinBox())
        self._said = (muted(plain(ElidingLabel())), muted(plain(ElidingLabel())))
        ends = zip(
            (_LONG, "→ sample"),
            ("Click", "Shift+click"),
            self.ends,
            self._said,
            strict=True,
        )
        self._halves = [self._half(*end) for end in ends]
        self._first = self._halves[0].findChildren(ElidingLabel)[0]
        self._head = QGridLayout()
        self._head.setHorizontalSpacing(8)
        self._head.setVerticalSpacing(4)
        self._head.setColumnStretch(2, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(self._head)
        layout.addWidget(self.row, 1)
        decoder.answered.connect(self._on_answer)
        self._fold()

    def resizeEvent(self, event: object) -> None:  # noqa: N802, D102
        self._fold()

    def _fold(self) -> None:
        """Put the two samples on one line, or on two where that has no room."""
        self._first.setText(_LONG if self.width() >= _ROOMY else _BRIEF)
        wide = sum(half.sizeHint().width() for half in self._halves) + 8
        place = (0, 1) if wide <= self.width() else (1, 0)
        for half, at in zip(self._halves, ((0, 0), place), strict=True):
            self._head.addWidget(half, *at)

    def _half(self, words: str, clicked: str, box: QSpinBox, class_label: QLabel) -> QWidget:
        """Return the choice of one sample: a word, its number, its class."""
        label = plain(ElidingLabel(words))
        label.setBuddy(box)
        box.setAccessibleName("First sample" if clicked == "Click" else "Last sample")
        box.setToolTip(f"{clicked} a point of the scatter to choose it")
        box.setMinimum(1)
        box.setKeyboardTracking(False)
        box.valueChanged.connect(self._on_ends)
        half = QWidget()
        row = QHBoxLayout(half)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for widget in (label, box, class_label):
            row.addWidget(widget)
        row.addStretch(1)
        return half

    def set_samples(self, count: int) -> None:
        """Let one choose among the first samples; at first two of different classes."""
        first = self.ends[0].maximum() != count
        for box in self.ends:
            box.blockSignals(True)
            box.setMaximum(max(count, 1))
            box.blockSignals(False)
        if first:
            others = [n for n, name in enumerate(self._names[:count]) if name != self._names[0]]
            self.set_end(1, others[0] if others else min(1, count - 1))

    def set_end(self, end: int, sample: int) -> None:
        """Take another sample as the first (0) or the last (1)."""
        self.ends[end].setValue(sample + 1)

    def set_label(self, label: int) -> None:
        """Tell the decoder another class."""
        self._label = label
        self._ask_for_row()

    def ask(self) -> None:
        """Ask again, with the weights of the step where the cursor is."""
        self._decoder.encode(_ENDS, [box.value() - 1 for box in self.ends])

    def restyle(self) -> None:
        """Take colours and type from the theme."""
        self.row.restyle()

    def _on_ends(self) -> None:
        for box, class_label in zip(self.ends, self._said, strict=True):
            number = box.value() - 1
            name = self._names[number] if number < len(self._names) else ""
            class_label.setText(f"(class {name})")
            class_label.setVisible(bool(name))
        self._fold()  # other names may have no room beside each other
        self.ask()

    def _ask_for_row(self) -> None:
        if len(self.codes):
            self._decoder.decode(_ROW, self.codes, self._label)

    def _choose(self, number: int) -> None:
        if number < len(self.codes):
            self.chosen.emit(self.codes[number])

    def _on_answer(self, answer: DecoderAnswer) -> None:
        if answer.topic in (_ENDS, _ROW) and answer.why:
            self.row.say(answer.why)
        elif answer.topic == _ENDS:
            first, last = answer.arrays["codes"]
            share = np.linspace(0, 1, STEPS)[:, None]
            self.codes = (1 - share) * first + share * last
            self._ask_for_row()
        elif answer.topic == _ROW:
            self.row.show_outputs(answer.arrays["outputs"])
