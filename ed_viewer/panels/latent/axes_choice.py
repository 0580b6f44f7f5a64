"""Choice of the two axes of the latent scatter: units, principal axes or t-SNE."""

import numpy as np
from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QSpinBox, QWidget

from ed_viewer.decoding.client import DecoderAnswer, DecoderClient, DecoderState
from ed_viewer.panels.latent.projection import Axes, project, units

_PRINCIPAL, _UNITS, _TSNE = "Principal axes", "Code units", "t-SNE"
_TOPIC = "t-sne"
_LARGEST = 10**6  # the number of a unit, before a code is there
_MOST = 5000  # codes of one t-SNE
_WAITING = "Computing t-SNE …"
_OVER = "t-SNE failed: its process ended"
_TITLES = ("t-SNE 1", "t-SNE 2")


class AxesChoice(QWidget):
    """Combo box of the axes, and the axes of a frame that follow from it.

    t-SNE takes seconds and is done by the decoder's process, on demand: its points stay those of
    the frame that it was asked for, until it is asked again.

    Args:
        decoder: of the run; without one there is no t-SNE, and the choice is not on show: it
            follows that of the run beside it.

    Signals:
        changed: another choice was made, or a t-SNE has come.
    """

    changed = Signal()

    def __init__(self, decoder: DecoderClient | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._decoder = decoder
        self._codes = np.empty((0, 0))
        self._axes: Axes | None = None
        self._points: np.ndarray | None = None
        self._asked = -1
        self.about = ""
        self.kind = QComboBox()
        self.kind.setAccessibleName("Axes")
        self.kind.setToolTip("Axes of the plot")
        self.kind.addItems([_PRINCIPAL, _UNITS, *([_TSNE] if decoder else [])])
        self.kind.currentTextChanged.connect(self._choose)
        self.pair = (QSpinBox(), QSpinBox())
        for unit, (box, words) in enumerate(zip(self.pair, "xy", strict=True), 1):
            box.setAccessibleName(f"Unit of the {words} axis")
            box.setToolTip(f"Code unit on the {words} axis")
            box.setRange(1, _LARGEST)
            box.setValue(unit)
            box.valueChanged.connect(self.changed)
        self.again = QPushButton("Recompute")
        self.again.setToolTip("Recompute t-SNE for this step")
        self.again.clicked.connect(self._embed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for widget in (self.kind, *self.pair, self.again):
            row.addWidget(widget)
        if decoder is not None:
            decoder.answered.connect(self._on_answer)
            decoder.changed.connect(self._give_up)
        self.hide()
        self._show_tools()

    def axes_of(self, codes: np.ndarray) -> Axes:
        """Return the axes of a frame's codes (samples, latent) as they are chosen."""
        if codes.shape != self._codes.shape:
            self._axes, self._points = None, None
            for box in self.pair:
                with QSignalBlocker(box):  # `changed` would have the codes drawn twice
                    box.setMaximum(max(codes.shape[1], 1))
        self._codes = codes
        self.setVisible(codes.shape[1] > 2 and self._decoder is not None)
        chosen = self.kind.currentText() if codes.shape[1] > 2 else _PRINCIPAL
        if chosen == _UNITS:
            first, second = (box.value() - 1 for box in self.pair)
            return units(codes, (first, second))
        if chosen == _TSNE:
            points = np.empty((0, 2)) if self._points is None else self._points
            return Axes(points, _TITLES)
        self._axes = project(codes, self._axes)
        return self._axes

    def _choose(self) -> None:
        self._show_tools()
        if self.kind.currentText() == _TSNE and self._points is None:
            self._embed()
        self.changed.emit()

    def _show_tools(self) -> None:
        chosen = self.kind.currentText()
        for box in self.pair:
            box.setVisible(chosen == _UNITS)
        self.again.setVisible(chosen == _TSNE)
        if chosen != _TSNE:
            self.about = ""

    def _embed(self) -> None:
        if len(self._codes) and self._decoder is not None:
            self._asked = self._decoder.step
            self.about = _WAITING
            self._decoder.embed(_TOPIC, self._codes[:_MOST])
            self._give_up()
            self.changed.emit()

    def _give_up(self) -> None:
        """Wait no longer where the process has ended."""
        assert self._decoder is not None
        over = self._decoder.state in (DecoderState.ENDED, DecoderState.UNABLE)
        if self.about == _WAITING and over and not self._decoder.process.running:
            self.about = _OVER
            self.changed.emit()

    def _on_answer(self, answer: DecoderAnswer) -> None:
        if answer.topic != _TOPIC:
            return
        self.about = answer.why or f"t-SNE of step {self._asked}"
        if not answer.why:
            self._points = answer.arrays["points"].astype(np.float64)
        self.changed.emit()
