"""Draggable marker of the edited code on the latent scatter, with its trail."""

import numpy as np
import pyqtgraph
from PySide6.QtCore import QObject, Qt, Signal

from ed_viewer.panels.latent.projection import Axes
from ed_viewer.style.theme import Theme
from ed_viewer.widgets.plots.plot import pixel_size

_MOST = 10  # points
_APART = 12  # pixels between two of them
_SIZE = 18  # pixels
_ABOVE = 20  # of the points


class CodeTrail:
    """The last edited codes, at a minimum distance from each other."""

    def __init__(self) -> None:
        self.codes: list[np.ndarray] = []

    def clear(self) -> None:
        """Forget all codes."""
        self.codes = []

    def leave(self, code: np.ndarray, axes: Axes, pixel: np.ndarray) -> None:
        """Note a code (latent,) that is left; `pixel` (2,) is the size of one in the plot."""
        here = axes.place(code)
        last = axes.place(self.codes[-1]) if self.codes else here + np.inf
        if not np.hypot(*((here - last) / pixel)) < _APART:
            self.codes = [*self.codes, code][-_MOST:]

    def places(self, axes: Axes) -> np.ndarray:
        """Return where the codes are in the plot, (points, 2)."""
        return np.array([axes.place(code) for code in self.codes]).reshape(-1, 2)


class HandleItem(QObject):
    """Plot item of the marker: a ring with a cross, and the trail.

    Signals:
        dragged: the point (2,) that the mouse has moved it to.
    """

    dragged = Signal(object)

    def __init__(self, item: pyqtgraph.PlotItem, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._trail = pyqtgraph.PlotDataItem(symbol="o", symbolSize=5)
        self.target = pyqtgraph.TargetItem(size=_SIZE, symbol="crosshair")
        for above, drawn in enumerate((self._trail, self.target)):
            drawn.setZValue(_ABOVE + above)
            item.addItem(drawn, ignoreBounds=True)
        self.target.setCursor(Qt.CursorShape.SizeAllCursor)
        self.target.sigPositionChanged.connect(self._moved)
        self.show_at(np.full(2, np.nan))

    def show_at(self, point: np.ndarray, trail: np.ndarray | None = None) -> None:
        """Stand at a point (2,), with a trail (points, 2); nowhere, where the point is NaN."""
        visible = bool(np.isfinite(point).all())
        self.target.setVisible(visible)
        self._trail.setVisible(visible and trail is not None and len(trail) > 0)
        if visible:
            self.target.blockSignals(True)
            self.target.setPos(float(point[0]), float(point[1]))
            self.target.blockSignals(False)
            if trail is not None:
                self._trail.setData(trail[:, 0], trail[:, 1])

    def restyle(self, theme: Theme) -> None:
        """Take colours from the theme: type's, since every other is that of a class."""
        text, quiet = theme.colour("text"), theme.colour("text")
        quiet.setAlpha(130)
        self.target.setPen(pyqtgraph.mkPen(text, width=2))
        self.target.setHoverPen(pyqtgraph.mkPen(theme.colour("accent"), width=3))
        self._trail.setPen(pyqtgraph.mkPen(quiet, width=1))
        self._trail.setSymbolBrush(pyqtgraph.mkBrush(quiet))
        self._trail.setSymbolPen(None)

    def _moved(self) -> None:
        at = self.target.pos()
        self.dragged.emit(np.array([at.x(), at.y()]))


class CodeHandle(QObject):
    """Marker that stays at the same code while frames and axes change.

    Signals:
        dragged: the code (latent,) that the handle has been dragged to.

    Attributes:
        code: (latent,), empty before the first frame.
        touched: whether the user has chosen another code than the first.
        trail: the codes that it has left.
        item: what is drawn of it.
    """

    dragged = Signal(object)

    def __init__(self, item: pyqtgraph.PlotItem, parent: QObject) -> None:
        super().__init__(parent)
        self.code = np.empty(0)
        self.touched = False
        self.trail = CodeTrail()
        self.item = HandleItem(item, self)
        self.item.dragged.connect(self.drag)
        self._plot = item
        self._axes: Axes | None = None

    def keep(self, codes: np.ndarray) -> None:
        """Stay with the code beside those of a frame (samples, latent); at first it is the mean."""
        if len(self.code) != codes.shape[1]:
            self.code = codes.mean(axis=0)
            self.trail.clear()

    def take(self, code: np.ndarray) -> None:
        """Take another code (latent,); the trail keeps the one before."""
        self.touched = True
        if self._axes is not None:
            self.trail.leave(self.code, self._axes, pixel_size(self._plot))
        self.code = np.array(code, np.float64)

    def show(self, axes: Axes | None, able: bool) -> None:
        """Put the handle at the code on these axes, or hide it if it cannot be used."""
        self._axes = axes
        if axes is None or not len(self.code):
            return
        place = axes.place(self.code) if able else np.full(2, np.nan)
        self.item.show_at(place, np.vstack((self.trail.places(axes), place)))

    def restyle(self, theme: Theme) -> None:
        """Take colours from the theme."""
        self.item.restyle(theme)

    def drag(self, point: np.ndarray) -> None:
        """Go to a point (2,) of the plot."""
        if self._axes is not None and len(self.code):
            self.dragged.emit(self._axes.moved(self.code, point))
