"""Plot of one scalar of one run or of two, training and validation, with the cursor."""

from collections.abc import Mapping

import numpy as np
import pyqtgraph
from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QColor, QPen, QWheelEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ed_viewer.curves.data import (
    LINE,
    MARKERS,
    CurveTable,
    at_cursor,
    describe,
    envelope,
    marks_of,
    smoothed,
    title_of,
)
from ed_viewer.session.alignment import Alignment
from ed_viewer.style.palette import Side, run_colour
from ed_viewer.style.theme import Theme
from ed_viewer.widgets.cards import Card, run_pen
from ed_viewer.widgets.labels import TitleRow
from ed_viewer.widgets.plots.plot import PlotHover, make_plot, style_plot

_DOTS = ("mean", "val_")  # a point an epoch
_DOT, _SMALL = 5, 2  # pixels of a point
_FEW = 80  # points side by side that do not hide what is below them
_PALE = 0.3  # of the colour of the smoothed line
_ZOOM, _NOTCH = 1.25, 120  # how much longer or shorter the axis is after a notch of the wheel
_SHARE = (1, 99)  # percent of the steps between which the plot reaches: one alone may be far off


class CurvePlot(Card):
    """A small plot with its name and the values at the cursor above it.

    Alone, a run's training is solid and its validation dashed with markers; of two, A is solid
    and B dashed, and validation has markers and no line. Where every step is known, the training
    is a smoothed line, alone over the steps themselves, pale, and with a dot an epoch, its mean.
    What was changed by hand is a dotted line, the best epoch a dashed one.

    Args:
        name: of the scalar.
        theme: colours and type.

    Signals:
        scrubbed: the place to which the cursor line was dragged.
        zoomed: the part of the axis that the wheel asks for, its ends.
        enlarged: it was clicked twice.

    Attributes:
        how: what the axis is.
        part: the ends of what is shown of the axis, None for all.
        tables: what is drawn, by run; curves: the lines, by run and part.
        head: the row with its name and the values.
    """

    scrubbed = Signal(float)
    zoomed = Signal(float, float)
    enlarged = Signal()

    def __init__(self, name: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._name = name
        self.tables: Mapping[Side, CurveTable] = {}
        self.how = Alignment.STEP
        self._log = False
        self._whole: tuple[float, float] | None = None
        self._drawn: dict[tuple[Side, str], tuple[np.ndarray, np.ndarray]] = {}
        self._compared = False
        self.head = TitleRow(title_of(name), name, theme)
        self.view = make_plot()
        # Its cursor moves with every frame: one piece around where it was and where it is.
        self.view.setViewportUpdateMode(self.view.ViewportUpdateMode.BoundingRectViewportUpdate)
        self.item = self.view.getPlotItem()
        self.item.setContentsMargins(0, 8, 0, 0)  # half a line: the topmost tick's number
        self.item.setMouseEnabled(False, False)
        self._marks = {
            kind: self.item.plot(connect="pairs", ignoreBounds=True) for kind in ("changes", "best")
        }
        self.curves: dict[tuple[Side, str], pyqtgraph.PlotDataItem] = {}
        self._add_curves(Side.A)
        self._line = pyqtgraph.InfiniteLine(angle=90, movable=True)
        self._line.sigDragged.connect(self._dragged)
        self.item.addItem(self._line)
        self.part: tuple[float, float] | None = None
        self.view.viewport().installEventFilter(self)
        hover = PlotHover(self.view)
        hover.watch(self.item, self._describe)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 4)
        layout.setSpacing(0)
        layout.addWidget(self.head)
        layout.addWidget(self.view, 1)
        self.setAccessibleName(name)
        self.restyle()

    @property
    def value(self) -> str:
        """What stands in the title: the values at the cursor."""
        return self.head.value.text

    def show_tables(self, tables: Mapping[Side, CurveTable]) -> None:
        """Draw the scalar out of the tables of run A and, if there is one, of B."""
        self.tables = tables
        places = [np.empty(0), *(table.places for table in tables.values())]
        places += [table.steps.places for table in tables.values() if table.steps is not None]
        along = np.concatenate(places)  # of all rows: the plots beside this one have the same
        self._drawn = {}
        for (side, part), curve in self.curves.items():
            where, values = self._drawn[side, part] = self._series(side, part)
            curve.setData(*envelope(where, values, MARKERS if part in _DOTS else LINE))
            if part == "":  # a single point has no line
                curve.setSymbol("o" if len(values) == 1 else None)
        if any(len(values) for _, values in self._drawn.values()):
            along = along[np.isfinite(along)]
            first, last = along.min(), along.max()
            self._whole = first, last if last > first else first + 1
            self.show_part(self.part)

    def show_part(self, part: tuple[float, float] | None) -> None:
        """Show a part of the axis, or all of it, and of the values what lies there."""
        self.part = part
        if self._whole is None:
            return
        self.item.getAxis("bottom").whole = self.how is Alignment.STEP
        limits = part or self._whole
        self.item.setXRange(*limits, padding=0 if part else 0.02)
        ranges = []
        for (side, kind), (where, values) in self._drawn.items():
            there = values[(where >= limits[0]) & (where <= limits[1])]
            if kind in _DOTS:
                self._size_dots(self.curves[side, kind], len(there))
            if len(there):
                ranges.append(_range(there) if kind == "every" else (there.min(), there.max()))
        if not ranges:
            return
        low, high = np.array(ranges).T
        span = high.max() - low.min()
        # Of one value alone its neighbourhood: ticks in steps of its last digit say nothing.
        margin = 0.1 * (span or abs(high.max()) or 1.0)
        ends = float(low.min() - margin), float(high.max() + margin)
        self.item.setYRange(*ends, padding=0)
        self._show_marks(*ends)

    def _size_dots(self, curve: pyqtgraph.PlotDataItem, count: int) -> None:
        size = _DOT if count <= _FEW else _SMALL
        if curve.opts["symbolSize"] != size:
            curve.setSymbolSize(size)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Zoom with the wheel, enlarge by two clicks (called by Qt)."""
        if isinstance(event, QWheelEvent) and self._whole is not None:
            low, high = self.item.viewRange()[0]
            at = self.item.getViewBox().mapSceneToView(event.position()).x()
            share = _ZOOM ** (-event.angleDelta().y() / _NOTCH)
            ends = at + share * (low - at), at + share * (high - at)
            self.zoomed.emit(max(ends[0], self._whole[0]), min(ends[1], self._whole[1]))
            return True
        if event.type() == QEvent.Type.MouseButtonDblClick:
            self.enlarged.emit()
            return True
        return super().eventFilter(watched, event)

    def set_compared(self, on: bool) -> None:
        """Draw in the manner of two runs, or of one alone."""
        if on == self._compared:
            return
        self._compared = on
        if on:
            self._add_curves(Side.B)
        else:  # what is empty costs as much time to draw as what is not
            for key in [key for key in self.curves if key[0] == Side.B]:
                self.item.removeItem(self.curves.pop(key))
        self.restyle()

    def set_log(self, on: bool) -> None:
        """Draw the logarithm of the values, or the values."""
        self._log = on
        self.item.getAxis("left").setLogMode(on)
        self.show_tables(self.tables)

    def set_place(self, place: float) -> None:
        """Put the cursor on a place of the axis."""
        self._line.setValue(place)
        self.head.say(*at_cursor(self._name, self.tables, place, self._compared))

    def restyle(self) -> None:
        """Take colours and type from the theme."""
        theme = self._theme
        self.head.restyle()
        style_plot(self.view, theme)
        for kind, line in self._marks.items():
            style = Qt.PenStyle.DashLine if kind == "best" else Qt.PenStyle.DotLine
            line.setPen(pyqtgraph.mkPen(theme.palette.muted, width=1, style=style))
        for (side, part), curve in self.curves.items():
            pen, colour = self._pen(side, part)
            curve.setPen(pen)
            hollow = side is Side.B
            curve.setSymbolBrush(None if hollow else pyqtgraph.mkBrush(colour))
            curve.setSymbolPen(pyqtgraph.mkPen(colour) if hollow else None)
        self._line.setPen(pyqtgraph.mkPen(theme.palette.muted, width=1))
        self._line.setHoverPen(pyqtgraph.mkPen(theme.palette.accent, width=3))

    def _add_curves(self, side: Side) -> None:
        """Make the curves of a run: what is beneath comes first."""
        self.curves[side, "every"] = self.item.plot()
        self.curves[side, ""] = self.item.plot(symbolSize=7)
        self.curves[side, "mean"] = self.item.plot(symbol="o", symbolSize=_DOT)
        self.curves[side, "val_"] = self.item.plot(symbol="o", symbolSize=_DOT)

    def _pen(self, side: Side, part: str) -> tuple[QPen | None, QColor]:
        """Return the pen of a curve, None for markers alone, and its colour."""
        if self._compared:
            pen = None if part in _DOTS else run_pen(self._theme, side, 1.0)
            return pen, run_colour(self._theme.palette, side)
        colour = QColor(self._theme.palette.classes[int(part == "val_")])
        if part == "every":
            colour.setAlphaF(_PALE)
        style = Qt.PenStyle.DashLine if part == "val_" else Qt.PenStyle.SolidLine
        pen = pyqtgraph.mkPen(colour, width=1, style=style)
        return None if part == "mean" else pen, colour

    def _series(self, side: Side, part: str) -> tuple[np.ndarray, np.ndarray]:
        """Return places and values, (rows,) each, of what can be drawn."""
        table, name = self.tables.get(side), self._name
        places, values = np.empty(0), np.empty(0)
        if table is None or (part in ("every", "mean") and self._compared):
            return places, values
        if part == "val_":
            places, values = table.known(f"val_{name}")
        elif not table.every(name):
            places, values = table.known(name) if part == "" else (places, values)
        elif part == "mean":
            places, values = table.ends(name)
        else:
            places, values = table.training(name)
            values = smoothed(values) if part == "" else values
        if self._log:
            above = values > 0
            places, values = places[above], np.log10(values[above])
        return places, values

    def _show_marks(self, low: float, high: float) -> None:
        """Draw a line where something was changed by hand, and one at the best epoch."""
        table = None if self._compared else self.tables.get(Side.A)
        places: dict[str, list[float]] = {"changes": [], "best": []}
        if table is not None:
            places["changes"] = [mark.place for mark in marks_of(self._name, table)]
            if np.isfinite(table.best) and len(table.known(f"val_{self._name}")[0]):
                places["best"] = [table.best]
        for kind, line in self._marks.items():
            at = np.repeat(places[kind], 2)
            line.setData(at, np.resize([low, high], len(at)))

    def _describe(self, at: np.ndarray) -> str:
        return describe(self._name, self.tables, self.how, float(at[0]))

    def _dragged(self) -> None:
        self.scrubbed.emit(float(self._line.value()))


def _range(values: np.ndarray) -> tuple[float, float]:
    """Return the least and the largest value, a few that are far off aside."""
    low, high = np.percentile(values, _SHARE)
    return float(low), float(high)
