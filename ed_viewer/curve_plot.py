"""One scalar over the step: training solid, validation dashed with markers, the cursor."""

from collections.abc import Mapping

import numpy as np
import pyqtgraph
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ed_viewer.theme import Theme
from ed_viewer.widgets.card import Card
from ed_viewer.widgets.plot import make_plot, style_plot
from ed_viewer.widgets.text import muted, number, plain, tip, titled


class CurvePlot(Card):
    """A small plot with its name and the values at the cursor above it.

    Signals:
        scrubbed: the step to which the cursor line was dragged.
    """

    scrubbed = Signal(float)

    def __init__(self, name: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._name = name
        self._columns: Mapping[str, np.ndarray] = {}
        self._log = False
        self._title = plain(QLabel("Total loss" if name == "loss" else titled(name)))
        tip(self._title, name)
        self._value = muted(plain(QLabel()))
        self._value.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._view = make_plot()
        self._item = self._view.getPlotItem()
        self._item.setContentsMargins(0, 8, 0, 0)  # half a line: the topmost tick's number
        self._item.setMouseEnabled(False, False)
        self._item.setDownsampling(auto=True, mode="peak")
        self._item.setClipToView(True)
        self._train = self._item.plot()
        self._validation = self._item.plot(symbol="o", symbolSize=5)
        self._line = pyqtgraph.InfiniteLine(angle=90, movable=True)
        self._line.sigDragged.connect(self._dragged)
        self._item.addItem(self._line)
        head = QHBoxLayout()
        head.addWidget(self._title)
        head.addWidget(self._value, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 6, 10, 4)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(self._view, 1)
        self.setAccessibleName(name)
        self.restyle()

    def show_columns(self, columns: Mapping[str, np.ndarray]) -> None:
        """Draw the scalar out of the table (rows,) by name."""
        self._columns = columns
        ranges = []
        for name, curve in ((self._name, self._train), (f"val_{self._name}", self._validation)):
            steps, values = self._series(name)
            curve.setData(steps, values)
            if len(values):
                ranges.append((steps[0], steps[-1], values.min(), values.max()))
        if not ranges:
            return
        left, right, low, high = np.array(ranges).T
        margin = max(0.1 * (high.max() - low.min()), 1e-9)
        self._item.setXRange(left.min(), max(right.max(), left.min() + 1), padding=0.02)
        self._item.setYRange(low.min() - margin, high.max() + margin, padding=0)

    def set_log(self, on: bool) -> None:
        """Draw the logarithm of the values, or the values."""
        self._log = on
        self._item.getAxis("left").setLogMode(on)
        self.show_columns(self._columns)

    def set_step(self, step: float) -> None:
        """Put the cursor on a step."""
        self._line.setValue(step)
        said = [self._at(self._name, step), self._at(f"val_{self._name}", step)]
        text = number(said[0])
        if np.isfinite(said[1]):
            text += f"  ({number(said[1])})"
        weight = self._at(f"{self._name.removesuffix('_loss')}_weight", step)
        if self._name.endswith("_loss") and np.isfinite(weight):
            text += f"  λ {number(weight)}"
        self._value.setText(text)
        self._value.setToolTip("at the cursor: training, (validation), weight λ")

    def restyle(self) -> None:
        """Take colours and type from the theme."""
        theme = self._theme
        self._title.setFont(theme.font(bold=True))
        style_plot(self._view, theme)
        self._train.setPen(pyqtgraph.mkPen(theme.palette.classes[0], width=1))
        other = theme.palette.classes[1]
        self._validation.setPen(pyqtgraph.mkPen(other, width=1, style=Qt.PenStyle.DashLine))
        self._validation.setSymbolBrush(pyqtgraph.mkBrush(other))
        self._validation.setSymbolPen(None)
        self._line.setPen(pyqtgraph.mkPen(theme.palette.muted, width=1))
        self._line.setHoverPen(pyqtgraph.mkPen(theme.palette.accent, width=3))

    def _series(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return steps and values, (rows,) each, without what cannot be drawn."""
        values = self._columns.get(name)
        if values is None:
            return np.empty(0), np.empty(0)
        keep = np.isfinite(values) & (values > 0 if self._log else True)
        shown = values[keep]
        return self._columns["step"][keep], np.log10(shown) if self._log else shown

    def _at(self, name: str, step: float) -> float:
        """Return the last value that was known at a step."""
        values = self._columns.get(name)
        if values is None:
            return float("nan")
        known = np.flatnonzero(np.isfinite(values) & (self._columns["step"] <= step))
        return float(values[known[-1]]) if len(known) else float("nan")

    def _dragged(self) -> None:
        self.scrubbed.emit(float(self._line.value()))
