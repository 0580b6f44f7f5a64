"""Scatter plots: points in the colours of their classes, and predicted against true values."""

from collections.abc import Callable, Sequence

import numpy as np
import pyqtgraph
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QBrush, QColor
from PySide6.QtWidgets import QHBoxLayout, QWidget

from ed_core.labels import NO_LABEL
from ed_viewer.style.palette import (
    NO_CLASS,
    NOT_DRAWN,
    Palette,
    class_colour,
    class_symbol,
    whole_classes,
)
from ed_viewer.style.pixels import Levels, finite_range
from ed_viewer.style.text import measured, number
from ed_viewer.style.theme import Theme
from ed_viewer.widgets.plots.legend import Legend
from ed_viewer.widgets.plots.plot import PlotHover, make_plot, nearest, style_plot

Limits = tuple[float, float, float, float]
"""Of a plot: left, right, bottom, top."""

_SIZE = 7  # pixels, of a marker
Box = tuple[float, float, float, float]
RASTER_ABOVE = 5000  # points: from here a scatter item takes longer to draw than a frame lasts
_PIXELS = 512  # of each side of the raster
_MARGIN = 0.08  # of the range of the true values, around them


class ClassPoints:
    """Points of a plot: one item for all classes, since each item costs as much as its points.

    Args:
        item: the plot that they are drawn in.

    Attributes:
        points: (n, 2) those that are drawn, class by class.
        labels: (n,) the class of each.
        colours: of the classes that are drawn.
    """

    def __init__(self, item: pyqtgraph.PlotItem) -> None:
        self.markers = pyqtgraph.ScatterPlotItem(pxMode=True, pen=None, size=_SIZE)
        self._brushes: dict[str, QBrush] = {}  # pyqtgraph draws a marker anew for a new brush
        item.addItem(self.markers)
        self.points, self.labels = np.empty((0, 2)), np.empty(0, np.int64)
        self.colours: dict[int, str] = {}

    def show_points(
        self, points: np.ndarray, labels: np.ndarray, colours: tuple[str, ...], palette: Palette
    ) -> None:
        """Draw other points.

        Args:
            points: (samples, 2).
            labels: (samples,) the class of each, `NO_CLASS` for none, which lies below the others;
                what is `NOT_DRAWN` is left out.
            colours: of the classes, where they have own ones.
            palette: of the theme.
        """
        order = np.argsort(labels, kind="stable")
        order = order[labels[order] > NOT_DRAWN]
        self.points, self.labels = points[order], labels[order]
        there = [int(group) for group in np.unique(self.labels)]
        self.colours = {group: class_colour(palette, group, colours) for group in there}
        brushes = {group: self._brush(colour) for group, colour in self.colours.items()}
        each = self.labels.tolist()
        self.markers.setData(
            self.points[:, 0],
            self.points[:, 1],
            brush=[brushes[group] for group in each],
            symbol=[class_symbol(group) for group in each],
        )

    def _brush(self, colour: str) -> QBrush:
        return self._brushes.setdefault(colour, pyqtgraph.mkBrush(colour))


def rasterise(
    points: np.ndarray,
    labels: np.ndarray,
    window: tuple[float, float, float, float],
    palette: Palette,
    size: int,
) -> tuple[np.ndarray, Box]:
    """Return a picture (size, size, 4) uint8 RGBA, row 0 at the bottom, and where it lies.

    Args:
        points: (samples, 2).
        labels: (samples,) the class of each, `NO_CLASS` for none, which lies below the others,
            `NOT_DRAWN` for points that are left out.
        window: left, right, bottom, top of the picture.
        palette: for the colours of the classes.
        size: pixels of each side.
    """
    left, right, down, up = window
    cells = ((points - (left, down)) / (right - left, up - down) * size).astype(np.int64)
    inside = ((cells >= 0) & (cells < size)).all(axis=1) & (labels > NOT_DRAWN)
    of_classes, none = palette.classes, class_colour(palette, NO_CLASS)
    colours = np.array([QColor(c).getRgb() for c in (*of_classes, none)], np.uint8)
    numbers = np.where(labels >= 0, labels % len(of_classes), len(of_classes))
    picture = np.zeros((size, size, 4), np.uint8)
    for some in (inside & (labels < 0), inside & (labels >= 0)):
        column, row = cells[some].T
        picture[row, column] = colours[numbers[some]]
    return picture, (left, down, right - left, up - down)


