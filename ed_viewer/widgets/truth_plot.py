"""Predicted values against the true ones, on the line where both are the same or beside it."""

import numpy as np
import pyqtgraph
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from ed_viewer.imaging import Levels, finite_range
from ed_viewer.palette import NO_CLASS, NO_LABEL, NOT_DRAWN, whole_classes
from ed_viewer.theme import Theme
from ed_viewer.widgets.class_points import ClassPoints
from ed_viewer.widgets.legend import Legend
from ed_viewer.widgets.plot import make_plot, style_plot
from ed_viewer.widgets.plot_hover import PlotHover, nearest
from ed_viewer.widgets.text import measured

_MARGIN = 0.08  # of the range of the true values, around them


class TruthPlot(QWidget):
    """A scatter in the range of the truth, the same in every frame once predictions lie in it.

    Args:
        quantity: what is predicted, for the axes.
        names: of the classes that colour the points, () for none.
        colours: their own colours, where they have any.
        theme: colours and type.
        unit: of the values that the mouse reads out.

    Signals:
        hovered: the sample under the mouse, in words, or "".
    """

    hovered = Signal(str)

    def __init__(
        self,
        quantity: str,
        names: tuple[str, ...],
        colours: tuple[str, ...],
        theme: Theme,
        unit: str = "",
    ) -> None:
        super().__init__()
        self._theme, self._colours = theme, colours
        self._names, self._unit = names, unit
        self.plot = make_plot()
        item = self.plot.getPlotItem()
        item.showGrid(x=True, y=True, alpha=0.15)
        item.setLabel("bottom", f"true {quantity}")
        item.setLabel("left", f"predicted {quantity}")
        self.line = pyqtgraph.PlotDataItem()
        item.addItem(self.line)
        self.points = ClassPoints(item)
        self.legend = Legend(theme)
        self.legend.set_names(names, colours)
        self.legend.toggled.connect(self._redraw)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(12)
        self._row.addWidget(self.plot, 1)
        self._row.addWidget(self.legend)
        self._values, self._labels = np.empty((0, 2)), np.empty(0, np.int64)
        self._drawn = self._labels  # NOT_DRAWN for those that are hidden
        self._known = False  # whether there is a truth
        self._unlabelled = False  # whether a sample that is drawn has no class
        hover = PlotHover(self.plot)
        hover.watch(item, self._describe)
        hover.told.connect(self.hovered)

    def show_values(
        self,
        truth: np.ndarray | None,
        found: np.ndarray,
        labels: np.ndarray,
        levels: Levels | None = None,
    ) -> None:
        """Draw (samples,) of each; what is not finite is left out, what has no class is grey.

        Without any truth, what was found stands over the number of its sample (from 0), and
        there is no line. The axis holds `levels`, by default those of what was found.
        """
        self._known = truth is not None
        across = np.arange(float(len(found))) if truth is None else truth
        self._values = np.stack([across, found], axis=1)
        known = np.isfinite(self._values).all(axis=1)
        self._labels = np.where(known, whole_classes(labels), NOT_DRAWN)
        unlabelled = bool((self._labels == NO_CLASS).any())
        if unlabelled != self._unlabelled:
            self._unlabelled = unlabelled
            self.legend.set_names(self._names, self._colours, unlabelled)
        low, high = finite_range(across)
        reach = (high - low or 1.0) * _MARGIN
        ends = (low - reach, high + reach)
        least, most = levels or finite_range(found)  # at first, far from any truth
        up = (min(ends[0], least - reach), max(ends[1], most + reach))
        if truth is None:
            above = (most - least or 1.0) * _MARGIN
            up = (least - above, most + above)
            self.plot.getPlotItem().setLabel("bottom", "sample (from 0)")
            self.plot.getPlotItem().getAxis("bottom").whole = True
        self.plot.getPlotItem().setRange(xRange=ends, yRange=up, padding=0)
        self.line.setData(*((ends, ends) if self._known else ([], [])))
        self._redraw()

    def resizeEvent(self, event: object) -> None:  # noqa: N802, D102
        self.legend.fit(self.width())
        self._row.activate()  # else the plot is painted in a width that it has not

    def restyle(self) -> None:
        """Take colours and type from the theme."""
        style_plot(self.plot, self._theme)
        self.line.setPen(pyqtgraph.mkPen(self._theme.palette.done, width=1))
        self.legend.updateGeometry()
        self._redraw()

    def _redraw(self) -> None:
        hidden = np.isin(self._labels, list(self.legend.hidden))
        self._drawn = np.where(hidden, NOT_DRAWN, self._labels)
        self.points.show_points(self._values, self._drawn, self._colours, self._theme.palette)

    def _describe(self, at: np.ndarray) -> str:
        sample = nearest(self.plot.getPlotItem(), self._values, self._drawn, at)
        if sample < 0:
            return ""
        said = [f"sample {sample + 1}"]
        if self._names and self._drawn[sample] < len(self._names):
            number = int(self._drawn[sample])
            said.append(self._names[number] if number >= 0 else NO_LABEL)
        true, found = (measured(value, self._unit) for value in self._values[sample])
        said += [f"true {true}"] if self._known else []  # else it is the number of the sample
        return " · ".join([*said, f"predicted {found}"])
