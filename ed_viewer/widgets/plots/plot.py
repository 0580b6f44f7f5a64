"""Plots of this window: no menus, no buttons, explicit ranges, the theme's colours.

The only way to pyqtgraph that is not a panel: it takes a third of a second to import, and the
window is painted before that.
"""

import math
from collections.abc import Callable, Sequence
from html import escape

import numpy as np
import pyqtgraph
from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QFontMetricsF, QMouseEvent
from PySide6.QtWidgets import QGraphicsItem

from ed_viewer.style.palette import NOT_DRAWN
from ed_viewer.style.text import signed, tell_value
from ed_viewer.style.theme import Theme

_BETWEEN, _ABOVE = 6, 4  # pixels between two numbers of an axis, at least: beside, above
NEAR = 10  # pixels, from the mouse to the point that it means
Describe = Callable[[np.ndarray], str]
"""Returns what is at a place (2,) of a plot, in its own units; "" for nothing."""


class Axis(pyqtgraph.AxisItem):
    """An axis with true minus signs; a title that is longer than the axis ends in dots."""

    whole = False
    """Whether only whole numbers have a meaning there, as of steps."""

    def tickSpacing(  # noqa: N802
        self,
        low: float,
        high: float,
        size: float,
    ) -> list[tuple[float, float]]:
        """Return distance and offset of the ticks, the widest first (called by pyqtgraph)."""
        spacings = super().tickSpacing(low, high, size)
        if spacings and self.orientation == "left" and not self.logMode and size >= 1:
            metrics = QFontMetricsF(self.style["tickFont"] or self.font())
            digit = metrics.tightBoundingRect("0").height() + _ABOVE
            widest = spacings[0][0]
            every = math.ceil(digit / size * (high - low) / widest)
            spacings = [(every * widest, 0.0), *spacings] if every > 1 else spacings
        if not self.whole:
            return spacings
        return [one for one in spacings if one[0] >= 1] or [(1.0, 0.0)]

    def tickStrings(  # noqa: N802
        self, values: Sequence[float], scale: float, spacing: float
    ) -> list[str]:
        """Return the numbers at the ticks (called by pyqtgraph)."""
        texts = [signed(text) for text in super().tickStrings(values, scale, spacing)]
        if self.orientation == "bottom":
            return self._side_by_side(values, texts, spacing)
        return self._apart(values, texts) if self.logMode else texts

    def _side_by_side(self, values: Sequence[float], texts: list[str], spacing: float) -> list[str]:
        """Return texts that do not touch: all; of the widest steps every second or third; or none.

        Some texts of smaller steps, among those of the widest, would look like uneven steps.
        """
        low, high = self.range
        metrics = QFontMetricsF(self.style["tickFont"] or self.font())
        wide = max((metrics.horizontalAdvance(text) for text in texts), default=0.0) + _BETWEEN
        room = spacing / max(high - low, 1e-300) * self.size().width()
        every = math.ceil(wide / max(room, 1e-9))
        widest = self.tickSpacing(low, high, self.size().width())[0][0]
        if every > 1 and spacing < widest:
            return [""] * len(texts)
        pairs = zip(values, texts, strict=True)
        return [text if round(value / spacing) % every == 0 else "" for value, text in pairs]

    def _apart(self, values: Sequence[float], texts: list[str]) -> list[str]:
        """Return the texts that have room beside those of the powers of ten, "" for others."""
        low, high = self.range
        line = QFontMetricsF(self.style["tickFont"] or self.font()).height()
        least = line * (high - low) / max(self.size().height(), 1.0)
        powers = range(math.ceil(low), math.floor(high) + 1)
        taken: list[float] = [*powers]
        places = []
        for value, text in zip(values, texts, strict=True):
            power = abs(value - round(value)) < 1e-9
            room = power or all(abs(value - other) >= least for other in taken)
            taken += [value] if room else []
            places.append(text if room else "")
        return places

    def labelString(self) -> str:  # noqa: N802
        """Return the title as far as there is room, as HTML (called by pyqtgraph)."""
        if not self.labelText:
            return ""  # also before the axis is whole
        across = self.orientation in ("top", "bottom")
        room = self.size().width() if across else self.size().height()
        metrics = QFontMetricsF(self.label.font())
        title = metrics.elidedText(self.labelText, Qt.TextElideMode.ElideRight, room)
        colour = self.textPen().color().name()
        return f"<span style='color: {colour}'>{escape(title)}</span>"

    def resizeEvent(self, event: object = None) -> None:  # noqa: N802
        """Cut the title to the new length (called by Qt)."""
        if self.label is not None:  # as it is once the plot is closed
            self.label.setHtml(self.labelString())
        super().resizeEvent(event)