class Scatter(QWidget):
    """Scatter plot with a legend.

    Args:
        theme: colours and type.
        share: returns the limits to draw in for those that suit the points, such as their union
            with those of another plot.

    Signals:
        clicked: (number of the point, whether Shift was held).

    Attributes:
        positions: (samples, 2) all points, also those that are not drawn.
        points: the points that are drawn one by one; image: those of many.
        titles: of the two axes.
        limits: of the two axes, None before the first frame.
    """

    clicked = Signal(int, bool)
    tells_values = True

    def __init__(
        self,
        theme: Theme,
        share: Callable[[Limits], Limits] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._share = share or (lambda window: window)
        self.plot = make_plot()
        self.item = self.plot.getPlotItem()
        self.item.showGrid(x=True, y=True, alpha=0.15)
        self.image = pyqtgraph.ImageItem()
        self.item.addItem(self.image)
        self.points = ClassPoints(self.item)
        self.legend = Legend(theme)
        self.legend.toggled.connect(self._redraw)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(12)
        self._row.addWidget(self.plot, 1)
        self._row.addWidget(self.legend)
        self._labels: np.ndarray | None = None
        self._names: tuple[str, ...] = ()
        self.titles = ("", "")
        self._own: Limits | None = None
        self.limits: Limits | None = None
        self.positions = np.empty((0, 2))
        self._known = np.empty(0, bool)
        self._drawn = np.empty(0, np.int64)  # the class of each, or NOT_DRAWN
        self.plot.scene().sigMouseClicked.connect(self._on_click)
        hover = PlotHover(self.plot)
        hover.watch(self.item, self.describe)

    def set_classes(self, labels: np.ndarray | None, names: Sequence[str]) -> None:
        """Colour the points by class, (samples,), -1 or NaN for none; None for one colour."""
        self._labels = None
        if labels is not None and labels.ndim == 1:
            self._labels = whole_classes(labels)
        self._names = tuple(names)
        unlabelled = self._labels is not None and bool((self._labels < 0).any())
        self.legend.set_names(names, unlabelled=unlabelled)

    @property
    def drawn(self) -> int:
        """How many points are drawn: known, and of a class that is not hidden."""
        return int((self._drawn != NOT_DRAWN).sum())

    def unlabelled(self, samples: int) -> int:
        """Return how many of the first samples have no class, 0 where nothing has one."""
        if self._labels is None or len(self._labels) < samples:
            return 0
        return int((self._labels[:samples] < 0).sum())

    def show_points(self, points: np.ndarray, titles: tuple[str, str]) -> None:
        """Draw points (samples, 2), without NaN; the limits stay as long as they suit."""
        if titles != self.titles:  # a label costs a new axis
            self.titles, self._own = titles, None
            self.item.setLabel("bottom", titles[0])
            self.item.setLabel("left", titles[1])
        self._known = np.isfinite(points).all(axis=1)
        self.positions = np.nan_to_num(points)
        self._own = limits_around(points[self._known], self._own)
        window = self._share(self._own)
        if window != self.limits:
            self.limits = window
            self.item.setRange(xRange=window[:2], yRange=window[2:], padding=0)
        self._redraw()

    def resizeEvent(self, event: object) -> None:  # noqa: N802, D102
        self.legend.fit(self.width())
        self._row.activate()  # else the plot is painted in a width that it has not

    def restyle(self) -> None:
        """Take colours and type from the theme."""
        style_plot(self.plot, self._theme)
        self.legend.updateGeometry()
        self._redraw()

    def _redraw(self) -> None:
        labels = self._drawn = self._classes()
        many = len(self.positions) > RASTER_ABOVE
        self.image.setVisible(many)
        if many and self.limits is not None:
            palette = self._theme.palette
            picture, box = rasterise(self.positions, labels, self.limits, palette, _PIXELS)
            self.image.setImage(picture, levels=(0, 255))
            self.image.setRect(*box)
        labels_drawn = np.full_like(labels, NOT_DRAWN) if many else labels
        self.points.show_points(self.positions, labels_drawn, (), self._theme.palette)

    def _classes(self) -> np.ndarray:
        """Return (samples,) the class of each point, `NOT_DRAWN` for those that are not drawn."""
        count = len(self.positions)
        labels = np.zeros(count, np.int64)
        if self._labels is not None and len(self._labels) >= count:
            labels = self._labels[:count]
        hidden = np.isin(labels, list(self.legend.hidden)) | ~self._known
        return np.where(hidden, NOT_DRAWN, labels)

    def _on_click(self, event: object) -> None:
        if event.button() is not Qt.MouseButton.LeftButton or not len(self.positions):  # type: ignore[attr-defined]
            return
        at = self.item.getViewBox().mapSceneToView(event.scenePos())  # type: ignore[attr-defined]
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)  # type: ignore[attr-defined]
        sample = nearest(self.item, self.positions, self._drawn, np.array([at.x(), at.y()]))
        if sample >= 0:
            self.clicked.emit(sample, shift)

    def describe(self, at: np.ndarray) -> str:
        """Return the point at a place (2,) of the plot in words, "" for none."""
        sample = nearest(self.item, self.positions, self._drawn, at)
        if sample < 0:
            return ""
        parts = [f"sample {sample + 1}"]
        number_of_class = int(self._drawn[sample])
        if self._names and number_of_class < len(self._names):
            parts.append(self._names[number_of_class] if number_of_class >= 0 else NO_LABEL)
        axes = zip(self.titles, self.positions[sample], strict=True)
        # Of a code of one number the other axis is the sample, which is told.
        parts.append(", ".join(f"{title} = {number(v)}" for title, v in axes if title != "sample"))
        return " · ".join(parts)


