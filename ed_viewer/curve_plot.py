"""One scalar of one run or of two, training and validation, with the cursor."""

from collections.abc import Mapping

import numpy as np
import pyqtgraph
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ed_viewer.alignment import Alignment
from ed_viewer.curve_data import LINE, MARKERS, Table, envelope
from ed_viewer.curve_words import at_cursor, describe, title_of
from ed_viewer.palette import run_colour
from ed_viewer.theme import Theme
from ed_viewer.widgets.badge import run_pen
from ed_viewer.widgets.card import Card
from ed_viewer.widgets.plot import make_plot, style_plot
from ed_viewer.widgets.plot_hover import PlotHover
from ed_viewer.widgets.title_row import TitleRow


class CurvePlot(Card):
    """A small plot with its name and the values at the cursor above it.

    Alone, a run's training is solid and its validation dashed with markers; of two, A is solid
    and B dashed, and validation has markers and no line.

    Args:
        name: of the scalar.
        theme: colours and type.

    Signals:
        scrubbed: the place to which the cursor line was dragged.
        hovered: the values under the mouse, in words, or "".

    Attributes:
        how: what the axis is.
    """

    scrubbed = Signal(float)
    hovered = Signal(str)

    def __init__(self, name: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._name = name
        self._tables: Mapping[str, Table] = {}
        self.how = Alignment.STEP
        self._log = False
        self._compared = False
        self._head = TitleRow(title_of(name), name, theme)
        self._view = make_plot()
        # Its cursor moves with every frame: one piece around where it was and where it is.
        self._view.setViewportUpdateMode(self._view.ViewportUpdateMode.BoundingRectViewportUpdate)
        self._item = self._view.getPlotItem()
        self._item.setContentsMargins(0, 8, 0, 0)  # half a line: the topmost tick's number
        self._item.setMouseEnabled(False, False)
        self._curves: dict[tuple[str, str], pyqtgraph.PlotDataItem] = {}
        self._add_curves("A")
        self._line = pyqtgraph.InfiniteLine(angle=90, movable=True)
        self._line.sigDragged.connect(self._dragged)
        self._item.addItem(self._line)
        hover = PlotHover(self._view)
        hover.watch(self._item, self._describe)
        hover.told.connect(self.hovered)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 4)
        layout.setSpacing(0)
        layout.addWidget(self._head)
        layout.addWidget(self._view, 1)
        self.setAccessibleName(name)
        self.restyle()

    @property
    def value(self) -> str:
        """What stands in the title: the values at the cursor."""
        return self._head.value.text

    def show_tables(self, tables: Mapping[str, Table]) -> None:
        """Draw the scalar out of the tables of run "A" and, if there is one, of "B"."""
        self._tables = tables
        places = [np.empty(0), *(table.places for table in tables.values())]
        along = np.concatenate(places)  # of all rows: the plots beside this one have the same
        ranges = []
        for (side, prefix), curve in self._curves.items():
            where, values = self._series(side, f"{prefix}{self._name}")
            curve.setData(*envelope(where, values, MARKERS if prefix else LINE))
            if not prefix:  # a single point has no line
                curve.setSymbol("o" if len(values) == 1 else None)
            if len(values):
                ranges.append((values.min(), values.max()))
        if not ranges:
            return
        low, high = np.array(ranges).T
        span = high.max() - low.min()
        # Of one value alone its neighbourhood: ticks in steps of its last digit say nothing.
        margin = 0.1 * (span or abs(high.max()) or 1.0)
        along = along[np.isfinite(along)]
        first, last = along.min(), along.max()
        self._item.setXRange(first, last if last > first else first + 1, padding=0.02)
        self._item.setYRange(low.min() - margin, high.max() + margin, padding=0)

    def set_compared(self, on: bool) -> None:
        """Draw in the manner of two runs, or of one alone."""
        if on == self._compared:
            return
        self._compared = on
        if on:
            self._add_curves("B")
        else:  # what is empty costs as much time to draw as what is not
            for key in [key for key in self._curves if key[0] == "B"]:
                self._item.removeItem(self._curves.pop(key))
        self.restyle()

    def set_log(self, on: bool) -> None:
        """Draw the logarithm of the values, or the values."""
        self._log = on
        self._item.getAxis("left").setLogMode(on)
        self.show_tables(self._tables)

    def set_place(self, place: float) -> None:
        """Put the cursor on a place of the axis."""
        self._line.setValue(place)
        self._head.say(*at_cursor(self._name, self._tables, place, self._compared))

    def restyle(self) -> None:
        """Take colours and type from the theme."""
        theme = self._theme
        self._head.restyle()
        style_plot(self._view, theme)
        for (side, prefix), curve in self._curves.items():
            pen, colour = self._pen(side, bool(prefix))
            curve.setPen(pen)
            hollow = side == "B"
            curve.setSymbolBrush(None if hollow else pyqtgraph.mkBrush(colour))
            curve.setSymbolPen(pyqtgraph.mkPen(colour) if hollow else None)
        self._line.setPen(pyqtgraph.mkPen(theme.palette.muted, width=1))
        self._line.setHoverPen(pyqtgraph.mkPen(theme.palette.accent, width=3))

    def _add_curves(self, side: str) -> None:
        """Make the curves of a run, training and validation."""
        self._curves[side, ""] = self._item.plot(symbolSize=7)
        self._curves[side, "val_"] = self._item.plot(symbol="o", symbolSize=5)

    def _pen(self, side: str, validation: bool) -> tuple[QPen | None, QColor]:
        """Return the pen of a curve, None for markers alone, and its colour."""
        if self._compared:
            pen = None if validation else run_pen(self._theme, side, 1.0)
            return pen, run_colour(self._theme.palette, side)
        colour = QColor(self._theme.palette.classes[int(validation)])
        style = Qt.PenStyle.DashLine if validation else Qt.PenStyle.SolidLine
        return pyqtgraph.mkPen(colour, width=1, style=style), colour

    def _series(self, side: str, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return places and values, (rows,) each, of what can be drawn."""
        if side not in self._tables:
            return np.empty(0), np.empty(0)
        places, values = self._tables[side].known(name)
        if self._log:
            above = values > 0
            places, values = places[above], np.log10(values[above])
        return places, values

    def _describe(self, at: np.ndarray) -> str:
        return describe(self._name, self._tables, self.how, float(at[0]))

    def _dragged(self) -> None:
        self.scrubbed.emit(float(self._line.value()))
