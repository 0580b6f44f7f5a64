"""Points in a plane, a colour and a marker a class."""

import numpy as np
import pyqtgraph

from ed_viewer.palette import SYMBOLS, Palette, class_colour

_SIZE = 7  # pixels, of a marker


class ClassPoints:
    """The points of a plot, one item a class.

    Args:
        item: the plot that they are drawn in.
    """

    def __init__(self, item: pyqtgraph.PlotItem) -> None:
        self._item = item
        self.groups: dict[int, pyqtgraph.ScatterPlotItem] = {}

    def show_points(
        self, points: np.ndarray, labels: np.ndarray, colours: tuple[str, ...], palette: Palette
    ) -> None:
        """Draw other points.

        Args:
            points: (samples, 2).
            labels: (samples,) the class of each; below 0 it is left out.
            colours: of the classes, where they have own ones.
            palette: of the theme.
        """
        there = [int(group) for group in np.unique(labels) if group >= 0]
        for group in {*there, *self.groups}:
            if group not in self.groups:
                self.groups[group] = pyqtgraph.ScatterPlotItem(pxMode=True, pen=None, size=_SIZE)
                self._item.addItem(self.groups[group])
            mine = points[labels == group]
            self.groups[group].setData(
                mine[:, 0],
                mine[:, 1],
                brush=pyqtgraph.mkBrush(class_colour(palette, group, colours)),
                pen=None,
                symbol=SYMBOLS[group % len(SYMBOLS)],
                size=_SIZE,
            )
