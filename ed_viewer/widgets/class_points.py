"""Points in a plane, a colour and a marker a class."""

import numpy as np
import pyqtgraph
from PySide6.QtGui import QBrush

from ed_viewer.palette import NOT_DRAWN, Palette, class_colour, class_symbol

_SIZE = 7  # pixels, of a marker


class ClassPoints:
    """The points of a plot: one item for all classes, each item costs as much as its points.

    Args:
        item: the plot that they are drawn in.

    Attributes:
        points: (n, 2) those that are drawn, class by class.
        labels: (n,) the class of each.
        colours: of the classes that are drawn.
    """

    def __init__(self, item: pyqtgraph.PlotItem) -> None:
        self._markers = pyqtgraph.ScatterPlotItem(pxMode=True, pen=None, size=_SIZE)
        self._brushes: dict[str, QBrush] = {}  # pyqtgraph draws a marker anew for a new brush
        item.addItem(self._markers)
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
        self._markers.setData(
            self.points[:, 0],
            self.points[:, 1],
            brush=[brushes[group] for group in each],
            symbol=[class_symbol(group) for group in each],
        )

    def _brush(self, colour: str) -> QBrush:
        return self._brushes.setdefault(colour, pyqtgraph.mkBrush(colour))