class TruthPlot(QWidget):
    """Scatter of predicted against true values, with a range steady between frames.

    Args:
        quantity: what is predicted, for the axes.
        names: of the classes that colour the points, () for none.
        colours: their own colours, where they have any.
        theme: colours and type.
        unit: of the values that the mouse reads out.

    Attributes:
        values: (samples, 2) the true value and the predicted one.
    """

    tells_values = True

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
        self.values, self._labels = np.empty((0, 2)), np.empty(0, np.int64)
        self._drawn = self._labels  # NOT_DRAWN for those that are hidden
        self._known = False  # whether there is a truth
        self._unlabelled = False  # whether a sample that is drawn has no class
        hover = PlotHover(self.plot)
        hover.watch(item, self.describe)

    def show_values(
        self,
        truth: np.ndarray | None,
        predicted: np.ndarray,
        labels: np.ndarray,
        levels: Levels | None = None,
    ) -> None:
        """Draw (samples,) of each; what is not finite is left out, what has no class is grey.

        Without any truth, predictions are drawn over the number of the sample (from 0), without a
        line. The axis spans `levels`, by default those of the predictions.
        """
        self._known = truth is not None
        across = np.arange(float(len(predicted))) if truth is None else truth
        self.values = np.stack([across, predicted], axis=1)
        finite_rows = np.isfinite(self.values).all(axis=1)
        self._labels = np.where(finite_rows, whole_classes(labels), NOT_DRAWN)
        unlabelled = bool((self._labels == NO_CLASS).any())
        if unlabelled != self._unlabelled:
            self._unlabelled = unlabelled
            self.legend.set_names(self._names, self._colours, unlabelled)
        low, high = finite_range(across)
        reach = (high - low or 1.0) * _MARGIN
        ends = (low - reach, high + reach)
        least, most = levels or finite_range(predicted)  # at first, far from any truth
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
        self.points.show_points(self.values, self._drawn, self._colours, self._theme.palette)

    def describe(self, at: np.ndarray) -> str:
        """Return the sample at a place (2,) of the plot in words, "" for none."""
        sample = nearest(self.plot.getPlotItem(), self.values, self._drawn, at)
        if sample < 0:
            return ""
        parts = [f"sample {sample + 1}"]
        if self._names and self._drawn[sample] < len(self._names):
            number = int(self._drawn[sample])
            parts.append(self._names[number] if number >= 0 else NO_LABEL)
        true, predicted = (measured(value, self._unit) for value in self.values[sample])
        parts += [f"true {true}"] if self._known else []  # else it is the number of the sample
        return " · ".join([*parts, f"predicted {predicted}"])


def limits_around(points: np.ndarray, before: Limits | None) -> Limits:
    """Return x and y limits around the points; `before`, as long as it suits them.

    Limits that change with every frame would hide that the points move.
    """
    if not len(points):
        return before or (-1.0, 1.0, -1.0, 1.0)
    low, high = points.min(axis=0), points.max(axis=0)
    if before is not None:
        inner, outer = np.array(before[::2]), np.array(before[1::2])
        inside = (low >= inner).all() and (high <= outer).all()
        if inside and ((high - low) > 0.35 * (outer - inner)).all():
            return before
    margin = np.maximum(0.15 * (high - low), 1e-3)
    left, down = (low - margin).tolist()
    right, up = (high + margin).tolist()
    return left, right, down, up
