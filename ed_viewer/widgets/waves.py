"""Signals: one small plot a sample, the input quiet and the output in colour."""

from math import ceil

import numpy as np
import pyqtgraph
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ed_viewer.imaging import finite_range
from ed_viewer.palette import class_colour
from ed_viewer.theme import Theme
from ed_viewer.widgets.plot import style_axes

_SAMPLES = 6


class Waves(QWidget):
    """Draws the first samples of (samples, time, channels), all on one scale.

    Args:
        theme: colours and type.
        most: samples that are drawn.
        plain: draw them in one row, without axes.
    """

    def __init__(
        self,
        theme: Theme,
        most: int = _SAMPLES,
        plain: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._most = most
        self._plain = plain
        self._view = pyqtgraph.GraphicsLayoutWidget()
        self._plots: list[pyqtgraph.PlotItem] = []
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._view)
        self._last: tuple[np.ndarray | None, np.ndarray] | None = None

    def show_signals(self, inputs: np.ndarray | None, output: np.ndarray) -> None:
        """Draw curves; arrays are (samples, time) or (samples, time, channels)."""
        self._last = (inputs, output)
        low, high = finite_range(output if inputs is None else inputs)
        for sample, plot in enumerate(self._fill(min(len(output), self._most))):
            plot.clear()
            if inputs is not None:
                self._curves(plot, inputs[sample], quiet=True)
            self._curves(plot, output[sample], quiet=False)
            plot.setYRange(low, high)
            plot.setXRange(0, len(output[sample]) - 1, padding=0)

    def restyle(self) -> None:
        """Take colours and type from the theme."""
        self._view.setBackground(self._theme.palette.card)
        for plot in self._plots:
            style_axes(plot, self._theme)
        if self._last is not None:
            self.show_signals(*self._last)

    def _fill(self, count: int) -> list[pyqtgraph.PlotItem]:
        across = count if self._plain else ceil(count / 3)
        while len(self._plots) < count:
            row, column = divmod(len(self._plots), max(across, 1))
            plot = self._view.addPlot(row, column)
            plot.disableAutoRange()
            plot.hideButtons()
            plot.setMenuEnabled(False)
            style_axes(plot, self._theme)
            for side in ("left", "bottom") if self._plain else ():
                plot.hideAxis(side)
            self._plots.append(plot)
        return self._plots[:count]

    def _curves(self, plot: pyqtgraph.PlotItem, signal: np.ndarray, quiet: bool) -> None:
        columns = np.nan_to_num(np.asarray(signal, np.float32)).reshape(len(signal), -1).T
        for index, values in enumerate(columns[:10]):
            colour = "done" if quiet else ""
            pen = self._theme.palette.done if colour else class_colour(self._theme.palette, index)
            plot.plot(values, pen=pyqtgraph.mkPen(pen, width=1))
