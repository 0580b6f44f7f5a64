"""Signals: one small plot a sample, the input quiet, the output in colour, the difference below."""

from math import ceil

import numpy as np
import pyqtgraph
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ed_viewer.imaging import finite_range
from ed_viewer.palette import class_colour
from ed_viewer.theme import Theme
from ed_viewer.widgets.plot import style_axes

_SAMPLES, _ROWS = 6, 3
_CHANNELS = 10  # that are drawn, at most
_AXIS = 46  # pixels of the numbers at the left, so that all plots are equally wide
_THIRD = (3, 1)  # heights of signal and difference

Range = tuple[float, float]


class Wave:
    """One sample: a plot of the signals and one of their difference.

    Args:
        signals: the plot of input and output.
        difference: the plot below it.
    """

    def __init__(self, signals: pyqtgraph.PlotItem, difference: pyqtgraph.PlotItem) -> None:
        self.signals, self.difference = signals, difference
        self.name = pyqtgraph.TextItem(anchor=(0, 0))
        signals.addItem(self.name, ignoreBounds=True)
        for plot in (signals, difference):
            plot.disableAutoRange()
            plot.hideButtons()
            plot.setMenuEnabled(False)
            plot.getAxis("left").setWidth(_AXIS)
        signals.getAxis("bottom").setStyle(showValues=False)
        self.before: list[pyqtgraph.PlotDataItem] = []
        self.after: list[pyqtgraph.PlotDataItem] = []
        self.change: list[pyqtgraph.PlotDataItem] = []

    def show(self, before: np.ndarray | None, after: np.ndarray, reach: Range, name: str) -> None:
        """Draw (time,) or (time, channels) of each, with `reach` the range of the signals."""
        low, high = reach
        half = (high - low) / 2 or 1.0
        output = _columns(after)
        self._curves(self.signals, self.after, output)
        self.difference.setVisible(before is not None)
        if before is not None:
            self._curves(self.signals, self.before, _columns(before))
            self._curves(self.difference, self.change, output - _columns(before))
        last = max(len(after) - 1, 1)
        self.signals.setRange(xRange=(0, last), yRange=reach, padding=0.02)
        self.difference.setRange(xRange=(0, last), yRange=(-half, half), padding=0.02)
        self.name.setText(name)
        self.name.setPos(0, high)

    def restyle(self, theme: Theme) -> None:
        """Take colours and type from the theme."""
        palette = theme.palette
        self.name.setColor(palette.muted)
        self.name.setFont(theme.font(0.9))
        for plot in (self.signals, self.difference):
            style_axes(plot, theme)
        for index, curve in enumerate(self.before):
            curve.setPen(pyqtgraph.mkPen(palette.done, width=2))
            curve.setZValue(-1 - index)
        for group in (self.after, self.change):
            for index, curve in enumerate(group):
                curve.setPen(pyqtgraph.mkPen(class_colour(palette, index), width=1))

    def _curves(
        self, plot: pyqtgraph.PlotItem, known: list[pyqtgraph.PlotDataItem], columns: np.ndarray
    ) -> None:
        while len(known) < len(columns):
            known.append(plot.plot())
        for curve, values in zip(known, columns, strict=True):
            curve.setData(values)


class Waves(QWidget):
    """Draws the first samples of (samples, time, channels), all on one scale."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._view = pyqtgraph.GraphicsLayoutWidget()
        self._view.ci.layout.setSpacing(0)
        self.waves: list[Wave] = []
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._view)

    def show_signals(
        self, inputs: np.ndarray | None, output: np.ndarray, names: tuple[str, ...] = ()
    ) -> None:
        """Draw curves; arrays are (samples, time) or (samples, time, channels)."""
        reach = finite_range(output if inputs is None else inputs)
        count = min(len(output), _SAMPLES)
        if len(self.waves) < count:
            self._fill(count)
        for sample, wave in enumerate(self.waves[:count]):
            name = names[sample] if sample < len(names) else ""
            wave.show(None if inputs is None else inputs[sample], output[sample], reach, name)
        if any(not wave.signals.property("styled") for wave in self.waves):
            self.restyle()

    def restyle(self) -> None:
        """Take colours and type from the theme."""
        self._view.setBackground(self._theme.palette.card)
        for wave in self.waves:
            wave.restyle(self._theme)
            wave.signals.setProperty("styled", True)

    def _fill(self, count: int) -> None:
        deep = min(count, _ROWS)
        wide = ceil(count / deep)
        for number in range(len(self.waves), count):
            row, column = divmod(number, wide)
            plots = [self._view.addPlot(2 * row + part, column) for part in range(2)]
            for part, stretch in enumerate(_THIRD):
                self._view.ci.layout.setRowStretchFactor(2 * row + part, stretch)
            self.waves.append(Wave(*plots))


def _columns(signal: np.ndarray) -> np.ndarray:
    """Return the first channels (channels, time) of a signal."""
    values = np.nan_to_num(np.asarray(signal, np.float32))
    return values.reshape(len(values), -1).T[:_CHANNELS]