def make_axes() -> dict[str, Axis]:
    """Return the axes of a plot, by their side."""
    axes = {side: Axis(side) for side in ("left", "bottom")}
    for axis in axes.values():
        axis.enableAutoSIPrefix(False)  # a factor beside the title is easily overlooked
    return axes


def make_plot() -> pyqtgraph.PlotWidget:
    """Return an empty plot; its owner sets the ranges and calls `style_plot`."""
    pyqtgraph.setConfigOptions(antialias=True, imageAxisOrder="row-major")
    view = pyqtgraph.PlotWidget(axisItems=make_axes())
    view.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # no key does anything in it
    paint_whole(view)
    item = view.getPlotItem()
    item.setMenuEnabled(False)
    item.hideButtons()
    item.disableAutoRange()
    return view


def paint_whole(view: pyqtgraph.GraphicsView) -> None:
    """Have a view painted whole whenever something in it changes, which costs hardly more.

    Of an item that draws beyond what it says it takes, or says so too late, parts would stay; and
    Qt rounds the place of a marker otherwise where it paints several pieces. Nothing may listen to
    the scene's `changed`: Qt forgets then where an item was painted.
    """
    view.setViewportUpdateMode(view.ViewportUpdateMode.FullViewportUpdate)


def style_plot(view: pyqtgraph.PlotWidget, theme: Theme) -> None:
    """Give a plot the theme's colours and type; pyqtgraph does not follow the palette."""
    view.setBackground(theme.palette.card)
    style_axes(view.getPlotItem(), theme)


def style_axes(item: pyqtgraph.PlotItem, theme: Theme) -> None:
    """Give the axes of a plot the theme's colours and type."""
    for side in ("left", "bottom"):
        axis = item.getAxis(side)
        # An axis is mostly text, the dearest thing to paint; it seldom changes.
        axis.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
        axis.setPen(theme.colour("line"))
        axis.setTextPen(theme.colour("muted"))
        axis.setTickFont(theme.font(0.9))
        axis.label.setFont(theme.font(0.95))


class PlotHover(QObject):
    """Follows the mouse over the plots of a view; it does nothing while the mouse rests.

    It takes the movements from the viewport and not from the scene's `sigMouseMoved`, which leaves
    out the last ones of a fast movement.

    Args:
        view: that the plots stand in; it owns this object.
    """

    def __init__(self, view: pyqtgraph.GraphicsView) -> None:
        super().__init__(view)
        self._view = view
        self._plots: list[tuple[pyqtgraph.PlotItem, Describe]] = []
        view.viewport().installEventFilter(self)

    def watch(self, plot: pyqtgraph.PlotItem, describe: Describe) -> None:
        """Tell what `describe` says while the mouse is within the axes of a plot."""
        self._plots.append((plot, describe))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Look at what the mouse does, and leave it to the view (called by Qt)."""
        if event.type() == QEvent.Type.MouseMove and isinstance(event, QMouseEvent):
            tell_value(self._view, self._describe(event.position().toPoint()))
        elif event.type() == QEvent.Type.Leave:
            tell_value(self._view, "")
        return False

    def _describe(self, point: QPoint) -> str:
        place = self._view.mapToScene(point)
        for plot, describe in self._plots:
            box = plot.getViewBox()
            if plot.isVisible() and box.sceneBoundingRect().contains(place):
                at = box.mapSceneToView(place)
                return describe(np.array([at.x(), at.y()]))
        return ""


def nearest(
    plot: pyqtgraph.PlotItem, points: np.ndarray, labels: np.ndarray, at: np.ndarray
) -> int:
    """Return the number of the point nearest to a place, -1 if none is within `NEAR`.

    Args:
        plot: that the points are drawn in.
        points: (samples, 2).
        labels: (samples,); a point that is `NOT_DRAWN` is left out.
        at: (2,) in the units of the plot.
    """
    reach = NEAR * pixel_size(plot)
    close = np.abs(points[:, 0] - at[0]) <= reach[0]
    close &= np.abs(points[:, 1] - at[1]) <= reach[1]
    candidates = np.flatnonzero(close)  # a few of perhaps 70 000
    candidates = candidates[labels[candidates] > NOT_DRAWN]
    apart = np.hypot(*((points[candidates] - at) / reach).T)
    return int(candidates[apart.argmin()]) if apart.min(initial=np.inf) <= 1 else -1


def pixel_size(item: pyqtgraph.PlotItem) -> np.ndarray:
    """Return what a pixel of the plot is, across and upwards."""
    across, up = item.getViewBox().viewPixelSize()
    return np.array([across, up])
