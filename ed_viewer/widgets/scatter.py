"""Points in the colours of their classes, beside a legend; any number of them."""

from collections.abc import Callable, Sequence

import numpy as np
import pyqtgraph
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from ed_viewer.palette import NO_LABEL, NOT_DRAWN, whole_classes
from ed_viewer.projection import Window, window_of
from ed_viewer.theme import Theme
from ed_viewer.widgets.class_points import ClassPoints
from ed_viewer.widgets.legend import Legend
from ed_viewer.widgets.plot import make_plot, style_plot
from ed_viewer.widgets.plot_hover import PlotHover, nearest
from ed_viewer.widgets.raster import rasterise
from ed_viewer.widgets.text import number

RASTER_ABOVE = 5000  # points: from here a scatter item takes longer to draw than a frame lasts
_PIXELS = 512


class Scatter(QWidget):
    """A plot of points.

    Args:
        theme: colours and type.
        share: returns the limits to draw in for those that suit the points, such as their union
            with those of another plot.

    Signals:
        clicked: (number of the point, whether Shift was held).
        hovered: the point under the mouse, in words, or "".
    """

    clicked = Signal(int, bool)
    hovered = Signal(str)

    def __init__(
        self,
        theme: Theme,
        share: Callable[[Window], Window] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._share = share or (lambda window: window)
        self._plot = make_plot()
        self.item = self._plot.getPlotItem()
        self.item.showGrid(x=True, y=True, alpha=0.15)
        self.image = pyqtgraph.ImageItem()
        self.item.addItem(self.image)
        self.points = ClassPoints(self.item)
        self.legend = Legend(theme)
        self.legend.toggled.connect(self._redraw)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(12)
        self._row.addWidget(self._plot, 1)
        self._row.addWidget(self.legend)
        self._labels: np.ndarray | None = None
        self._names: tuple[str, ...] = ()
        self._titles = ("", "")
        self._own: Window | None = None
        self._window: Window | None = None
        self._points = np.empty((0, 2))
        self._known = np.empty(0, bool)
        self._drawn = np.empty(0, np.int64)  # the class of each, or NOT_DRAWN
        self._plot.scene().sigMouseClicked.connect(self._on_click)
        hover = PlotHover(self._plot)
        hover.watch(self.item, self._describe)
        hover.told.connect(self.hovered)

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
        if titles != self._titles:  # a label costs a new axis
            self._titles, self._own = titles, None
            self.item.setLabel("bottom", titles[0])
            self.item.setLabel("left", titles[1])
        self._known = np.isfinite(points).all(axis=1)
        self._points = np.nan_to_num(points)
        self._own = window_of(points[self._known], self._own)
        window = self._share(self._own)
        if window != self._window:
            self._window = window
            self.item.setRange(xRange=window[:2], yRange=window[2:], padding=0)
        self._redraw()

    def resizeEvent(self, event: object) -> None:  # noqa: N802, D102
        self.legend.fit(self.width())
        self._row.activate()  # else the plot is painted in a width that it has not

    def restyle(self) -> None:
        """Take colours and type from the theme."""
        style_plot(self._plot, self._theme)
        self.legend.updateGeometry()
        self._redraw()

    def _redraw(self) -> None:
        labels = self._drawn = self._classes()
        many = len(self._points) > RASTER_ABOVE
        self.image.setVisible(many)
        if many and self._window is not None:
            palette = self._theme.palette
            picture, box = rasterise(self._points, labels, self._window, palette, _PIXELS)
            self.image.setImage(picture, levels=(0, 255))
            self.image.setRect(*box)
        shown = np.full_like(labels, NOT_DRAWN) if many else labels
        self.points.show_points(self._points, shown, (), self._theme.palette)

    def _classes(self) -> np.ndarray:
        """Return (samples,) the class of each point, `NOT_DRAWN` for those that are not drawn."""
        count = len(self._points)
        labels = np.zeros(count, np.int64)
        if self._labels is not None and len(self._labels) >= count:
            labels = self._labels[:count]
        hidden = np.isin(labels, list(self.legend.hidden)) | ~self._known
        return np.where(hidden, NOT_DRAWN, labels)

    def _on_click(self, event: object) -> None:
        if event.button() is not Qt.MouseButton.LeftButton or not len(self._points):  # type: ignore[attr-defined]
            return
        at = self.item.getViewBox().mapSceneToView(event.scenePos())  # type: ignore[attr-defined]
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)  # type: ignore[attr-defined]
        sample = nearest(self.item, self._points, self._drawn, np.array([at.x(), at.y()]))
        if sample >= 0:
            self.clicked.emit(sample, shift)

    def _describe(self, at: np.ndarray) -> str:
        sample = nearest(self.item, self._points, self._drawn, at)
        if sample < 0:
            return ""
        said = [f"sample {sample + 1}"]
        number_of_class = int(self._drawn[sample])
        if self._names and number_of_class < len(self._names):
            said.append(self._names[number_of_class] if number_of_class >= 0 else NO_LABEL)
        axes = zip(self._titles, self._points[sample], strict=True)
        # Of a code of one number the other axis is the sample, which is told.
        said.append(", ".join(f"{title} = {number(v)}" for title, v in axes if title != "sample"))
        return " · ".join(said)
