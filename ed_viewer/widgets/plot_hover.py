"""What is under the mouse in a plot, in words."""

from collections.abc import Callable

import numpy as np
import pyqtgraph
from PySide6.QtCore import QEvent, QObject, QPoint, Signal
from PySide6.QtGui import QMouseEvent

from ed_viewer.palette import NOT_DRAWN
from ed_viewer.widgets.handle import pixel_size

NEAR = 10  # pixels, from the mouse to the point that it means

Describe = Callable[[np.ndarray], str]
"""Returns what is at a place (2,) of a plot, in its own units; "" for nothing."""


class PlotHover(QObject):
    """Follows the mouse over the plots of a view; it does nothing while the mouse rests.

    It takes the movements from the viewport and not from the scene's `sigMouseMoved`, which leaves
    out the last ones of a fast movement.

    Args:
        view: that the plots stand in; it owns this object.

    Signals:
        told: what is under the mouse, in words, or "".
    """

    told = Signal(str)

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
            self.told.emit(self._describe(event.position().toPoint()))
        elif event.type() == QEvent.Type.Leave:
            self.told.emit("")
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
    found = np.flatnonzero(close)  # a few of perhaps 70 000
    found = found[labels[found] > NOT_DRAWN]
    apart = np.hypot(*((points[found] - at) / reach).T)
    return int(found[apart.argmin()]) if apart.min(initial=np.inf) <= 1 else -1
