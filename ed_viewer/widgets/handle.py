"""A handle on a plot that the mouse drags, and the trail that it leaves."""

import numpy as np
import pyqtgraph
from PySide6.QtCore import QObject, Qt, Signal

from ed_viewer.theme import Theme

_SIZE = 18  # pixels
_ABOVE = 20  # of the points


class Handle(QObject):
    """A ring with a cross.

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
        known = bool(np.isfinite(point).all())
        self.target.setVisible(known)
        self._trail.setVisible(known and trail is not None and len(trail) > 0)
        if known:
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


def pixel_size(item: pyqtgraph.PlotItem) -> np.ndarray:
    """Return what a pixel of the plot is, across and upwards."""
    across, up = item.getViewBox().viewPixelSize()
    return np.array([across, up])
