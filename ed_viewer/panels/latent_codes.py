"""The codes of the reference batch as points, coloured by class."""

import numpy as np
import pyqtgraph
from PySide6.QtWidgets import QHBoxLayout

from ed_viewer.messages import Arrays
from ed_viewer.palette import SYMBOLS, class_colour
from ed_viewer.panel import Panel, panel
from ed_viewer.projection import Axes, Window, project, window_of
from ed_viewer.widgets.legend import Legend
from ed_viewer.widgets.plot import make_plot, style_plot
from ed_viewer.widgets.raster import rasterise

RASTER_ABOVE = 5000  # points: from here a scatter item takes longer to draw than a frame lasts
_PIXELS = 512
_SIZE = 7  # pixels, of a marker


@panel("latent_codes")
class LatentCodesPanel(Panel):
    """A scatter of two dimensions of the code, or of its first two principal axes."""

    tab = "Latent"
    heading = "Codes"
    no_difference = "The codes of two runs lie in spaces of their own: a difference says nothing."

    def build(self) -> None:
        """A plot and a legend beside it."""
        self._plot = make_plot()
        self._item = self._plot.getPlotItem()
        self._item.showGrid(x=True, y=True, alpha=0.15)
        self._image = pyqtgraph.ImageItem()
        self._item.addItem(self._image)
        self._scatters: list[pyqtgraph.ScatterPlotItem] = []
        self._legend = Legend(self.source.theme)
        self._legend.toggled.connect(self._redraw)
        label = self.source.probe.options.get("label")
        self._labels = self.source.reference.get(str(label)) if label else None
        names = self.source.classes(str(label)) if self._labels is not None else ()
        self._legend.set_names(names)
        side = QHBoxLayout()
        side.setSpacing(12)
        side.addWidget(self._plot, 1)
        side.addWidget(self._legend)
        self.body.addLayout(side, 1)
        self._axes: Axes | None = None
        self._own: Window | None = None  # limits that suit this run alone
        self._window: Window | None = None
        self._points = np.empty((0, 2))

    def show_frame(self, arrays: Arrays) -> None:
        """Draw `codes` (samples, latent)."""
        codes = np.nan_to_num(np.asarray(arrays["codes"], np.float64))
        before, self._axes = self._axes, project(codes, self._axes)
        self._points = self._axes.points
        if before is None or before.titles != self._axes.titles:  # a label costs a new axis
            self._item.setLabel("bottom", self._axes.titles[0])
            self._item.setLabel("left", self._axes.titles[1])
        self.set_caption(f"{len(codes)} samples · {codes.shape[1]} dimensions")
        self._own = window_of(self._points, self._own)
        put = self.source.ranges.put
        x = put(self.source.side, "x", self._own[:2])
        window = (*x, *put(self.source.side, "y", self._own[2:]))
        if window != self._window:
            self._window = window
            self._item.setRange(xRange=window[:2], yRange=window[2:], padding=0)
        self._redraw()

    def restyle(self) -> None:
        """Take colours and type from the theme."""
        super().restyle()
        style_plot(self._plot, self.source.theme)
        self._legend.updateGeometry()
        self._redraw()

    def _redraw(self) -> None:
        labels = self._classes()
        many = len(self._points) > RASTER_ABOVE
        self._image.setVisible(many)
        if many and self._window is not None:
            picture, box = rasterise(
                self._points, labels, self._window, self.source.theme.palette, _PIXELS
            )
            self._image.setImage(picture, levels=(0, 255))
            self._image.setRect(*box)
        groups = [] if many else sorted(set(labels.tolist()) - {-1})
        self._show_groups(labels, groups)

    def _classes(self) -> np.ndarray:
        """Return (samples,) the class of each point, -1 for those that are hidden."""
        count = len(self._points)
        labels = np.zeros(count, np.int64)
        if self._labels is not None and self._labels.ndim == 1 and len(self._labels) >= count:
            labels = np.asarray(self._labels[:count], np.int64)
        return np.where(np.isin(labels, list(self._legend.hidden)), -1, labels)

    def _show_groups(self, labels: np.ndarray, groups: list[int]) -> None:
        while len(self._scatters) < len(groups):
            scatter = pyqtgraph.ScatterPlotItem(pxMode=True, pen=None)
            self._scatters.append(scatter)
            self._item.addItem(scatter)
        for place, scatter in enumerate(self._scatters):
            scatter.setVisible(place < len(groups))
            if place >= len(groups):
                continue
            group = groups[place]
            points = self._points[labels == group]
            colour = class_colour(self.source.theme.palette, group)
            scatter.setData(
                points[:, 0],
                points[:, 1],
                brush=pyqtgraph.mkBrush(colour),
                pen=None,
                symbol=SYMBOLS[group % len(SYMBOLS)],
                size=_SIZE,
            )
