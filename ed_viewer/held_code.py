"""The code in the hand on the plot of the codes: a handle, and the trail that it leaves."""

import numpy as np
import pyqtgraph
from PySide6.QtCore import QObject, Signal

from ed_viewer.projection import Axes
from ed_viewer.theme import Theme
from ed_viewer.trail import Trail
from ed_viewer.widgets.handle import Handle, pixel_size


class HeldCode(QObject):
    """Stays the same code while frames and axes change.

    Signals:
        dragged: the code (latent,) that the handle has been dragged to.

    Attributes:
        code: (latent,), empty before the first frame.
        touched: whether somebody has taken another code than the first.
    """

    dragged = Signal(object)

    def __init__(self, item: pyqtgraph.PlotItem, parent: QObject) -> None:
        super().__init__(parent)
        self.code = np.empty(0)
        self.touched = False
        self.trail = Trail()
        self.handle = Handle(item, self)
        self.handle.dragged.connect(self._drag)
        self._item = item
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
            self.trail.leave(self.code, self._axes, pixel_size(self._item))
        self.code = np.array(code, np.float64)

    def show(self, axes: Axes | None, able: bool) -> None:
        """Put the handle where the code is on these axes, or hide it where it is of no use."""
        self._axes = axes
        if axes is None or not len(self.code):
            return
        place = axes.place(self.code) if able else np.full(2, np.nan)
        self.handle.show_at(place, np.vstack((self.trail.places(axes), place)))

    def restyle(self, theme: Theme) -> None:
        """Take colours from the theme."""
        self.handle.restyle(theme)

    def _drag(self, point: np.ndarray) -> None:
        if self._axes is not None and len(self.code):
            self.dragged.emit(self._axes.moved(self.code, point))
